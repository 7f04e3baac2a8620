"""Accuracy with its interval, on evaluation data only."""

import json
from pathlib import Path
from random import Random

import pytest
import torch
from tiny import tiny_backbone, tiny_book, tiny_model, words_of

from rmt_demo.answers import Answer
from rmt_demo.data.babi import QA
from rmt_demo.data.batches import BatchMaker
from rmt_demo.data.corpora import Background
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.data.samples import Mixture
from rmt_demo.data.tasks import PLACES
from rmt_demo.data.words import side
from rmt_demo.evaluation import extrapolation, stretches
from rmt_demo.evaluation.extrapolation import evaluate
from rmt_demo.evaluation.intervals import proportion, wilson
from rmt_demo.evaluation.results import Results, file_name
from rmt_demo.evaluation.stretches import read
from rmt_demo.questions import UNKNOWN, question_ids


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
    stories += [tell(Random(seed), "eval") for tell in QA.values() for seed in range(100)]
    backbone = tiny_backbone(folder / "backbone", words=words_of(stories))
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
        written = json.loads((checkpoint.parent / "results" / f"{task}-book.json").read_text())
        assert written == results[task], "a background of one's own is named in the file, or it would overwrite ours"
        assert (written["task"], written["seed"], written["checkpoint"]) == (task, 3, "tiny")
        assert (written["segment_length"], written["memory_tokens"], len(written["sha256"])) == (128, 4, 64)
        assert [row["segments"] for row in written["rows"]] == [1, 2]
        for row in written["rows"]:
            assert row["command"].startswith("python -m rmt_demo") and row["machine"] and row["peak_memory_mb"] > 10
            assert row["dtype"] in ("float32", "bfloat16")
            assert row["samples"] == 4 and 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 100
            assert sum(kind["samples"] for kind in row["by_kind"].values()) == 4
            assert 0 <= row["said_unknown"] <= 100
        one, two = (row["tokens"] for row in written["rows"])
        assert two - one > 60, "another segment is at least three quarters full"
        assert written["rows"][0]["high"] - written["rows"][0]["low"] > 40, "four samples say little"


def test_the_same_seed_measures_the_same(checkpoint):
    one, other = (measure(checkpoint, out, tasks=("detect",))["detect"]["rows"] for out in ("one", "two"))
    assert [outcome(row) for row in one] == [outcome(row) for row in other]


def outcome(row: dict) -> dict:
    return {name: row[name] for name in ("segments", "tokens", "accuracy", "said_unknown", "by_kind")}


def test_stream_goes_through_the_reader_and_fills_as_many_segments(checkpoint, monkeypatch):
    asked, tokens, ask = [], [], extrapolation.Reader.ask

    def look(reader, question):
        whole = len(reader.tail) + len(question_ids(reader.tokenizer, reader.config, question))
        asked.append((reader.state.segments_read + 1, whole <= reader.config.text_capacity))
        tokens.append(reader.state.tokens_read)
        return ask(reader, question)

    monkeypatch.setattr(extrapolation.Reader, "ask", look)
    results = measure(checkpoint, "stream", tasks=("stream",), samples=2, segments=(1, 2, 3))
    assert [row["samples"] for row in results["stream"]["rows"]] == [2, 2, 2]
    assert asked == [(n, True) for n in (1, 1, 2, 2, 3, 3)], "the question must fit into the last of the segments"
    mean = [round((one + other) / 2) for one, other in zip(tokens[::2], tokens[1::2], strict=True)]
    assert [row["tokens"] for row in results["stream"]["rows"]] == mean, "what was read, not what there was room for"


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
    assert (checkpoint.parent / "babi" / "qa1-logs.json").exists()


def test_a_story_longer_than_a_segment_is_refused(checkpoint, tmp_path):
    tiny_model(str(checkpoint.parent / "backbone"), segment_length=48).save_pretrained(tmp_path / "short")
    book = [str(checkpoint.parent / "book.txt")]
    with pytest.raises(ValueError, match="holds 41 text tokens, too few for .* take a model with longer segments"):
        evaluate(tmp_path / "short", tmp_path, 32, (1,), tasks=("qa5",), background=book)


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
    monkeypatch.setattr(extrapolation, "answers", lambda *given: asked.extend(given[1].questions) or count(*given))
    results = measure(classifier, "classified", samples=32, segments=(2,))
    assert tuple(results) == ("memorize", "detect", "reasoning")
    for number, result in enumerate(results.values()):
        gardens = sum(q.answer == "garden" for q in asked[32 * number : 32 * (number + 1)])
        assert 0 < gardens < 32 and result["rows"][0]["accuracy"] == round(100 * gardens / 32, 1)
        assert result["rows"][0]["said_unknown"] == 0
    with pytest.raises(ValueError, match="six places, so it cannot do 'stream': choose from memorize, detect"):
        measure(classifier, "classified", tasks=("memorize", "stream"))


