"""Attention maps of one segment, for the three operations on memory in arXiv 2304.11062, figure 6.

    for ids in segments:                                     # write or retain: do memory rows attend to text or memory?
        seen = memory_attention(model, ids, memory)
        memory = seen.memory
    seen = query_attention(model, question, memory)          # read: do answer slots (or [CLS]) attend to memory?

A recorder is passed to the backbone's forward as a keyword argument and gets every layer's queries, keys and mask. It
recomputes the attention probabilities from them in float32. The model's own results stay bit-identical.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .heads import RMTForMaskedLM
from .pretrained import RMTPreTrainedModel


@dataclass(frozen=True, eq=False)
class SegmentAttention:
    """Attention probabilities of some rows of one segment in every layer and head, float32 on the CPU.

    weights   [layers, heads, rows, M + T] over M memory tokens and then T text tokens. M is m plus, if the segment sees
              them, the stored tokens up to the last filled one (with `settle_memory`, a question's M is the number of
              tokens with content)
    text_ids  the token ids of the T text columns, [CLS] [SEP] text [SEP]
    memory    [1, m + s, d] the memory after the segment
    gate      [m] gate of each working token, 0 to 1 (1 without a write gate)
    """

    weights: Tensor
    text_ids: list[int]
    memory: Tensor
    gate: Tensor

    @property
    def to_memory(self) -> Tensor:
        """[layers, heads, rows, M]"""
        return self.weights[..., : -len(self.text_ids)]

    @property
    def to_text(self) -> Tensor:
        """[layers, heads, rows, T]"""
        return self.weights[..., -len(self.text_ids) :]


class _Recorder:
    """Passed to the attention function as `watch`: records the probabilities of `rows` over `columns`."""

    def __init__(self, rows: list[int], columns: list[int]):
        self.rows, self.columns = rows, columns
        self.layers: list[Tensor] = []  # each [heads, rows, columns]

    def __call__(self, query: Tensor, key: Tensor, mask: Tensor | None, scaling: float, **_) -> None:
        scores = query[:, :, self.rows].float() @ key.float().transpose(-1, -2) * scaling
        if mask is not None:
            mask = mask.expand(-1, -1, query.shape[2], -1)
            scores = scores.masked_fill(~mask[:, :, self.rows], float("-inf"))
        self.layers.append(scores.softmax(dim=-1)[0][..., self.columns].cpu())


@torch.inference_mode()
def memory_attention(model: RMTPreTrainedModel, input_ids: Tensor, memory: Tensor) -> SegmentAttention:
    """Read one segment and record what its m memory rows attend to.

    Args:
        model: any RMT, in evaluation mode.
        input_ids: [1, L] one framed segment, [CLS] text [SEP] (see `framing.frame`); padding is removed.
        memory: [1, m + s, d] before the segment.

    Returns:
        SegmentAttention with weights [layers, heads, m, M + T]. T is L + 1: a [SEP] separates memory and text.

    Raises:
        ValueError: if the model has no memory tokens or is in training mode, or a shape does not fit.
    """
    input_ids, memory = _checked(model, input_ids, memory)
    cell, m = model.base_model.cell, model.config.num_memory_tokens
    if model.config.text_attends_memory:
        recorder = _Recorder([*range(1, m + 1)], _columns(cell.rows_seen(memory), input_ids))
        new = cell(input_ids, memory, watch=recorder)[1]
    else:  # the memory pass has only memory rows, and its columns are already in this order
        recorder = _Recorder([*range(m)], [*range(m + input_ids.shape[1] + 1)])
        new = cell.update(memory, cell.encode_text(input_ids, torch.ones_like(input_ids)), watch=recorder)
    return _seen(model, recorder, input_ids, memory, new)


@torch.inference_mode()
def query_attention(model: RMTPreTrainedModel, input_ids: Tensor, memory: Tensor) -> SegmentAttention:
    """Read the segment with the question and record what the answer attends to: the rows of its k [MASK] slots, or of
    [CLS] for models without slots.

    Args:
        model: any RMT, in evaluation mode.
        input_ids: [1, L] the framed segment with the question (see `questions.question_ids`); padding is removed.
        memory: [1, m + s, d] before the segment.

    Returns:
        SegmentAttention with weights [layers, heads, k (or 1), M + T], T = L + 1.

    Raises:
        ValueError: as `memory_attention`, or if an open-answer model gets a segment without slots.
    """
    input_ids, memory = _checked(model, input_ids, memory)
    recalled = model.recall(memory, input_ids)
    seen, rows = model.base_model.cell.rows_seen(recalled), [0]
    if isinstance(model, RMTForMaskedLM):
        slots = (input_ids[0] == model.config.mask_token_id).nonzero().flatten().tolist()
        if not slots:
            raise ValueError("The segment has no [MASK] slots to answer in: end it with questions.question_ids(...).")
        rows = [seen + 1 + slot for slot in slots]  # memory and a [SEP] are between [CLS] and the text
    recorder = _Recorder(rows, _columns(seen, input_ids))
    new = model.base_model.cell(input_ids, recalled, watch=recorder)[1]
    return _seen(model, recorder, input_ids, memory, new)


def wrote(attention: SegmentAttention) -> float:
    """Share of the memory rows' attention that goes to text, [CLS] and [SEP] excluded: "write" (near 1) or "retain"
    (near 0) in figure 6. Mean over layers, heads and memory tokens.

    It says where memory tokens looked, not what they took over: it ignores the size of the values, the residual stream
    and earlier layers, and text without facts gets attention too. So compare segments of one model, not models. Whether
    a gated model wrote is a different number: `gate.mean()`.
    """
    return attention.to_text[..., 2:-1].sum(-1).mean().item()


def read(attention: SegmentAttention) -> float:
    """Share of the answer rows' attention that goes to memory, averaged the same way (for `query_attention`)."""
    return attention.to_memory.sum(-1).mean().item()


