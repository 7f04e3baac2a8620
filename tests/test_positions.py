"""Positions: the position ids of stored tokens and their age signal (working tokens: see test_memory.py)."""

import pytest
import torch
from torch import nn

from rmt_demo import RMTConfig
from rmt_demo.positions import Positions

M, WIDTH = 4, 32
STORED = {"num_stored_tokens": 6, "memory_update": "gated", "spread_memory": True}


@pytest.mark.parametrize(("segment_length", "stored"), [(16, 6), (100, 40), (128, 3)])
def test_stored_tokens_have_positions_in_order_within_the_limit(make_cell, segment_length, stored):
    cell = make_cell(**STORED | {"num_stored_tokens": stored}, segment_length=segment_length)
    filled = torch.ones(2, stored, dtype=torch.bool)
    filled[1, 1] = False  # a blank token in between
    whole, holed = cell.positions.of_stored(filled).tolist()
    assert whole == sorted(whole) and max(whole) <= cell.positions.longest_input - 1 == 127
    first = min(segment_length, 127)
    shared = -(-stored // (128 - first))  # most tokens that share a position
    assert whole[0] == first and max(whole.count(age) for age in whole) == shared
    if shared == 1:
        assert whole == [*range(first, first + stored)] and holed == [*whole[:1], *whole[:-1]]


def test_age_signal_follows_the_linear_trend_of_the_position_embeddings(make_cell):
    positions = make_cell(**STORED, segment_length=101, age_slope=3.0).positions
    trend, wave = torch.nn.functional.one_hot(torch.tensor([5, 9]), WIDTH).float()
    place = torch.arange(128)[:, None]
    # A linear trend, and a wave without one.
    positions.table.weight.data = 0.25 * place * trend + (-1.0) ** place * wave
    filled = torch.tensor([[True] * 6, [True, False, True, False, False, False]])
    age = positions.aging(positions.of_stored(filled), torch.float32)
    torch.testing.assert_close(age[0, :, 5], 3 * 0.25 * torch.arange(6.0))
    torch.testing.assert_close(age[1, :3, 5], 3 * 0.25 * torch.tensor([0.0, 0.0, 1.0]), msg="blank tokens do not count")
    assert age[..., [n for n in range(WIDTH) if n != 5]].abs().max() < 1e-4


def test_without_a_slope_the_age_signal_is_zero(make_cell):
    positions = make_cell(**STORED).positions
    age = positions.aging(positions.of_stored(torch.ones(2, 6, dtype=torch.bool)), torch.bfloat16)
    assert age.dtype == torch.bfloat16 and not age.any() and age.shape[:2] == (2, 6)


def test_the_age_signal_is_added_to_the_stored_tokens_a_question_sees(make_cell):
    plain, sloped = make_cell(**STORED), make_cell(**STORED, age_slope=500.0)
    ids = torch.tensor([[2, 60, 61, 62, 3]])
    memory = torch.randn(1, M + 6, WIDTH, generator=torch.Generator().manual_seed(0))
    aged = memory.clone()
    ages = sloped.positions.of_stored(torch.ones(1, 6, dtype=torch.bool))
    aged[:, M:] += sloped.positions.aging(ages, torch.float32)
    torch.testing.assert_close(sloped(ids, memory)[0], plain(ids, aged)[0])
    assert (sloped(ids, memory)[0] - plain(ids, memory)[0]).abs().max() > 1e-3


def test_age_slope_needs_position_embeddings():
    with pytest.raises(ValueError, match="age_slope needs a backbone with position embeddings"):
        Positions(RMTConfig(**STORED, age_slope=1.0), nn.Linear(2, 2))
