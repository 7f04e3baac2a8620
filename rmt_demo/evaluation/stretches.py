"""Read a batch of very long haystacks at once, in constant memory.

    reading = read(model, maker, batch, seed)
    answers(model, batch, reading, tokenizer)    # see `extrapolation.py`

A haystack has its own segments with facts; the background between them comes in stretches of 64 segments. All haystacks
of a batch share the 64 background segments of a stretch, each in its own order, and the next stretch has 64 new ones.
With `text_attends_memory=False`, the text of a background segment is encoded once for the whole batch, and only the m
memory rows run for each haystack. So a haystack never reads a background segment twice, a batch of 32 haystacks of n
segments reads about n different ones (not 32 n), and only one stretch is held at a time, even with 50 million tokens.

Background segments start at random sentences of the text, so they overlap when the text is short for their number.
Since the haystacks of a batch share their background, their errors are correlated, and confidence intervals that treat
them as independent are somewhat too narrow.
"""

from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..data.batches import Batch, BatchMaker
from ..framing import frame
from ..pretrained import RMTPreTrainedModel

STRETCH = 64  # segments


@dataclass
class Reading:
    """The result of reading a batch of B haystacks of S segments, up to the question's segment.

    memory      [B, m + s, d] after the last segment, m working and s stored tokens
    gates       [B, S, m] float32 on the CPU, the write gate of each working memory token
    tokens      mean number of text tokens in a haystack
    background  number of different background segments read
    """

    memory: Tensor
    gates: Tensor
    tokens: float
    background: int


@torch.inference_mode()
def read(model: RMTPreTrainedModel, maker: BatchMaker, batch: Batch, seed: str) -> Reading:
    """Read a batch up to its questions.

    Args:
        model: in evaluation mode.
        maker: of the batch; the background is drawn from its text.
        batch: all samples have the same number of segments; the batch's own background segments are not used.
        seed: of the background.
    """
    base, order = model.base_model, batch.inputs["order"]
    memory, gates, tokens, background = base.initial_memory(len(order)), [], 0, 0
    for start in range(0, order.shape[1], STRETCH):
        stretch = slice(start, start + STRETCH)
        ids, mask, rows, facts = _table(maker, batch, stretch, Random(f"{seed}/{start}"))
        tokens += int((mask.sum(1) - 2)[rows].sum())
        background += len(rows[rows >= facts].unique())
        table = [tensor.to(model.device) for tensor in (ids, mask, rows)]
        memory, opened = base.read(*table, memory=memory, num_trained=facts)
        gates.append(opened.float().cpu())
    empty = torch.zeros(len(order), 0, model.config.num_memory_tokens)
    return Reading(memory, torch.cat([empty, *gates], dim=1), tokens / len(order), background)


def _table(maker: BatchMaker, batch: Batch, stretch: slice, rng: Random) -> tuple[Tensor, Tensor, Tensor, int]:
    """The table of one stretch: ids and mask [N, L], rows with facts first, then the background; the row that each
    haystack reads at each step [B, s]; and the number of rows with facts."""
    order, has_fact = batch.inputs["order"][:, stretch].contiguous(), batch.has_fact[:, stretch]
    own = order[has_fact].unique()  # sorted, as searchsorted needs it
    ids, mask = frame(maker.noise(rng, min(STRETCH, order.numel())), maker.config)
    turns = torch.tensor([rng.sample(range(len(ids)), order.shape[1]) for _ in order])
    rows = torch.where(has_fact, torch.searchsorted(own, order), len(own) + turns)
    parts = [batch.inputs["input_ids"][own], ids], [batch.inputs["attention_mask"][own], mask]
    length = max(part.shape[1] for part in parts[0])
    ids, mask = (
        torch.cat([pad(part, (0, length - part.shape[1]), value=fill) for part in pair])
        for pair, fill in zip(parts, (maker.config.pad_token_id, False), strict=True)
    )
    return ids, mask, rows, len(own)
