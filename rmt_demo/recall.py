"""Selects the memory tokens that a question is asked of, when the memory has many.

With `settle_memory`, a question sees all memory tokens with content, in the order they were read (`settled`). Otherwise
it is asked in two rounds, because text that resembles a fact is stored as well: after thousands of segments, a fact is
one among a hundred tokens, many more than a question meets in training. Round one asks the question of short,
overlapping stretches of the memory, all in one batch. Round two asks it of those stretches together that answered
"unknown" with the lowest probability. `RMTForMaskedLM.recall` runs the rounds.
"""

import torch
from torch import Tensor

STRETCH = 16  # memory tokens; a fact is written to about eight
ROUND_TWO = 2  # stretches selected for round two


def stretches(memory: Tensor, start: Tensor) -> Tensor:
    """Select overlapping stretches of the memory tokens with content, oldest first.

    Neighbouring stretches overlap by half, so that tokens cut apart by the end of one are together in the next.

    Args:
        memory: [m + s, d], m working tokens and s stored ones; a stored token of zeros is blank.
        start: [m, d], the initial working tokens.

    Returns:
        [P, m + s] bool, the tokens of each stretch.
    """
    m, half = len(start), STRETCH // 2
    working, stored = _with_content(memory, start)
    rows = torch.cat([m + stored.nonzero()[:, 0], working.nonzero()[:, 0]])  # stored tokens are older
    begins = range(0, max(1, len(rows) - half), half)
    selected = stored.new_zeros(len(begins), len(memory))
    for stretch, begin in zip(selected, begins, strict=True):
        stretch[rows[begin : begin + STRETCH]] = True
    return selected


def compact(memory: Tensor, start: Tensor, selected: Tensor) -> Tensor:
    """Build one memory per selection, with only as many stored tokens as the largest selection needs.

    Args:
        memory: [m + s, d].
        start: [m, d], the initial working tokens; they replace working tokens that are not selected.
        selected: [P, m + s] bool, the tokens of each selection.

    Returns:
        [P, m + n, d], the selected stored tokens in their order, padded with blank ones.
    """
    m = len(start)
    rows, kept = _true_first(selected[:, m:])
    stored = memory[m:][rows] * kept[..., None]
    return torch.cat([torch.where(selected[:, :m, None], memory[:m], start.to(memory.dtype)), stored], dim=1)


def keep_only(memory: Tensor, selected: Tensor, initial: Tensor) -> Tensor:
    """Reset all tokens of the memory [..., m + s, d] that are not `selected` [..., m + s] to the `initial` memory."""
    return torch.where(selected[..., None], memory, initial.to(memory.dtype))


def settled(memory: Tensor, start: Tensor) -> Tensor:
    """Reduce memories to the tokens with content, oldest first: the settled memory.

    Args:
        memory: [Q, m + s, d].
        start: [m, d], the initial working tokens.

    Returns:
        [Q, n, d], padded with blank tokens to the longest, n at least 1.
    """
    m = len(start)
    working, stored = _with_content(memory, start)
    by_age = torch.cat([memory[:, m:], memory[:, :m]], dim=1)  # stored tokens are older
    rows, kept = _true_first(torch.cat([stored, working], dim=1), at_least=1)
    return by_age.gather(1, rows[..., None].expand(-1, -1, by_age.shape[2])) * kept[..., None]


def _with_content(memory: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Which working tokens [..., m] and which stored tokens [..., s] of memories [..., m + s, d] have content."""
    working, stored = memory[..., : len(start), :], memory[..., len(start) :, :]
    return (working - start).norm(dim=-1) > start.norm(dim=-1), stored.any(-1)


def _true_first(mask: Tensor, at_least: int = 0) -> tuple[Tensor, Tensor]:
    """Column indices [P, n] that bring the True columns of each row of `mask` [P, N] to the front, in their order, and
    the mask at these columns [P, n]. n is the largest count of True in a row, or `at_least`."""
    columns = mask.int().argsort(dim=1, descending=True, stable=True)
    columns = columns[:, : max(at_least, int(mask.sum(1).max()))]
    return columns, mask.gather(1, columns)
