"""What one segment looked at: the three operations on memory that arXiv 2304.11062 shows in figure 6.

    for ids in segments:                                     # write, or retain: memory rows on text, or on memory
        seen = memory_attention(model, ids, memory)
        memory = seen.memory
    seen = query_attention(model, question, memory)          # read: answer slots (or [CLS]) on memory

A recorder goes along as a keyword of the backbone's forward and is shown every layer's queries, keys and mask; from
them it computes the probabilities a second time, in float32. What the model computes is left as it is, bit for bit.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .heads import RMTForMaskedLM
from .pretrained import RMTPreTrainedModel


@dataclass(frozen=True, eq=False)
class SegmentAttention:
    """The attention of some rows of one segment, of every layer and head, float32 on the CPU.

    weights   [layers, heads, rows, M + T] attention probabilities: first M memory tokens, then the T text tokens; M is
              m, and where the segment sees stored tokens more, up to the last that is filled
    text_ids  the T token ids of the text columns, [CLS] [SEP] text [SEP]
    memory    [1, m + s, d] the memory after the segment
    gate      [m] how far each working token was written, 0 to 1 (1 without a write gate)
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
    """Given to the attention function as `watch`: the probabilities of some rows, columns in the order asked for."""

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
    """Read one segment and record what its m memory rows looked at.

    Args:
        model: any RMT, in evaluation mode.
        input_ids: [1, L] one framed segment, [CLS] text [SEP] (see `framing.frame`); padding is left out.
        memory: [1, m + s, d] before the segment.

    Returns:
        Weights [layers, heads, m, M + T] with T = L + 1, for the separator between memory and text.

    Raises:
        ValueError: if the model has no memory tokens or is in training mode, or a shape does not fit.
    """
    input_ids, memory = _checked(model, input_ids, memory)
    cell, m = model.base_model.cell, model.config.num_memory_tokens
    if model.config.text_attends_memory:
        recorder = _Recorder([*range(1, m + 1)], _columns(cell.rows_seen(memory), input_ids))
        new = cell(input_ids, memory, watch=recorder)[1]
    else:  # the memory pass has the memory's rows alone, and its columns are in our order already
        recorder = _Recorder([*range(m)], [*range(m + input_ids.shape[1] + 1)])
        new = cell.update(memory, cell.encode_text(input_ids, torch.ones_like(input_ids)), watch=recorder)
    return _seen(model, recorder, input_ids, memory, new)


@torch.inference_mode()
def query_attention(model: RMTPreTrainedModel, input_ids: Tensor, memory: Tensor) -> SegmentAttention:
    """Read the last segment and record what its answer was read from: the rows of its k [MASK] slots, or of [CLS]
    where the model does not fill slots.

    Args:
        model: any RMT, in evaluation mode.
        input_ids: [1, L] the framed segment with the question (see `questions.question_ids`); padding is left out.
        memory: [1, m + s, d] before the segment.

    Returns:
        Weights [layers, heads, k (or 1), M + T] with T = L + 1.

    Raises:
        ValueError: as `memory_attention`, or if there are no slots to fill.
    """
    input_ids, memory = _checked(model, input_ids, memory)
    asks = isinstance(model, RMTForMaskedLM)
    recalled = model.recall(memory, input_ids)
    seen, rows = model.base_model.cell.rows_seen(recalled), [0]
    if asks:
        slots = (input_ids[0] == model.config.mask_token_id).nonzero().flatten().tolist()
        if not slots:
            raise ValueError("The segment has no [MASK] slots to answer in: end it with questions.question_ids(...).")
        rows = [seen + 1 + slot for slot in slots]  # memory and a separator stand between [CLS] and the text
    recorder = _Recorder(rows, _columns(seen, input_ids))
    new = model.base_model.cell(input_ids, recalled, watch=recorder)[1]
    return _seen(model, recorder, input_ids, memory, new)


def wrote(attention: SegmentAttention) -> float:
    """How much the memory looked at the text: "write" (towards 1) against "retain" (towards 0), as in figure 6.

    The share of the memory rows' attention that goes to text other than [CLS] and [SEP], the mean over layers, heads
    and memory tokens. It says where they looked, not what they took: attention leaves out how large the values are,
    what the residual stream carries past it, and the layers before, and text without a fact is looked at as well, so
    compare segments of one model rather than models. Whether a gated model wrote is another number, its `gate.mean()`.
    """
    return attention.to_text[..., 2:-1].sum(-1).mean().item()


def read(attention: SegmentAttention) -> float:
    """How much of an answer's attention went to the memory, 0 to 1, in the same way (for `query_attention`)."""
    return attention.to_memory.sum(-1).mean().item()


def _checked(model: RMTPreTrainedModel, input_ids: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """The segment without padding and the memory, where and in the precision the model is."""
    own = model.base_model.initial_memory(1)
    if own.shape[1] == 0:
        raise ValueError("This model has no memory tokens to look at: use one with num_memory_tokens of 1 or more.")
    if model.training:
        raise ValueError("Dropout and sampled gates would blur what is seen: call model.eval() first.")
    if input_ids.dim() != 2 or len(input_ids) != 1:
        raise ValueError(f"Give one framed segment [1, L], not {list(input_ids.shape)}.")
    if memory.shape != own.shape:
        raise ValueError(f"This model's memory is {list(own.shape)}, not {list(memory.shape)}: use its own memories.")
    input_ids = input_ids[:, input_ids[0] != model.config.pad_token_id]
    limit = model.config.text_capacity + 2
    if not 2 <= input_ids.shape[1] <= limit:
        raise ValueError(f"The segment has {input_ids.shape[1]} tokens: give [CLS] text [SEP], 2 to {limit} of them.")
    return input_ids.to(own.device), memory.to(own.device, own.dtype)


def _columns(rows: int, input_ids: Tensor) -> list[int]:
    """Where so many rows of memory and the text stand in [CLS] mem [SEP] text [SEP]."""
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
