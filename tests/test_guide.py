"""Guided gates: what is written is what the model began with would write, and the gates learn to say so themselves."""

import pytest
import torch
from tiny import tiny_backbone, tiny_book, tiny_model

from rmt_demo import checkpoints
from rmt_demo.data import corpora
from rmt_demo.data.batches import BatchMaker
from rmt_demo.data.samples import Mixture
from rmt_demo.training import guide as guides
from rmt_demo.training.guide import Guide, Told, litter

SHAPE = {
    "memory_update": "gated",
    "spread_memory": True,
    "text_attends_memory": False,
    "segment_length": 64,
    "num_memory_tokens": 16,
    "num_stored_tokens": 32,
}
PLACES = Mixture(6, segments=(2, 4), questions=2, tail_rate=0.0, task_rate=1.0, tasks=("detect",), background=6)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setattr(guides.backbones, "pick_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(guides.backbones, "pick_dtype", lambda device: torch.float32)


@pytest.fixture
def begin(tmp_path):
    """begin(score): a tiny checkpoint whose gates have opinions, or all one score; the folder, the model again as it
    would be trained further, and a maker of batches for it."""

    def begin(score=None):
        model = tiny_model(tiny_backbone(tmp_path / "backbone", positions=128), **SHAPE)
        last = model.rmt.cell.gate.score
        torch.nn.init.normal_(last.weight, std=0.0 if score else 3.0)
        torch.nn.init.constant_(last.bias, score or 0.0)
        model.save_pretrained(tmp_path / "model")
        model, tokenizer = checkpoints.load(str(tmp_path / "model"), torch.float32)
        book = corpora.load(tiny_book(tmp_path / "book.txt", 3000))
        return Guide(str(tmp_path / "model"), 0.15), model, BatchMaker(model.config, tokenizer, book, "train")

    return begin


def told(guide, model, batch):
    """What the model makes of a batch as the guide says."""
    guide.prepare(batch.inputs, batch)
    return model(**batch.inputs)


def learn(guide, model, batch, rate, steps):
    """Train the gates on what they are told."""
    optimizer = torch.optim.Adam(model.rmt.cell.gate.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        told(guide, model, batch)
        guide.loss().backward()
        optimizer.step()


def test_at_facts_is_written_what_the_model_wrote_before(begin):
    guide, model, maker = begin()
    guide.share = 0.0
    guide.follow(model.rmt.cell.gate)
    with torch.no_grad():
        model.rmt.cell.gate.score.bias.fill_(-20.0)  # it would write nothing any more
    batch = maker.batch(PLACES, "s")
    given = told(guide, model, batch).gates
    facts_alone = torch.where(batch.has_fact, batch.inputs["order"], -1)
    ids, mask = batch.inputs["input_ids"], batch.inputs["attention_mask"]
    with torch.no_grad():
        before = guide.teacher.read(ids, mask, facts_alone, guide.teacher.initial_memory(len(facts_alone)))[1]
    torch.testing.assert_close(given, before, atol=1e-4, rtol=0)
    assert not given[~batch.has_fact].any() and 0.1 < given[batch.has_fact].mean() < 0.9


def test_the_gates_learn_what_is_wanted_and_all_else_from_the_answers(begin):
    guide, model, maker = begin()
    guide.share = 0.0
    guide.follow(model.rmt.cell.gate)
    with torch.no_grad():
        model.rmt.cell.gate.score.bias -= 2
    batch = maker.batch(PLACES, "s")
    told(guide, model, batch)
    began = guide.loss()
    began.backward()
    touched = {name for name, p in model.named_parameters() if p.grad is not None}
    assert touched and all(".gate." in name for name in touched)
    learn(guide, model, batch, 1e-2, 60)
    assert guide.loss() < 0.6 * began


def test_beside_a_fact_a_gate_may_do_as_it_likes(begin):
    guide, model, maker = begin(5.0)  # everything is written
    guide.share = 0.0
    guide.follow(model.rmt.cell.gate)
    batch = maker.batch(PLACES, "s")
    assert (told(guide, model, batch).gates[batch.has_fact] > 0.99).all()
    assert guide.loss() > 1, "where there is no fact nothing should be written"
    with torch.no_grad():
        model.rmt.cell.gate.score.bias.fill_(-20.0)
    told(guide, model, batch)
    lengths, read = batch.inputs["attention_mask"].sum(1), batch.inputs["order"].clamp(min=0)
    inside = guides.stands_in_fact(model.rmt.cell, lengths, batch.in_fact)[read][batch.has_fact]
    each = guides.divergence(torch.tensor(-20.0), torch.tensor(5.0).sigmoid())
    torch.testing.assert_close(guide.loss(), inside.sum() * each / (batch.inputs["order"] >= 0).sum())


@pytest.mark.parametrize("wanted", [0.15, 0.45])
def test_segments_are_littered_now_and_then_with_a_run_of_open_gates(wanted):
    torch.manual_seed(0)
    where = torch.rand(400, 20) < 0.5
    opened = litter(where, 16, wanted)
    assert set(opened.unique().tolist()) == {0.0, 1.0} and not opened[~where].any()
    now = opened.any(-1)
    assert now[where].float().mean() == pytest.approx(wanted, abs=0.03)
    share = now.sum(1) / where.sum(1)  # of each sample
    assert share.min() < wanted / 2 and share.max() > 1.5 * wanted, "in some samples more often"
    runs = opened[opened.any(-1)]
    first, last = runs.argmax(1), 15 - runs.flip(1).argmax(1)
    assert torch.equal(runs.sum(1), last - first + 1.0), "one run in a row"
    from_the_left = runs.sum(1)[first == 0]
    assert len(set(from_the_left.tolist())) > 8, "of any length"


def test_a_batch_whose_facts_all_stand_before_the_questions_can_be_read(begin):
    guide, model, maker = begin()
    guide.follow(model.rmt.cell.gate)
    mixture = Mixture(2, segments=(0, 0), questions=1, tail_rate=1.0, task_rate=1.0, tasks=("detect",), background=2)
    batch = maker.batch(mixture, "s")
    out = told(guide, model, batch)
    assert batch.inputs["num_trained"] == 0 and out.gates.shape[1] == 0
    assert guide.loss() == 0


# -- gates told by the data


def test_told_gates_write_all_of_a_segment_with_a_fact_and_nothing_else(begin):
    _, model, maker = begin()
    guide, batch = Told(model.rmt.cell, 0.0), maker.batch(PLACES, "s")
    guide.follow(model.rmt.cell.gate)
    gates = told(guide, model, batch).gates
    assert (gates[batch.has_fact] == 1).all() and (gates[~batch.has_fact] == 0).all()


def test_told_gates_with_a_reach_write_what_stands_in_or_near_a_fact(begin):
    _, model, maker = begin()
    model.config.memory_reach = 6
    guide, batch = Told(model.rmt.cell, 0.0), maker.batch(PLACES, "s")
    guide.follow(model.rmt.cell.gate)
    gates = told(guide, model, batch).gates
    assert (gates[~batch.has_fact] == 0).all()
    rows = batch.inputs["order"][batch.has_fact]
    lengths = batch.inputs["attention_mask"].sum(1)
    inside = guides.stands_in_fact(model.rmt.cell, lengths, batch.in_fact)[rows]
    assert 0 < inside.sum() < inside.numel() / 2
    for opened, stands in zip(gates[batch.has_fact] > 0.5, inside, strict=True):
        at = stands.nonzero()[:, 0]
        near = {n for i in at.tolist() for n in range(i - 2, i + 3)} & {*range(len(opened))}
        assert {*opened.nonzero()[:, 0].tolist()} == near


@pytest.mark.parametrize("bias, weight, where_fact", [(20.0, guides.RARE, False), (-20.0, 1.0, True)])
def test_what_is_written_beside_the_facts_costs_told_gates_more_than_an_overlooked_fact(
    begin, bias, weight, where_fact
):
    _, model, maker = begin()
    guide, batch = Told(model.rmt.cell, 0.0), maker.batch(PLACES, "s")
    guide.follow(model.rmt.cell.gate)
    with torch.no_grad():
        model.rmt.cell.gate.score.bias.fill_(bias)
    told(guide, model, batch)
    read = batch.inputs["order"] >= 0
    wrong = (read & (batch.has_fact == where_fact)).sum()
    assert guide.loss().item() == pytest.approx(20 * weight * wrong.item() / read.sum().item(), rel=0.05)


def test_told_gates_learn_to_do_so_by_themselves(begin):
    _, model, maker = begin()
    guide, batch = Told(model.rmt.cell, 0.15), maker.batch(PLACES, "s")
    guide.follow(model.rmt.cell.gate)
    told(guide, model, batch)
    began = guide.loss()
    began.backward()
    learned = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert any(".gate." in name for name in learned) and any(".query." in name for name in learned)
    learn(guide, model, batch, 3e-3, 100)
    assert guide.loss() < 0.6 * began
