"""Attention maps: the recorded probabilities are those that were applied, and recording changes nothing."""

import pytest
import torch
from test_memory import WIDTH, M, memories, same, segments

from rmt_demo import text_pass
from rmt_demo.attention import SegmentAttention, memory_attention, query_attention, read, wrote

LAYERS, HEADS, MASK = 2, 4, 4  # of the tiny backbone
PLACES = [{}, {"spread_memory": True}, {"spread_memory": True, "memory_reach": 2}]
every_kind = pytest.mark.parametrize(
    "config", [{"text_attends_memory": sees, **place} for sees in (True, False) for place in PLACES], ids=str
)


def question(length: int = 12, slots: int = 3):
    """A segment that ends in slots."""
    ids = segments(1, length)
    ids[0, -1 - slots : -1] = MASK
    return ids


@pytest.fixture
def applied(monkeypatch):
    """Values [heads, columns, head_dim] and outputs [heads, rows, head_dim] of every attention that is computed."""
    seen, attend = [], text_pass.sdpa_attention_forward

    def look(module, query, key, value, mask, **kwargs):
        out = attend(module, query, key, value, mask, **kwargs)
        seen.append((value[0], out[0][0].transpose(0, 1)))
        return out

    monkeypatch.setattr(text_pass, "sdpa_attention_forward", look)
    return seen


def memory_first(value: torch.Tensor) -> torch.Tensor:
    """[CLS] mem*m [SEP] text [SEP] -> mem*m [CLS] [SEP] text [SEP]."""
    return torch.cat([value[:, 1 : M + 1], value[:, :1], value[:, M + 1 :]], dim=1)


# -- memory rows


@every_kind
def test_recorded_probabilities_are_those_applied(make_model, applied, config):
    seen = memory_attention(make_model(**config), segments(1, 26), memories(1))
    assert seen.weights.shape == (LAYERS, HEADS, M, M + 27) and seen.weights.dtype == torch.float32
    same(seen.weights.sum(-1), torch.tensor(1.0), 1e-6, "Rows are probabilities: do they sum to 1?")
    for weights, (value, out) in zip(seen.weights, applied[-LAYERS:], strict=True):
        if config["text_attends_memory"]:
            value, out = memory_first(value), out[:, 1 : M + 1]
        same(
            weights @ value, out, 1e-6, "Weights times values must be the layer's output: scaling, mask, column order?"
        )


@every_kind
def test_recording_changes_nothing(make_model, config):
    model, ids, memory = make_model(memory_update="gated", **config), segments(1, 26), memories(1)
    cell = model.rmt.cell
    with torch.inference_mode():
        if config["text_attends_memory"]:
            new = cell(ids, memory)[1]
        else:
            new = cell.update(memory, cell.encode_text(ids, torch.ones_like(ids)))
        wanted, gate = model.rmt.write(memory, new)
    seen = memory_attention(model, ids, memory)
    assert torch.equal(seen.memory, wanted) and torch.equal(seen.gate, gate[0])


@every_kind
def test_segment_by_segment_it_gives_the_memory_of_model_read(make_model, config):
    model, table = make_model("none", memory_update="gated", **config), segments(3, 12)
    memory = model.initial_memory(1)
    wanted, gates = model.read(table, torch.ones_like(table), torch.arange(3)[None], memory)
    for step in range(3):
        seen = memory_attention(model, table[step : step + 1], memory)
        memory = seen.memory
        same(seen.gate, gates[0, step], 1e-6)
    same(memory, wanted, 1e-6, "Is the memory passed on the gated one?")


@pytest.mark.parametrize("sees", [True, False])
def test_text_out_of_reach_has_exactly_no_weight(make_model, sees):
    model = make_model(text_attends_memory=sees, spread_memory=True, memory_reach=3)
    seen = memory_attention(model, segments(1, 26), memories(1))
    near = model.rmt.cell.positions.near(torch.tensor([26]), 27)[0]  # [m, T]
    assert not near.all(), "with a reach of 3, some of 26 tokens must be out of reach"
    assert torch.equal(seen.to_text > 0, near.expand(LAYERS, HEADS, -1, -1)), "exactly 0 where masked, more elsewhere"
    assert (seen.to_memory > 0).all(), "memory tokens always see each other"


def test_with_and_without_text_attends_memory_the_first_layer_is_the_same(make_model):
    """In the first layer the text cannot depend on the memory yet."""
    one, other = (
        memory_attention(make_model(text_attends_memory=sees), segments(1, 12), memories(1)) for sees in (True, False)
    )
    same(one.weights[0], other.weights[0], 1e-6, "Are the columns in the same order?")
    assert (one.weights[1] - other.weights[1]).abs().max() > 1e-6, "in the second layer it can, or cannot"


def test_columns_are_the_memory_and_then_the_tokens(make_model):
    ids = segments(1, 12)
    seen = memory_attention(make_model(), ids, memories(1))
    cls, *rest = ids[0].tolist()
    assert seen.text_ids == [cls, 3, *rest], "[CLS] [SEP] text [SEP]"
    assert seen.to_memory.shape[-1] == M and seen.to_text.shape[-1] == 13
    assert torch.equal(torch.cat([seen.to_memory, seen.to_text], dim=-1), seen.weights)


