"""Teaching the write gates: what counts as an example, what a gate can learn, and that nothing else changes."""

import json
import random
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from tiny import set_gate, tiny_backbone, tiny_book, tiny_model, words_of

from rmt_demo import checkpoints
from rmt_demo.data import corpora
from rmt_demo.data.babi import QA
from rmt_demo.data.batches import BatchMaker
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.data.tasks import TASKS
from rmt_demo.memory import MemoryCell
from rmt_demo.training import gates
from rmt_demo.training.guide import QUIET, stands_in_fact
from rmt_demo.write_gate import WriteGate

SHAPE = {
    "memory_update": "gated",
    "spread_memory": True,
    "text_attends_memory": False,
    "segment_length": 240,
    "num_memory_tokens": 32,
}
# Sentences of another text as tokens, with and without a mark; no word of them is in the book or in a story.
OTHER = ([[100, 101, 102, 103, 99], [104, 105, 99]], [[100, 101, 102, 103], [104, 105]])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny checkpoint with gates, one without, and a book."""
    folder = tmp_path_factory.mktemp("gates")
    rng, stories = random.Random(0), StoryGenerator("train", 0)
    told = [stories.story(3, 1) for _ in range(1500)]
    told += [QA[name](rng, "train") for name in QA for _ in range(20)]
    told += [TASKS[name](rng, 1).story for name in TASKS for _ in range(20)]
    backbone = tiny_backbone(folder / "backbone", positions=256, words=words_of(told, questions=False))
    tiny_model(backbone, **SHAPE).save_pretrained(folder / "gated")
    tiny_model(backbone, **SHAPE | {"memory_update": "replace"}).save_pretrained(folder / "plain")
    tiny_book(folder / "book.txt", 5_000)
    return folder


@pytest.fixture(scope="module")
def drawn(folder):
    """The tiny model and one batch for it."""
    model, tokenizer = checkpoints.load(str(folder / "gated"), torch.float32)
    maker = BatchMaker(model.config, tokenizer, corpora.load(folder / "book.txt"), "train")
    return model, gates.draw(maker, gates.STORIES, "s")


# -- examples


def test_a_memory_token_stands_where_the_backbone_is_told(drawn):
    model, batch = drawn
    lengths = batch.inputs["attention_mask"].sum(1)
    found = stands_in_fact(model.rmt.cell, lengths, batch.in_fact)
    m = model.config.num_memory_tokens
    for row in range(0, len(found), 7):
        for token in range(m):
            at = (2 * token + 1) * (int(lengths[row]) - 1) // (2 * m)  # evenly over [CLS] text [SEP]
            assert found[row, token] == batch.in_fact[row, at]
    assert found.any() and not found[batch.inputs["num_trained"] :].any()


def test_a_disguise_changes_the_background_alone(drawn):
    _, batch = drawn
    ids, mask = batch.inputs["input_ids"], batch.inputs["attention_mask"].bool()
    disguised = gates.disguise(batch, OTHER, random.Random(0))
    special = ~mask
    special[:, 0] = True
    special[torch.arange(len(ids)), mask.sum(1) - 1] = True
    kept = special | batch.in_fact
    assert torch.equal(disguised[kept], ids[kept]) and disguised.shape == ids.shape
    assert set(disguised[~kept].tolist()) <= {99, *range(100, 106)}
    marks = [(99 in row[~keep].tolist()) for row, keep in zip(disguised, kept, strict=True) if (~keep).sum() > 12]
    assert 0.3 < sum(marks) / len(marks) < 0.7, "half of the segments have no mark at a sentence's end"


@pytest.mark.parametrize("score", [-5.0, 0.0, 5.0])
def test_what_the_model_writes_at_facts_is_wanted_and_elsewhere_nothing_is(drawn, score, monkeypatch):
    model, batch = drawn
    met, update = [], MemoryCell.update
    monkeypatch.setattr(
        MemoryCell, "update", lambda cell, memory, text: met.append(memory) or update(cell, memory, text)
    )
    examples = gates.collect(set_gate(model, score).rmt, batch, batch.inputs["input_ids"])
    read = batch.inputs["order"] >= 0
    assert len(examples.wanted) == read.sum(), "one for each segment that is read"
    own = torch.tensor(score).sigmoid().to(torch.bfloat16)
    quiet = (examples.wanted == 0).all(1)
    assert quiet.sum() == (read & ~batch.has_fact).sum() and (examples.weight[quiet] == QUIET).all()
    assert (examples.wanted[~quiet] == own).all()
    counted = examples.weight[~quiet]
    assert counted.any(1).float().mean() > 0.9, "memory tokens that stand in a fact count"
    assert (counted == 1).all() if score < 0 else (counted == 0).any(), "beside a fact, a write may be right"
    start = model.rmt.initial_memory(1)
    assert all((memory == start).all() for memory in met) == (score < 0), "what is wanted is written"


def test_in_another_text_the_same_is_wanted_of_what_is_seen_there(drawn):
    model, batch = drawn
    torch.manual_seed(0)
    model.rmt.cell.gate = WriteGate(model.backbone.config.hidden_size)
    plain = gates.collect(model.rmt, batch, batch.inputs["input_ids"])
    strange = gates.collect(model.rmt, batch, gates.disguise(batch, OTHER, random.Random(0)))
    assert torch.equal(plain.wanted, strange.wanted) and torch.equal(plain.weight, strange.weight)
    assert 0 < plain.wanted.max() < 1 and not torch.equal(plain.new, strange.new)


# -- learning


def test_a_gate_learns_from_its_neighbours_what_it_cannot_see_itself(monkeypatch):
    """Every memory token has the same to write; what is wanted depends on the tokens beside it."""
    torch.manual_seed(0)
    start, new = torch.zeros(12, 8), torch.ones(600, 12, 8)
    marked = torch.rand(600, 12) < 0.1
    new[marked] = -1
    wanted = marked.roll(1, dims=1)
    wanted[:, 0] = False
    part = gates.Examples(new, wanted.float(), torch.ones(600, 12))
    gate = WriteGate(8)
    monkeypatch.setattr(gates, "EPOCHS", 40)
    gates.fit(gate, start, [part], "0")
    right = (gate.logits(start.expand_as(new), new) > 0) == wanted
    assert right.float().mean() > 0.98 and 0.05 < wanted.float().mean() < 0.15


def test_an_example_without_weight_teaches_nothing(monkeypatch):
    gate = WriteGate(8)
    before = {name: p.clone() for name, p in gate.named_parameters()}
    part = gates.Examples(torch.randn(8, 4, 8), torch.ones(8, 4), torch.zeros(8, 4))
    monkeypatch.setattr(gates, "DECAY", 0.0)
    gates.fit(gate, torch.randn(4, 8), [part], "0")
    assert all(torch.equal(p, before[name]) for name, p in gate.named_parameters())


def test_an_example_is_hard_if_something_is_missed_that_counts():
    gate, start = WriteGate(8), torch.zeros(4, 8)
    set_gate(gate, -6.0)
    wanted = torch.zeros(5, 4)
    wanted[3, 2] = 1
    weight = torch.ones(5, 4)
    part = gates.Examples(torch.zeros(5, 4, 8), wanted, weight)
    assert gates.is_hard(gate, start, part).tolist() == [False, False, False, True, False]
    assert len(part.only(gates.is_hard(gate, start, part)).wanted) == 1
    weight[3] = 0
    assert not gates.is_hard(gate, start, part).any()


# -- a checkpoint


def test_after_the_first_round_facts_are_kept_and_what_is_hard(folder, tmp_path, monkeypatch):
    kept = []

    def fit(gate, start, parts, seed):
        quiet = [int((part.wanted == 0).all(1).sum()) for part in parts]
        kept.append((sum(quiet), sum(len(part.wanted) for part in parts) - sum(quiet)))
        return 1

    monkeypatch.setattr(gates, "fit", fit)
    monkeypatch.setattr(gates, "is_hard", lambda gate, start, part: torch.zeros(len(part.wanted), dtype=torch.bool))
    gates.teach(folder / "gated", tmp_path, [folder / "book.txt"], batches=6)
    quiet, facts = zip(*kept, strict=True)
    assert len(kept) == gates.ROUNDS and len(set(quiet)) == 1 and quiet[0] > 0
    assert sorted(set(facts)) == list(facts), "every round adds facts"


def test_only_the_gate_of_a_checkpoint_changes(folder, tmp_path):
    gates.teach(folder / "gated", tmp_path, [folder / "book.txt"], batches=4, seed=3)
    old, new = (load_file(path / "model.safetensors") for path in (folder / "gated", tmp_path))
    assert old.keys() == new.keys()
    for name, weights in old.items():
        same = torch.equal(weights.to(torch.bfloat16), new[name])
        assert same != (".gate." in name), name
    checkpoints.load(str(tmp_path), torch.float32)
    made = json.loads((tmp_path / "training.json").read_text())
    assert made["gates"] == [str(folder / "book.txt")] and made["seed"] == 3 and made["segments"] > 50


def test_gates_are_taught_once_and_over_nothing(folder, tmp_path, capsys, monkeypatch):
    given = {"background": [folder / "book.txt"], "batches": 4}
    with pytest.raises(ValueError, match="gated holds a run with another .*: .* choose another --out"):
        gates.teach(folder / "gated", folder / "gated", **given)
    gates.teach(folder / "gated", tmp_path, **given)
    monkeypatch.setattr(gates, "draw", lambda *_: pytest.fail("the gates are taught, yet it is begun again"))
    gates.teach(f"{folder / 'gated'}/", tmp_path, **given)
    assert "already holds the result of this run: remove it" in capsys.readouterr().err
    with pytest.raises(ValueError, match="another seed"):
        gates.teach(folder / "gated", tmp_path, **given, seed=1)


def test_a_checkpoint_without_gates_is_refused_and_nothing_written(folder, tmp_path):
    command = [sys.executable, "-m", "rmt_demo", "gates", "--init", str(folder / "plain")]
    done = subprocess.run([*command, "--out", str(tmp_path / "out")], capture_output=True, text=True)
    assert done.returncode == 2 and "has no write gates" in done.stderr.splitlines()[-1], done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("head, stories", [("masked_lm", gates.STORIES), ("classification", gates.PAPER_STORIES)])
def test_the_lesson_is_about_what_the_model_can_be_asked(folder, tmp_path, monkeypatch, head, stories):
    tiny_model(str(folder / "backbone"), head, **SHAPE).save_pretrained(tmp_path / "init")
    drawn = []

    def look(maker, mixture, seed):
        drawn.append(mixture)
        raise KeyboardInterrupt

    monkeypatch.setattr(gates, "draw", look)
    with pytest.raises(KeyboardInterrupt):
        gates.teach(tmp_path / "init", tmp_path / "out", [str(folder / "book.txt")], batches=gates.ROUNDS)
    assert drawn == [stories]
    assert set(gates.PAPER_STORIES.tasks) == set(TASKS) and gates.PAPER_STORIES.task_rate == 1
