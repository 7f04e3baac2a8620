"""FLOPs by hand and as the paper has them; the memory estimate by hand."""

import pytest

from rmt_demo import RMTConfig
from rmt_demo.evaluation.cost import (
    LONGEST,
    OPT,
    PAPER_TOKENS,
    SEGMENT,
    Shape,
    estimate,
    full_attention_flops,
    opt,
    ratio,
    rmt_flops,
)

SMALL = Shape(layers=2, width=4, heads=2, ffn=8, vocab=10)
PARAMETERS = {"125m": 125e6, "350m": 350e6} | {f"{b}b": b * 1e9 for b in (1.3, 2.7, 6.7, 13, 30, 66, 175)}


def test_a_tiny_model_by_hand():
    """Three tokens, appendix F line by line."""
    query_key_value, logits, softmax, values, linear = 2 * 3 * 3 * 4 * 4, 2 * 9 * 4, 3 * 2 * 9, 2 * 9 * 4, 2 * 3 * 4 * 4
    dense, final = 2 * 3 * (4 * 8 + 4 * 8), 2 * 3 * 4 * 10
    by_hand = 2 * (query_key_value + logits + softmax + values + linear + dense) + final
    assert full_attention_flops(SMALL, 3) == by_hand == 2 * (288 + 72 + 54 + 72 + 96 + 384) + 240


def test_the_papers_29_and_295():
    large, small = ratio(opt("opt-175b"), PAPER_TOKENS), ratio(opt("OPT-125M"), PAPER_TOKENS)
    assert (round(large), round(small)) == (29, 295), (
        f"{large:.1f} and {small:.1f} times fewer FLOPs than full attention"
    )


def test_what_the_docstring_says_about_2_048_000_tokens():
    assert round(ratio(opt("opt-175b"), 2_048_000), 1) == 28.6
    assert round(ratio(opt("opt-125m"), 2_048_000), 1) == 287.9


@pytest.mark.parametrize("name", OPT)
def test_shapes_have_about_the_parameters_they_are_named_after(name):
    """Counting weights is independent of the FLOPs and catches a typing mistake in the table."""
    shape = OPT[name]
    weights = shape.layers * (4 * shape.width**2 + 2 * shape.width * shape.ffn) + shape.vocab * shape.width
    assert weights == pytest.approx(PARAMETERS[name.removeprefix("opt-")], rel=0.03)
    assert shape.width % shape.heads == 0


def test_rmt_is_linear_and_full_attention_is_quadratic():
    shape = opt("opt-1.3b")
    assert rmt_flops(shape, 20 * SEGMENT) == 20 * full_attention_flops(shape, SEGMENT)
    assert ratio(shape, SEGMENT) == 1, "one segment is all there is, so nothing is saved"
    assert full_attention_flops(shape, 2 * LONGEST // 2) / full_attention_flops(shape, LONGEST // 2) == pytest.approx(4)


def test_memory_tokens_and_a_short_last_segment_are_counted():
    """8 tokens to a segment, 2 of them memory: 13 tokens are 6 + 6 + 1."""
    counted = rmt_flops(SMALL, 13, segment=8, memory=2)
    assert counted == 2 * full_attention_flops(SMALL, 8) + full_attention_flops(SMALL, 3)
    assert counted > rmt_flops(SMALL, 13, segment=8), "memory tokens cost nothing?"


def test_estimate_by_hand():
    bert = {"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
    config = RMTConfig(backbone_config=bert)
    bytes_ = estimate(config, 1000)
    assert bytes_.scores == 12 * 1000 * 1000 * 4
    assert bytes_.key_values == 6 * 2 * 1000 * 384 * 4
    assert bytes_.total == bytes_.scores + bytes_.key_values
    assert estimate(config, 1000, itemsize=2).total * 2 == bytes_.total


def test_estimate_knows_grouped_keys():
    llama = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 8}
    config = RMTConfig(backbone_config=llama | {"num_key_value_heads": 2})
    assert estimate(config, 10).key_values == 2 * 10 * 2 * 8 * 4, "8 query heads share 2 heads of keys and values"


@pytest.mark.parametrize("tokens", [0, -5, LONGEST + 1, 10**400])
def test_impossible_numbers_of_tokens(tokens):
    for count in (full_attention_flops, rmt_flops, ratio):
        with pytest.raises(ValueError, match="from 1 to"):
            count(SMALL, tokens)
    with pytest.raises(ValueError, match="from 1 to"):
        estimate(RMTConfig(), tokens)


def test_other_mistakes_are_named():
    with pytest.raises(ValueError, match="no model 'gpt-5'.*opt-175b"):
        opt("gpt-5")
    with pytest.raises(ValueError, match="holds no text"):
        rmt_flops(SMALL, 10, segment=8, memory=8)
