"""From text tokens to model inputs: framed segments, [CLS] text [SEP], padded on the right."""

import torch
from torch import Tensor

from .config import RMTConfig
from .segments import split_last_full


def frame(texts: list[list[int]], config: RMTConfig, multiple: int = 1) -> tuple[Tensor, Tensor]:
    """Frame each text with [CLS] and [SEP], and pad them to one length.

    Args:
        texts: N lists of text tokens.
        config: gives the special tokens and the longest possible segment.
        multiple: text lengths are padded to a multiple of this, but never beyond a full segment.

    Returns:
        ids [N, L] and mask [N, L] bool, True = real token, on the CPU.
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
    """Cut text tokens [B, T] into full segments counted from the end (the first one may be short) and frame them.

    The input may be padded on either side. Shorter samples start with empty segments.

    Returns:
        ids and mask [B, S, L], on the device of the input.

    Raises:
        ValueError: if a sample has no tokens.
    """
    real = torch.ones_like(input_ids) if attention_mask is None else attention_mask
    texts = [ids[kept.bool()].tolist() for ids, kept in zip(input_ids, real, strict=True)]
    samples = [split_last_full(text, config.text_capacity) for text in texts]
    if not all(samples):
        raise ValueError("Every sample needs at least one token of text.")
    framed, framed_mask = frame([part for sample in samples for part in sample], config)
    steps = max(map(len, samples))
    nonempty = torch.tensor([[step >= steps - len(sample) for step in range(steps)] for sample in samples])
    ids = framed.new_full((*nonempty.shape, framed.shape[1]), config.pad_token_id)
    mask = framed_mask.new_zeros(ids.shape)
    ids[nonempty], mask[nonempty] = framed, framed_mask
    return ids.to(input_ids), mask.to(input_ids.device)
