"""Writes as events: counted right by hand, and lined up with the facts of the haystacks of "open"."""

import json

import pytest
import torch
from tiny import set_gate, tiny_backbone, tiny_book, tiny_model, words_of

from rmt_demo.data.batches import BatchMaker
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.evaluation import writes
from rmt_demo.evaluation.extrapolation import evaluate
from rmt_demo.modeling import RMTModel

SAMPLES = 40  # more than one batch of 32, and no multiple of it


# -- counting, by hand


def test_summary_by_hand():
    gates = torch.tensor(
        [
            [1.0, 1.0, 0.0],  # a fact, two tokens written
            [0.0, 0.5, 0.0],  # a fact missed: exactly half open is no write
            [0.0, 0.6, 0.0],  # a fact, one token
            [0.0, 0.0, 0.9],  # noise, one token
            [0.4, 0.4, 0.4],  # noise: no gate is over one half, whatever their sum
        ]
    )
    found = writes.summary(gates, torch.tensor([True, True, True, False, False]), different=2)
    assert found["precision"] == found["recall"] == {"accuracy": 66.7, "low": 20.8, "high": 93.9, "samples": 3}
    assert found["noise_written"] == {"accuracy": 50.0, "low": 9.5, "high": 90.5, "samples": 2}
    assert (found["noise_different"], found["tokens_at_facts"], found["tokens_at_noise"]) == (2, 1.0, 0.5)


def test_what_cannot_be_counted_is_none():
    shut, opened = torch.zeros(2, 3), torch.ones(2, 3)
    found = writes.summary(shut, torch.tensor([True, True]), different=0)
    assert found["precision"] is None and found["noise_written"] is None and found["tokens_at_noise"] is None
    assert found["recall"]["accuracy"] == 0.0
    found = writes.summary(opened, torch.tensor([False, False]), different=2)
    assert found["recall"] is None and found["tokens_at_facts"] is None and found["precision"]["accuracy"] == 0.0


# -- a checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny gated checkpoint whose gates are always open, one without a gate, and a book."""
    folder = tmp_path_factory.mktemp("writes")
    stories = [StoryGenerator("eval", seed).story(3, 2) for seed in range(200)]
    backbone = tiny_backbone(folder / "backbone", words=words_of(stories))
    fields = {"text_attends_memory": False, "segment_length": 128}
    set_gate(tiny_model(backbone, memory_update="gated", **fields), 50.0).save_pretrained(folder / "gated")
    tiny_model(backbone, **fields).save_pretrained(folder / "plain")
    tiny_book(folder / "book.txt", 5_000)
    return folder


def measure(folder, name="gated", **fields):
    settings = {"samples": 4, "segments": (1, 3), "background": [str(folder / "book.txt")]} | fields
    return writes.measure(folder / name, writes.load(folder / name), folder / "results", **settings)


def test_results_say_what_was_measured_and_how(folder):
    result = measure(folder, seed=3)
    assert json.loads((folder / "results" / "writes-book.json").read_text()) == result
    assert (result["task"], result["seed"], result["checkpoint"]) == ("writes", 3, "gated")
    assert result["rows"][0]["command"].startswith("python -m rmt_demo") and result["segment_length"] == 128
    assert [row["segments"] for row in result["rows"]] == [1, 3]


def test_a_gate_that_is_always_open_finds_every_fact_and_all_the_noise(folder):
    _, row = measure(folder)["rows"]
    assert row["recall"]["accuracy"] == row["noise_written"]["accuracy"] == 100.0
    assert row["tokens_at_facts"] == row["tokens_at_noise"] == 4.0
    facts, noise = row["recall"]["samples"], row["noise_written"]["samples"]
    assert facts + noise == row["precision"]["samples"] == 4 * 3, "4 haystacks of 3 segments"
    assert row["precision"]["accuracy"] == round(100 * facts / 12, 1)
    assert 0 < row["noise_different"] <= noise


def test_gates_are_held_against_the_facts_of_the_same_segments(folder, monkeypatch):
    """A reader that knows which rows of the table hold facts, and writes one token there, is never wrong."""

    def knowing(model, input_ids, attention_mask, order, memory, num_trained):
        gates = torch.zeros(*order.shape, memory.shape[1])
        gates[..., 2] = (order < num_trained).float()
        return memory, gates

    monkeypatch.setattr(RMTModel, "read", knowing)
    *_, row = measure(folder, samples=SAMPLES, segments=(6,))["rows"]
    assert row["samples"] == SAMPLES and row["recall"]["samples"] + row["noise_written"]["samples"] == SAMPLES * 6
    assert (row["precision"]["accuracy"], row["recall"]["accuracy"]) == (100.0, 100.0)
    assert (row["noise_written"]["accuracy"], row["tokens_at_facts"], row["tokens_at_noise"]) == (0.0, 1.0, 0.0)
    assert row["noise_different"] < row["noise_written"]["samples"], "the haystacks of a batch share their background"


def test_haystacks_are_those_of_open(folder, monkeypatch):
    drawn, draw = [], BatchMaker.batch
    monkeypatch.setattr(BatchMaker, "batch", lambda maker, *given: drawn.append(given) or draw(maker, *given))
    same = {"samples": SAMPLES, "segments": (3,), "seed": 5}
    measure(folder, **same)
    here = drawn.copy()
    drawn.clear()
    evaluate(folder / "gated", folder / "open", tasks=("open",), background=[str(folder / "book.txt")], **same)
    assert len(here) == 2 and drawn == here, "the same mixture and seeds, or the two results cannot be compared"


def test_a_checkpoint_without_a_gate_is_refused(folder):
    with pytest.raises(ValueError, match="no write gate.*give a checkpoint with memory_update"):
        measure(folder, "plain")