@pytest.mark.parametrize(("said", "accuracy"), [("{}", 100.0), ("the {}", 0.0)])
def test_right_answers_are_counted_right_and_wrong_ones_wrong(checkpoint, monkeypatch, said, accuracy):
    """A model that is told the answers: through all of evaluate, all of its own are right (or a word too long)."""
    count = extrapolation.answers

    def told(model, batch, *rest):
        answers = [Answer.best_of({said.format(question.answer): 1.0}) for question in batch.questions]
        monkeypatch.setattr(extrapolation, "say", lambda *_: answers)
        return count(model, batch, *rest)

    monkeypatch.setattr(extrapolation, "answers", told)
    (row, _) = measure(checkpoint, f"told-{accuracy}", tasks=("memorize",), samples=20)["memorize"]["rows"]
    assert (row["accuracy"], row["samples"]) == (accuracy, 20)


def test_words_and_background_are_of_the_evaluation_side(checkpoint, monkeypatch):
    seen, count = [], extrapolation.answers
    monkeypatch.setattr(extrapolation, "answers", lambda *given: seen.append(given[1]) or count(*given))
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


# -- long haystacks, a stretch at a time


@pytest.fixture()
def maker(make_model, tokenizer):
    """Batches for 64-token segments; the background has many different sentences."""
    rng = Random(0)
    lines = [" ".join(rng.choices("river lamp north king train garden red the of".split(), k=6)) for _ in range(3000)]
    return BatchMaker(make_model(segment_length=64).config, tokenizer, Background("lines", "eval", lines), "eval")


def haystacks(maker, steps: int, samples: int = 3):
    mixture = Mixture(samples, (steps, steps), tail_rate=0.0, task_rate=1.0, questions=1, tasks=("detect",))
    return maker.batch(mixture, "seed")


