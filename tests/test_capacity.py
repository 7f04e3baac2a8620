"""How many facts a memory holds: all of them in earlier segments, one question, and the figures of that."""

import json

import pytest
from tiny import tiny_backbone, tiny_book, tiny_model, words_of

from rmt_demo import accuracies
from rmt_demo.cli import main
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.evaluation import capacity, extrapolation


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An untrained tiny checkpoint whose tokenizer knows the words of most stories, with a book beside it."""
    folder = tmp_path_factory.mktemp("capacity")
    stories = [StoryGenerator("eval", seed).story(20, 1) for seed in range(100)]
    backbone = tiny_backbone(folder / "backbone", words=words_of(stories))
    tiny_model(backbone, segment_length=128, text_attends_memory=False).save_pretrained(folder / "tiny")
    tiny_model(backbone, segment_length=128).save_pretrained(folder / "seeing")
    tiny_model(backbone, "classification", segment_length=128).save_pretrained(folder / "classifier")
    storing = {"text_attends_memory": False, "memory_update": "gated", "spread_memory": True, "num_stored_tokens": 64}
    tiny_model(backbone, segment_length=128, **storing).save_pretrained(folder / "storing")
    tiny_book(folder / "book.txt", 5_000)
    return folder


def measure(folder, out, name="tiny", **fields):
    settings = {"samples": 4, "background": [str(folder / "book.txt")], "facts": (1, 20)} | fields
    return capacity.measure(folder / name, capacity.load(folder / name), folder / out, **settings)


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


def test_the_same_weights_are_asked_with_fewer_stored_tokens(folder, monkeypatch):
    seen, read = [], extrapolation.read
    monkeypatch.setattr(extrapolation, "read", lambda *given: seen.append(read(*given)) or seen[-1])
    result = measure(folder, "stored", "storing", samples=2, facts=(2,))
    asked = [(row["memory_tokens"], row["facts"]) for row in result["rows"]]
    assert asked == [(4 + stored, facts) for stored in (0, 16) for facts in (1, 3, 8, 20)] + [(68, 2)]
    assert [reading.memory.shape[1] for reading in seen] == [tokens for tokens, _ in asked]
    assert json.loads((folder / "stored" / "capacity-book.json").read_text())["memory_tokens"] == 68


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
    assert "9 segments, facts 1, memory tokens 4:" in lines[0] and "9 segments, facts 20, " in lines[-1]


# -- figures


def result(found: dict[tuple[int, int], float]) -> dict:
    """Of (memory tokens, facts) -> accuracy."""
    rows = [
        {"memory_tokens": m, "segments": 8, "facts": facts, "accuracy": a, "low": a - 2, "high": a + 1, "samples": 9}
        for (m, facts), a in found.items()
    ]
    return {"checkpoint": "tiny", "rows": rows}


def test_accuracy_by_facts():
    figure = accuracies.capacity(result({(4, 20): 10.0, (4, 1): 90.0, (32, 1): 95.0}))
    large, small = figure.data
    assert (small.name, large.name) == ("4 memory tokens, 8 segments", "32 memory tokens, 8 segments")
    assert (small.x, small.y, small.error_y.array) == ((1, 20), (90.0, 10.0), (1.0, 1.0))
    assert figure.layout.xaxis.tickvals == (1, 20)


def test_accuracy_by_memory_tokens():
    measured = {(32, 1): 95.0, (32, 2): 88.0, (32, 8): 70.0, (4, 1): 90.0, (4, 8): 40.0}
    one, eight = accuracies.capacity_by_memory(result(measured)).data
    assert (one.name, one.x, one.y) == ("1 fact, 8 segments", (4, 32), (90.0, 95.0))
    assert (eight.name, eight.y) == ("8 facts, 8 segments", (40.0, 70.0))


def test_figures_refuse_what_holds_no_such_rows():
    with pytest.raises(ValueError, match="holds no accuracies by facts and memory_tokens"):
        accuracies.capacity({"checkpoint": "open", "rows": [{"segments": 1}]})
    with pytest.raises(ValueError, match="needs a checkpoint with stored tokens"):
        accuracies.capacity_by_memory(result({(4, 1): 90.0, (4, 8): 80.0}))
