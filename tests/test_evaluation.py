"""Accuracy with its interval, on evaluation data only."""

import json
import re

import pytest
import torch
from tiny import tiny_backbone, tiny_book, tiny_model

from rmt_demo.data.babi import QA
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.data.tasks import PLACES
from rmt_demo.data.words import side
from rmt_demo.evaluation import extrapolation
from rmt_demo.evaluation.extrapolation import evaluate
from rmt_demo.evaluation.intervals import proportion, wilson
from rmt_demo.questions import question_ids


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
        (1, 2, 0.0945, 0.9055),
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I
    ],
)
def test_wilson_interval(right, total, low, high):
    assert wilson(right, total) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert wilson(total - right, total) == (pytest.approx(1 - high, abs=1e-4), pytest.approx(1 - low, abs=1e-4))


def test_no_sample_no_interval():
    with pytest.raises(ValueError, match="at least one sample"):
        wilson(0, 0)


def test_proportion_is_in_percent():
    assert proportion([True] * 50 + [False] * 50) == {"accuracy": 50.0, "low": 40.4, "high": 59.6, "samples": 100}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """An untrained tiny model whose tokenizer knows the words of most stories, with a book beside it."""
    folder = tmp_path_factory.mktemp("evaluation")
    stories = [StoryGenerator("eval", seed).story(3, 2) for seed in range(500)]
    text = " ".join(sentence for s in stories for sentence in (*s.sentences, *(q.text for q in s.questions)))
    backbone = tiny_backbone(folder / "backbone", words=sorted(set(re.findall("[a-z]+", text.lower()))))
    fields = {"memory_update": "gated", "text_attends_memory": False, "segment_length": 128}
    tiny_model(backbone, **fields).save_pretrained(folder / "tiny")
    tiny_book(folder / "book.txt", 20_000)
    return folder / "tiny"


def measure(checkpoint, out, **fields):
    settings = {"samples": 4, "segments": (1, 2), "background": [str(checkpoint.parent / "book.txt")]} | fields
    return evaluate(checkpoint, checkpoint.parent / out, **settings)


def test_results_say_what_was_measured_and_how(checkpoint):
    results = measure(checkpoint, "results", tasks=("memorize", "reasoning"), seed=3)
    for task in ("memorize", "reasoning"):
        written = json.loads((checkpoint.parent / "results" / f"{task}.json").read_text())
        assert written == results[task]
        assert (written["task"], written["seed"], written["checkpoint"]) == (task, 3, "tiny")
        assert written["command"].startswith("python -m rmt_demo")
        assert [row["segments"] for row in written["rows"]] == [1, 2]
        for row in written["rows"]:
            assert row["samples"] == 4 and 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 100
            assert sum(kind["samples"] for kind in row["by_kind"].values()) == 4
            assert 0 <= row["said_unknown"] <= 100
        assert written["rows"][0]["high"] - written["rows"][0]["low"] > 40, "four samples say little"


def test_the_same_seed_measures_the_same(checkpoint):
    one, other = (measure(checkpoint, out, tasks=("detect",))["detect"]["rows"] for out in ("one", "two"))
    assert one == other


def test_stream_goes_through_the_reader_and_fills_as_many_segments(checkpoint, monkeypatch):
    asked, ask = [], extrapolation.Reader.ask

    def look(reader, question):
        whole = len(reader.tail) + len(question_ids(reader.tokenizer, reader.config, question))
        asked.append((reader.state.segments_read + 1, whole <= reader.config.text_capacity))
        return ask(reader, question)

    monkeypatch.setattr(extrapolation.Reader, "ask", look)
    results = measure(checkpoint, "results", tasks=("stream",), samples=2, segments=(1, 2, 3))
    assert [row["samples"] for row in results["stream"]["rows"]] == [2, 2, 2]
    assert asked == [(n, True) for n in (1, 1, 2, 2, 3, 3)], "the question must fit into the last of the segments"


