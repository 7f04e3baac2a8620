"""Reading a batch of very long haystacks at once, in constant memory.

    reading = read(model, maker, batch, seed)
    answers to `batch`'s questions are asked of reading.memory

A haystack's segments with facts are its own; the background between them comes in stretches of 64 segments. All
haystacks of a batch share the 64 background segments of a stretch, each reading them in an order of its own, and the
next stretch draws 64 new ones. With `text_attends_memory=False` they are encoded once for the whole batch, and for
every further segment only the m memory rows run. So a haystack never reads a background segment twice, a batch of
32 haystacks of n segments reads about n different ones (not 32 n), and no more than one stretch is ever held, be it
one of 50 million tokens. Background segments start at random sentences of the text: with more of them than it has
room for, they overlap. As the haystacks of a batch meet the same background, what goes wrong for one goes wrong for
others more often than by chance: intervals that take each of them as a case of its own are somewhat too narrow.
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
    """What is known once a batch of B haystacks of S segments has been read, up to the question's segment.

    memory      [B, m + s, d] after the last segment
    gates       [B, S, m] float32 on the CPU, how far each memory token was written
    tokens      text tokens of a haystack, on average
    background  different background segments that were read
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
        maker: of the batch; the background is drawn from it.
        batch: whose samples all have the same number of segments; its own background segments are left out.
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
    """The segments of one stretch: ids and mask [N, L] of the rows with facts, then of the background; which row each
    haystack reads when [B, s]; and how many rows have facts."""
    order, has_fact = batch.inputs["order"][:, stretch].contiguous(), batch.has_fact[:, stretch]
    own = order[has_fact].unique()  # sorted, so that a row's place among them can be looked up
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