def _checked(model: RMTPreTrainedModel, input_ids: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Validate the inputs; return the segment without padding and the memory, on the model's device and dtype."""
    initial = model.base_model.initial_memory(1)
    if initial.shape[1] == 0:
        raise ValueError("This model has no memory tokens to look at: use one with num_memory_tokens of 1 or more.")
    if model.training:
        raise ValueError("Dropout and sampled gates would distort the attention: call model.eval() first.")
    if input_ids.dim() != 2 or len(input_ids) != 1:
        raise ValueError(f"Give one framed segment [1, L], not {list(input_ids.shape)}.")
    if memory.shape != initial.shape:
        raise ValueError(
            f"This model's memory is {list(initial.shape)}, not {list(memory.shape)}: give one of its own."
        )
    input_ids = input_ids[:, input_ids[0] != model.config.pad_token_id]
    limit = model.config.text_capacity + 2
    if not 2 <= input_ids.shape[1] <= limit:
        raise ValueError(f"The segment has {input_ids.shape[1]} tokens: give [CLS] text [SEP], 2 to {limit} tokens.")
    return input_ids.to(initial.device), memory.to(initial.device, initial.dtype)


def _columns(rows: int, input_ids: Tensor) -> list[int]:
    """Indices that reorder [CLS] mem [SEP] text [SEP] to mem [CLS] [SEP] text [SEP], for `rows` memory tokens."""
    return [*range(1, rows + 1), 0, *range(rows + 1, rows + 1 + input_ids.shape[1])]


def _seen(model, recorder: _Recorder, input_ids: Tensor, memory: Tensor, new: Tensor) -> SegmentAttention:
    first, *rest = input_ids[0].tolist()
    memory, gate = model.base_model.write(memory, new) if new.shape[1] else (memory, new[..., 0])
    return SegmentAttention(
        weights=torch.stack(recorder.layers),
        text_ids=[first, model.config.sep_token_id, *rest],
        memory=memory.float().cpu(),
        gate=gate[0].float().cpu(),
    )
