"""From text tokens to the model's input: framed segments, [CLS] text [SEP], padded on the right."""

import torch
from torch import Tensor

from .config import RMTConfig
from .segments import split_last_full


def frame(texts: list[list[int]], config: RMTConfig, multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Frame each text; on the CPU.

    Args:
        texts: N lists of text tokens.
        config: its special tokens frame them.
        multiple: the texts are padded to a multiple of this, but never beyond a full segment.

    Returns:
        ids [N, L] and mask [N, L] bool, True where there is a token.
    """
    longest = max(map(len, texts))
    length = 2 + max(longest, min(-(-longest // multiple) * multiple, config.text_capacity))
    ids = torch.full((len(texts), length), config.pad_token_id)
    mask = torch.zeros(len(texts), length, dtype=torch.bool)
    for row, text in enumerate(texts):
        framed = [config.cls_token_id, *text, config.sep_token_id]
        ids[row, : len(framed)] = torch.tensor(framed)
        mask[row, : len(framed)] = True
    return ids, mask


def frame_last_full(input_ids: Tensor, attention_mask: Tensor | None, config: RMTConfig) -> tuple[Tensor, Tensor]:
    """Cut text tokens [B, T] so that the last segment is full and the first one short, and frame each segment:
    ids and mask [B, S, L]. Padding may stand on either side; shorter samples start with empty segments.

    Raises:
        ValueError: if a sample has no token.
    """
    real = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    texts = [ids[kept.bool()].tolist() for ids, kept in zip(input_ids, real, strict=True)]
    samples = [split_last_full(text, config.text_capacity) for text in texts]
    if not all(samples):
        raise ValueError("Every sample needs at least one token of text.")
    framed, framed_mask = frame([part for sample in samples for part in sample], config)
    steps = max(map(len, samples))
    taken = torch.tensor([[step >= steps - len(sample) for step in range(steps)] for sample in samples])
    ids = framed.new_full((*taken.shape, framed.shape[1]), config.pad_token_id)
    mask = framed_mask.new_zeros(ids.shape)
    ids[taken], mask[taken] = framed, framed_mask
    return ids.to(input_ids), mask.to(input_ids.device)