@every_kind
def test_padding_is_left_out(make_model, config):
    model, ids, memory = make_model(**config), segments(1, 12), memories(1)
    padded = memory_attention(model, torch.nn.functional.pad(ids, (0, 5)), memory)
    assert torch.equal(padded.weights, memory_attention(model, ids, memory).weights)


def test_a_float32_memory_meets_a_bfloat16_model(make_model):
    model = make_model(memory_update="gated").to(torch.bfloat16)
    seen = memory_attention(model, segments(1, 12), memories(1))
    assert (seen.weights.dtype, seen.memory.dtype, seen.gate.dtype) == (torch.float32,) * 3


# -- the question's rows


@pytest.mark.parametrize("config", [{}, {"text_attends_memory": False, "memory_update": "gated", **PLACES[2]}], ids=str)
@pytest.mark.parametrize(("head", "tokens"), [("masked_lm", [8, 9, 10]), ("classification", [0]), ("none", [0])])
def test_query_attention_records_slots_or_cls(make_model, applied, head, tokens, config):
    model, ids, memory = make_model(head, **config), question(), memories(1)
    applied.clear()  # making the model ran its backbone once
    seen = query_attention(model, ids, memory)
    assert seen.weights.shape == (LAYERS, HEADS, len(tokens), M + 13)
    same(seen.weights.sum(-1), torch.tensor(1.0), 1e-6)
    assert (seen.to_memory > 0).all(), "the question's segment always sees the memory"
    for weights, (value, out) in zip(seen.weights, applied, strict=True):
        out = torch.cat([out[:, :1], out[:, M + 2 :]], dim=1)[:, tokens]  # the rows of the tokens given
        same(weights @ memory_first(value), out, 1e-6, "Are these the rows of the answer?")
    with torch.inference_mode():
        assert torch.equal(seen.memory, model(ids[None], memory=memory).memory), "recording changed the result"


def test_query_attention_keeps_all_stored_tokens(make_model):
    """The question sees a part of the stored tokens; the memory returned must still have all of them."""
    stores = {"spread_memory": True, "memory_update": "gated", "num_stored_tokens": 60, "text_attends_memory": False}
    model, memory = make_model(**stores), torch.randn(1, M + 60, WIDTH)
    seen = query_attention(model, question(), memory)
    assert seen.to_memory.shape[-1] < M + 60, "the question should see a part only"
    assert torch.isin(memory[0, M:], seen.memory).all(-1).sum() >= 60 - M, "at most M may be replaced"


def test_an_open_answer_needs_slots(make_model):
    with pytest.raises(ValueError, match=r"no \[MASK\] slots to answer in"):
        query_attention(make_model(), segments(1, 12), memories(1))


# -- wrote and read


def by_hand(weights: list[float]) -> SegmentAttention:
    """One layer, head and row over one memory token and the five tokens [CLS] [SEP] a b [SEP]."""
    return SegmentAttention(
        torch.tensor(weights).view(1, 1, 1, 6), [2, 3, 50, 51, 3], torch.zeros(1, 1, 4), torch.ones(1)
    )


@pytest.mark.parametrize(
    ("weights", "writes", "reads"),
    [
        ([1.0, 0, 0, 0, 0, 0], 0.0, 1.0),
        ([0, 0.5, 0.25, 0, 0, 0.25], 0.0, 0.0),  # [CLS] and [SEP] do not count as text
        ([0, 0, 0, 0.5, 0.5, 0], 1.0, 0.0),
        ([0.25, 0.125, 0.125, 0.25, 0.125, 0.125], 0.375, 0.25),
    ],
)
def test_wrote_and_read_by_hand(weights, writes, reads):
    assert wrote(by_hand(weights)) == writes
    assert read(by_hand(weights)) == reads


def test_wrote_is_between_0_and_1_and_needs_text(make_model):
    model = make_model()
    assert 0 < wrote(memory_attention(model, segments(1, 12), memories(1))) < 1
    assert wrote(memory_attention(model, segments(1, 2), memories(1))) == 0, "[CLS] [SEP] has no text"


# -- bad input


@pytest.mark.parametrize("look", [memory_attention, query_attention])
@pytest.mark.parametrize(
    ("ids", "memory", "message"),
    [
        (segments(2, 12), memories(2), r"one framed segment \[1, L\], not \[2, 12\]"),
        (segments(1, 12)[0], memories(1), r"one framed segment \[1, L\], not \[12\]"),
        (segments(1, 12), memories(1)[0], r"memory is \[1, 4, 32\], not \[4, 32\]"),
        (segments(1, 60), memories(1), "has 60 tokens: give .* 2 to 27 tokens"),
    ],
)
def test_wrong_shapes_are_refused(make_model, look, ids, memory, message):
    with pytest.raises(ValueError, match=message):
        look(make_model(), ids, memory)


def test_models_without_memory_or_in_training_mode_are_refused(make_model):
    with pytest.raises(ValueError, match="no memory tokens"):
        memory_attention(make_model(num_memory_tokens=0), segments(1, 12), memories(1))
    with pytest.raises(ValueError, match=r"call model.eval\(\) first"):
        memory_attention(make_model().train(), segments(1, 12), memories(1))