@pytest.mark.parametrize("text_attends_memory", [False, True])
def test_reading_in_stretches_is_one_long_recurrence(make_model, maker, monkeypatch, text_attends_memory):
    """The segments that the model was given, put through the cell one by one."""
    monkeypatch.setattr(stretches, "STRETCH", 4)
    model = make_model(segment_length=64, memory_update="gated", text_attends_memory=text_attends_memory)
    given, whole = [], model.base_model.read
    monkeypatch.setattr(model.base_model, "read", lambda *a, **k: given.append(a) or whole(*a, **k))
    batch = haystacks(maker, 10)
    reading = read(model, maker, batch, "seed")
    assert [len(order[0]) for *_, order in given] == [4, 4, 2]
    for sample in range(3):
        memory = model.base_model.initial_memory(1)
        gates, texts = [], []
        for ids, mask, order in given:
            for row in order[sample]:
                text = ids[row][mask[row]]
                new = model.base_model.cell(text[None], memory, text_sees_memory=text_attends_memory)[1]
                memory, gate = model.base_model.write(memory, new)
                gates.append(gate[0])
                texts.append(tuple(text.tolist()))
        torch.testing.assert_close(reading.memory[sample], memory[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(reading.gates[sample], torch.stack(gates), atol=1e-5, rtol=0)
        assert len(set(texts)) == 10, "no background segment is read twice"
        own = batch.inputs["order"][sample][batch.has_fact[sample]]
        fact = batch.inputs["input_ids"][own][batch.inputs["attention_mask"][own]]
        place = batch.has_fact[sample].nonzero().item()
        assert texts[place] == tuple(fact.tolist()), "the segment with the fact is read when the batch says so"


def test_stretches_need_no_more_room_for_a_longer_text(make_model, maker, monkeypatch):
    monkeypatch.setattr(stretches, "STRETCH", 8)
    rows, model = [], make_model(segment_length=64, text_attends_memory=False)
    whole = model.base_model.read
    monkeypatch.setattr(model.base_model, "read", lambda *a, **k: rows.append(len(a[0])) or whole(*a, **k))
    reading = read(model, maker, haystacks(maker, 80), "seed")
    assert len(rows) == 10 and max(rows) <= 8 + 3, "8 background segments and 3 facts at most"
    assert 60 < reading.background <= 80, "each stretch has a new background"
    assert reading.gates.shape == (3, 80, 4) and 80 * 40 < reading.tokens < 80 * 57


def test_a_question_alone_reads_nothing_before(make_model, maker):
    model = make_model(segment_length=64, memory_update="gated")
    batch = maker.batch(Mixture(3, (0, 0), tail_rate=1.0, task_rate=1.0, questions=1, background=1), "seed")
    reading = read(model, maker, batch, "seed")
    assert torch.equal(reading.memory, model.base_model.initial_memory(3))
    assert (reading.gates.shape, reading.tokens, reading.background) == ((3, 0, 4), 0, 0)


def test_questions_are_asked_of_the_memory_that_was_read(make_model, maker, monkeypatch):
    """Each of its own haystack's, and what is said is held against its own answer."""
    given = {}

    def say(model, tokenizer, ids, mask, memory):
        given.update(ids=ids, mask=mask, memory=memory)
        texts = [batch.questions[0].answer.upper(), UNKNOWN, "a bicycle"]
        return [Answer.best_of({text: 1.0}) for text in texts]

    monkeypatch.setattr(extrapolation, "say", say)
    model, batch = make_model(segment_length=64, text_attends_memory=False), haystacks(maker, 3)
    batch.inputs["query_of"] = torch.tensor([2, 0, 1])
    reading = read(model, maker, batch, "seed")
    outcomes = extrapolation.answers(model, batch, reading, maker.tokenizer)
    kinds = [question.kind for question in batch.questions]
    assert outcomes == [(kinds[0], True, False), (kinds[1], False, True), (kinds[2], False, False)]
    assert torch.equal(given["ids"], batch.inputs["query_ids"]) and torch.equal(
        given["mask"], batch.inputs["query_mask"]
    )
    assert torch.equal(given["memory"], reading.memory[[2, 0, 1]])


# -- files of results


def row(segments: int, **more) -> dict:
    return {"segments": segments, "accuracy": 50.0, "command": f"eval --segments {segments}", **more}


def test_rows_of_the_same_measurement_come_together(tmp_path, capsys):
    file, common = tmp_path / "deep" / "open.json", {"task": "open", "sha256": "a", "seed": 0}
    kept = Results(file, common)
    for measured in (row(64), row(1), row(64, accuracy=75.0)):
        kept.add(measured)
    assert json.loads(file.read_text()) == kept.whole == common | {"rows": [row(1), row(64, accuracy=75.0)]}
    for other in ({"sha256": "b"}, {"seed": 1}):
        copy = tmp_path / f"{other}.json"
        copy.write_text(file.read_text())
        others = Results(copy, common | other)
        others.add(row(2))
        assert others.rows == [row(2)], "rows of other weights are no match"
        assert f"{copy}.old-1" in capsys.readouterr().err
        Results(copy, common).add(row(4))
        assert Path(f"{copy}.old-1").read_text() == file.read_text(), "what took hours to measure is lost"
        assert json.loads(Path(f"{copy}.old-2").read_text())["rows"] == [row(2)], "what is set aside later is lost"


def test_rows_are_told_apart_by_their_keys(tmp_path):
    file, common = tmp_path / "capacity.json", {"task": "capacity"}
    Results(file, common).add(row(8))  # without the number of facts, as if from another version
    kept = Results(file, common, keys=("segments", "facts"))
    for facts in (8, 1, 8):
        kept.add(row(8, facts=facts))
    assert [r["facts"] for r in kept.rows] == [1, 8]


@pytest.mark.parametrize("text", ['{"task": "op', '["task", "open"]', '{"task": "open"}'])
def test_a_file_that_holds_no_result_is_begun_anew(tmp_path, text):
    (tmp_path / "open.json").write_text(text)
    kept = Results(tmp_path / "open.json", {"task": "open"})
    kept.add(row(1))
    assert kept.rows == [row(1)]


def test_strange_text_is_measured_one_kind_at_a_time(checkpoint):
    with pytest.raises(ValueError, match="'logs' cannot be combined with others: give it alone"):
        measure(checkpoint, "mixed", background=("kjv", "logs"))


def test_files_are_named_after_other_backgrounds():
    assert file_name("open", ["kjv", "pydoc"]) == "open.json"
    assert file_name("open", ["logs"]) == "open-logs.json"
    assert file_name("writes", ["texts/book.txt", "kjv"]) == "writes-book-kjv.json"


def test_a_killed_measurement_keeps_its_rows_and_is_gone_on_with(checkpoint, monkeypatch):
    """Killed in its second row; the same command again measures the missing one alone."""
    count, ask = [], extrapolation.ask

    def killed(*given):
        count.append(given)
        if len(count) == 2:
            raise KeyboardInterrupt
        return ask(*given)

    monkeypatch.setattr(extrapolation, "ask", killed)
    with pytest.raises(KeyboardInterrupt):
        measure(checkpoint, "killed", tasks=("open",))
    file = checkpoint.parent / "killed" / "open-book.json"
    assert [r["segments"] for r in json.loads(file.read_text())["rows"]] == [1]
    count[:] = [None] * 2
    found = measure(checkpoint, "killed", tasks=("open",))["open"]
    assert [r["segments"] for r in found["rows"]] == [1, 2] and len(count) == 3, "the first row was measured again"
    whole = measure(checkpoint, "whole", tasks=("open",))["open"]
    assert [outcome(r) for r in found["rows"]] == [outcome(r) for r in whole["rows"]]


def test_a_larger_sample_is_not_replaced_by_a_smaller_one(checkpoint, capsys):
    def once(samples):
        [measured] = measure(checkpoint, "samples", tasks=("detect",), samples=samples, segments=(1,))["detect"]["rows"]
        return measured["samples"], "samples: remove the file to measure again" in capsys.readouterr().err

    assert [once(4), once(3), once(4), once(5)] == [(4, False), (4, True), (4, True), (5, False)]
