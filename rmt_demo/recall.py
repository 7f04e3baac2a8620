"""Which of a memory's many tokens is a question asked of?

With `settle_memory`, of all that hold something, in the order they were read. Otherwise in two rounds:

What reads like a fact is stored beside the facts, so that after thousands of segments a question would have to find its
own among a hundred tokens, many more than it meets in training. It is asked of short stretches of the memory first, all
of them in one batch, and then of those that knew most: where "unknown" is the least likely answer.
"""

import torch
from torch import Tensor

STRETCH = 16  # tokens; a fact is written to about eight
ROUND_TWO = 2  # stretches


def stretches(memory: Tensor, start: Tensor) -> Tensor:
    """Stretches of what a memory holds, in the order it was read.

    Neighbours overlap by half, so that what lies across the end of one is whole in the next.

    Args:
        memory: [m + s, d], m working tokens and s stored ones, those that are all 0 blank.
        start: [m, d], the working tokens that a text begins with.

    Returns:
        [P, m + s] bool, the tokens of each stretch.
    """
    m, half = len(start), STRETCH // 2
    written, filled = _held(memory, start)
    rows = torch.cat([m + filled.nonzero()[:, 0], written.nonzero()[:, 0]])  # stored ones are the older
    begins = range(0, max(1, len(rows) - half), half)
    taken = filled.new_zeros(len(begins), len(memory))
    for stretch, begin in zip(taken, begins, strict=True):
        stretch[rows[begin : begin + STRETCH]] = True
    return taken


def cut_out(memory: Tensor, start: Tensor, taken: Tensor) -> Tensor:
    """P parts of one memory, each with room for no more stored tokens than the fullest needs.

    Args:
        memory: [m + s, d].
        start: [m, d], the working tokens that a text begins with.
        taken: [P, m + s] bool, the tokens of each part.

    Returns:
        [P, m + n, d], the stored tokens in their order.
    """
    m = len(start)
    places = taken[:, m:].int().argsort(dim=1, descending=True, stable=True)[:, : int(taken[:, m:].sum(1).max())]
    stored = memory[m:][places] * taken[:, m:].gather(1, places)[..., None]
    return torch.cat([torch.where(taken[:, :m, None], memory[:m], start.to(memory.dtype)), stored], dim=1)


def only(memory: Tensor, blank: Tensor, taken: Tensor) -> Tensor:
    """The memory [..., m + s, d] with nothing in it but the tokens `taken` [..., m + s]: [..., m + s, d], the others as
    in the memory `blank` that a text begins with."""
    return torch.where(taken[..., None], memory, blank.to(memory.dtype))


def settled(memory: Tensor, start: Tensor) -> Tensor:
    """What memories [Q, m + s, d] hold and nothing else, in the order it was read: [Q, n, d], shorter ones filled up
    with blanks. A text begins with the working tokens `start` [m, d]."""
    written, filled = _held(memory, start)
    aged = torch.cat([memory[:, len(start) :], memory[:, : len(start)]], dim=1)  # stored ones are the older
    held = torch.cat([filled, written], dim=1)
    first = held.int().argsort(dim=1, descending=True, stable=True)[:, : max(1, int(held.sum(1).max()))]
    rows = aged.gather(1, first[..., None].expand(-1, -1, aged.shape[2]))
    return rows * held.gather(1, first)[..., None]


def _held(memory: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Which working tokens [..., m] and which stored ones [..., s] of memories [..., m + s, d] hold something."""
    working, stored = memory[..., : len(start), :], memory[..., len(start) :, :]
    return (working - start).norm(dim=-1) > start.norm(dim=-1), stored.any(-1)
