"""How many facts a memory holds: all of them in earlier segments, one question, and the figures of that."""

import json
import re

import pytest
from tiny import tiny_backbone, tiny_book, tiny_model

from rmt_demo import plots
from rmt_demo.cli import main
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.evaluation import capacity, extrapolation


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An untrained tiny checkpoint whose tokenizer knows the words of most stories, with a book beside it."""
    folder = tmp_path_factory.mktemp("capacity")
    stories = [StoryGenerator("eval", seed).story(20, 1) for seed in range(100)]
    text = " ".join(sentence for s in stories for sentence in (*s.sentences, *(q.text for q in s.questions)))
    backbone = tiny_backbone(folder / "backbone", words=sorted(set(re.findall("[a-z]+", text.lower()))))
    tiny_model(backbone, segment_length=128, text_attends_memory=False).save_pretrained(folder / "tiny")
    tiny_model(backbone, segment_length=128).save_pretrained(folder / "seeing")
    tiny_model(backbone, "classification", segment_length=128).save_pretrained(folder / "classifier")
    tiny_book(folder / "book.txt", 5_000)
    return folder


def measure(folder, out, name="tiny", **fields):
    settings = {"samples": 4, "background": [str(folder / "book.txt")], "facts": (1, 20)} | fields
    return capacity.measure(folder / name, folder / out, **settings)


def test_a_row_for_each_number_of_facts_and_segments(folder):
    result = measure(folder, "results", segments=(8, 9))
    assert json.loads((folder / "results" / "capacity-book.json").read_text()) == result
    assert (result["task"], result["memory_tokens"]) == ("capacity", 4)
    assert [(row["segments"], row["facts"], row["samples"]) for row in result["rows"]] == [
        (8, 1, 4),
        (8, 20, 4),
        (9, 1, 4),
        (9, 20, 4),
    ]


def test_where_nothing_has_to_be_remembered_there_is_no_row(folder):
    """Text that sees the memory is read together with the question when there is one segment."""
    assert measure(folder, "beside", "seeing", segments=(1,), facts=(1,))["rows"] == []
    assert len(measure(folder, "apart", segments=(1,), facts=(1,))["rows"]) == 1


def test_all_facts_stand_before_the_question_s_segment(folder, monkeypatch):
    seen, answers = [], extrapolation.answers
    monkeypatch.setattr(extrapolation, "answers", lambda *given: seen.append(given[1]) or answers(*given))
    measure(folder, "before", facts=(20,), samples=8)
    (batch,) = seen
    assert len(batch.questions) == 8 and batch.has_fact.shape == (8, 8)
    assert (batch.has_fact.sum(1) >= 4).all(), "twenty facts are spread over the eight segments"
    assert batch.inputs["query_ids"].shape[1] < 40, "the question's segment holds nothing else"
    assert "unknown" not in {q.answer for q in batch.questions if q.kind != "unknown"}


def test_what_cannot_be_measured_is_refused(folder):
    with pytest.raises(ValueError, match="give a checkpoint with open answers"):
        measure(folder, "results", "classifier")
    with pytest.raises(ValueError, match="too few for 20 facts"):
        measure(folder, "results", segments=(1,), facts=(20,))
    with pytest.raises(ValueError, match="1 to 20 facts, not 21"):
        measure(folder, "results", facts=(21,))


def test_from_the_command_line(folder, capsys):
    given = [
        "--checkpoint",
        str(folder / "tiny"),
        "--out",
        str(folder / "cli"),
        "--background",
        str(folder / "book.txt"),
    ]
    assert main(["eval", "--tasks", "capacity", "--samples", "2", "--segments", "9", *given]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(capacity.FACTS)
    assert "9 segments, facts 1:" in lines[0] and "9 segments, facts 20:" in lines[-1]


# -- figures


def result(name: str, memory_tokens: int, accuracies: dict[int, float], segments: int = 8) -> dict:
    rows = [
        {"segments": segments, "facts": facts, "accuracy": a, "low": a - 2, "high": a + 1, "samples": 9}
        for facts, a in accuracies.items()
    ]
    return {"checkpoint": name, "memory_tokens": memory_tokens, "rows": rows}


def test_accuracy_by_facts():
    figure = plots.capacity([result("small", 4, {20: 10.0, 1: 90.0}), result("large", 32, {1: 95.0})])
    small, large = figure.data
    assert small.name == "small: 4 memory tokens, 8 segments" and large.name.startswith("large: 32")
    assert (small.x, small.y, small.error_y.array) == ((1, 20), (90.0, 10.0), (1.0, 1.0))
    assert figure.layout.xaxis.tickvals == (1, 20)


def test_accuracy_by_memory_tokens():
    results = [result("large", 32, {1: 95.0, 8: 70.0}), result("small", 4, {1: 90.0, 8: 40.0})]
    one, eight = plots.capacity_by_memory(results).data
    assert (one.name, one.x, one.y) == ("1 fact, 8 segments", (4, 32), (90.0, 95.0))
    assert (eight.name, eight.y) == ("8 facts, 8 segments", (40.0, 70.0))


def test_figures_refuse_what_holds_no_such_rows():
    with pytest.raises(ValueError, match="eval --tasks capacity"):
        plots.capacity([])
    with pytest.raises(ValueError, match="holds no accuracies by facts"):
        plots.capacity([{"checkpoint": "open", "rows": [{"segments": 1}]}])
    with pytest.raises(ValueError, match="two or more checkpoints, each with another number"):
        plots.capacity_by_memory([result("a", 4, {1: 90.0}), result("b", 4, {1: 80.0})])
