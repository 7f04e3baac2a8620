"""Backbones that would fail or silently compute wrong with memory tokens are refused with a clear message."""

import pytest
import torch
from tiny import tiny_encoder

from rmt_demo import MemoryCell, RMTConfig


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("mpnet", "its own attention implementation"),
        ("roformer", "its own attention implementation"),
        ("deberta-v2", "its own attention implementation"),
        ("modernbert", "sliding-window attention"),
        ("albert", "embeddings are 128 wide and its hidden states 32"),
        ("mobilebert", "affect each other outside attention"),  # its word embeddings include those of their neighbours
        ("fnet", "affect each other outside attention"),
        ("layoutlm", r"does not run as BERT does \(output with shape .*\)"),
        ("canine", "its own attention implementation"),
    ],
)
def test_unsuitable_backbones_are_refused(kind, why):
    with pytest.raises(ValueError, match=f"type '{kind}'.*{why}: choose one like BERT"):
        MemoryCell(RMTConfig(num_memory_tokens=4), tiny_encoder(kind, embedding_size=128 if kind == "albert" else 32))


def test_the_trial_run_has_no_side_effects():
    backbone = tiny_encoder("bert").train()
    before = torch.get_rng_state()
    MemoryCell(RMTConfig(num_memory_tokens=4), backbone)
    assert torch.equal(torch.get_rng_state(), before), "a seed set before must still give the same model"
    assert all(module.training for module in backbone.modules())
    assert all(p.grad is None for p in backbone.parameters())