def test_stream_is_measured_by_default_on_fewer_and_shorter_haystacks(checkpoint, monkeypatch):
    monkeypatch.setattr(extrapolation, "STREAM_SAMPLES", 3)
    monkeypatch.setattr(extrapolation, "STREAM_SEGMENTS", 1)
    results = measure(checkpoint, "all")
    assert {*results} == {*extrapolation.TASKS, "stream"} - {*QA}
    assert [(row["segments"], row["samples"]) for row in results["stream"]["rows"]] == [(1, 3)]
    assert [(row["segments"], row["samples"]) for row in results["open"]["rows"]] == [(1, 4), (2, 4)]


def test_babi_tasks_and_strange_backgrounds_are_measured_on_request(checkpoint):
    results = measure(checkpoint, "babi", tasks=("qa1", "qa5"), background=("logs",))
    assert [result["background"] for result in results.values()] == [["logs (evaluation part)"]] * 2
    assert all(row["samples"] == 4 for result in results.values() for row in result["rows"])


@pytest.fixture(scope="module")
def classifier(checkpoint):
    """A classifier that answers "garden" to everything."""
    model = tiny_model(str(checkpoint.parent / "backbone"), "classification", segment_length=128)
    with torch.no_grad():
        model.classifier.weight.zero_()
        model.classifier.bias.copy_(torch.eye(len(PLACES))[PLACES.index("garden")])
    model.save_pretrained(checkpoint.parent / "classifier")
    return checkpoint.parent / "classifier"


def test_a_classifier_is_measured_on_the_paper_s_tasks(classifier, monkeypatch):
    asked, count = [], extrapolation.answers
    monkeypatch.setattr(
        extrapolation, "answers", lambda model, batch, tok: asked.extend(batch.questions) or count(model, batch, tok)
    )
    results = measure(classifier, "classified", samples=32, segments=(2,))
    assert tuple(results) == ("memorize", "detect", "reasoning")
    for number, result in enumerate(results.values()):
        gardens = sum(q.answer == "garden" for q in asked[32 * number : 32 * (number + 1)])
        assert 0 < gardens < 32 and result["rows"][0]["accuracy"] == round(100 * gardens / 32, 1)
        assert result["rows"][0]["said_unknown"] == 0
    with pytest.raises(ValueError, match="six places apart, so it cannot do 'stream': choose from memorize, detect"):
        measure(classifier, "classified", tasks=("memorize", "stream"))


@pytest.mark.parametrize(("offset", "accuracy"), [(0, 100.0), (1, 0.0)])
def test_right_answers_are_counted_right_and_wrong_ones_wrong(checkpoint, monkeypatch, offset, accuracy):
    """A model that is told the labels: through all of evaluate, all of its answers are right (or off by one token)."""
    seen = []
    count = extrapolation.answers

    def told(model, batch, tokenizer):
        seen.extend(batch.questions)
        logits = torch.nn.functional.one_hot(batch.inputs["labels"] + offset, len(tokenizer) + 1).float()
        out = type("Out", (), {"logits": logits})
        return count(type("Told", (), {"device": "cpu", "__call__": lambda *_, **__: out})(), batch, tokenizer)

    monkeypatch.setattr(extrapolation, "answers", told)
    (row, _) = measure(checkpoint, "results", tasks=("memorize",), samples=20)["memorize"]["rows"]
    assert (row["accuracy"], row["samples"]) == (accuracy, 20)


def test_words_and_background_are_of_the_evaluation_side(checkpoint, monkeypatch):
    seen, count = [], extrapolation.answers
    monkeypatch.setattr(
        extrapolation, "answers", lambda model, batch, tok: seen.append(batch) or count(model, batch, tok)
    )
    loaded, load = [], extrapolation.corpora.mix
    monkeypatch.setattr(extrapolation.corpora, "mix", lambda names, part: loaded.append(part) or load(names, part))
    measure(checkpoint, "results", tasks=("open",))
    assert loaded == ["eval"]
    words = [word for batch in seen for q in batch.questions for _, word in q.query.known]
    assert words and all(side(word) == "eval" for word in words)


def test_unknown_tasks_and_missing_checkpoints(checkpoint, tmp_path):
    with pytest.raises(ValueError, match="There is no task 'recall': choose from memorize, detect"):
        measure(checkpoint, "results", tasks=("recall",))
    with pytest.raises(ValueError, match="no checkpoint at"):
        measure(tmp_path / "nowhere", "results", background=[str(tmp_path / "book.txt")])
