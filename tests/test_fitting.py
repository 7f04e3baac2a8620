"""Backbones with which memory tokens would fail, or be wrong without a word, are refused with a sentence."""

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
        ("mobilebert", "affect each other outside attention"),  # a word's embedding has its neighbours' in it
        ("fnet", "affect each other outside attention"),
        ("layoutlm", r"does not run as BERT does \(output with shape .*\)"),
        ("canine", "its own attention implementation"),
    ],
)
def test_a_backbone_that_memory_tokens_do_not_work_with_is_refused(kind, why):
    with pytest.raises(ValueError, match=f"type '{kind}'.*{why}: choose one like BERT"):
        MemoryCell(RMTConfig(num_memory_tokens=4), tiny_encoder(kind, embedding_size=128 if kind == "albert" else 32))


def test_trying_a_backbone_out_leaves_no_mark():
    backbone = tiny_encoder("bert").train()
    before = torch.get_rng_state()
    MemoryCell(RMTConfig(num_memory_tokens=4), backbone)
    assert torch.equal(torch.get_rng_state(), before), "whoever sets a seed would get another model"
    assert all(module.training for module in backbone.modules())
    assert all(p.grad is None for p in backbone.parameters())
