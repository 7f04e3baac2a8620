"""In-process runs of the command line: what it prints, and one clear line for every kind of bad input."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tiny import tiny_backbone, tiny_text

from rmt_demo import Answer, Reader, Trace
from rmt_demo.cli import main, parse_fact, print_answers
from rmt_demo.data.corpora import CORPORA
from rmt_demo.data.files import file_text, with_facts
from rmt_demo.data.haystack import Fact
from rmt_demo.training.recipes import RECIPES

QUESTION = "Where is Mary?"
FACT = "Mary went to the kitchen."


@pytest.fixture(scope="module")
def checkpoint(make_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    make_model(memory_update="gated", text_attends_memory=False, cut_at_sentences=True).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text(tiny_text(400), encoding="utf-8")
    return str(path)


def run(capsys, *argv):
    """(exit code, stdout, stderr) of a command."""
    capsys.readouterr()
    code = main([str(arg) for arg in argv])
    return code, *capsys.readouterr()


def ask(capsys, checkpoint, *argv, question=QUESTION):
    return run(capsys, "ask", "--device", "cpu", "--checkpoint", checkpoint, "--question", question, *argv)


def test_answers_in_words_and_in_json(capsys, checkpoint, book):
    code, out, _ = ask(capsys, checkpoint, "--haystack", book)
    assert code == 0 and out.startswith(f"Q: {QUESTION}\nA: ") and out.endswith("% sure)\n")
    argv = ["--haystack", book, "--json", "--question", "Where is John?", "--fact", f"{FACT}@0.4"]
    code, out, _ = ask(capsys, checkpoint, *argv)
    said = json.loads(out)
    assert code == 0
    assert [a["question"] for a in said["answers"]] == [QUESTION, "Where is John?"]
    assert {"answer", "score", "candidates"} <= said["answers"][0].keys()
    assert said["tokens"] > 300 and said["segments"] > 10 and said["tokens_per_second"] > 0

    reader = Reader.from_pretrained(checkpoint, device="cpu")
    with open(book, "rb") as file:
        data = file.read()
    for _ in reader.read(with_facts([(len(data), data.decode())], [Fact(FACT, 0.4)], len(data))):
        pass
    assert said["answers"][0]["answer"] == reader.ask(QUESTION).text, "the CLI and the Reader disagree"


def test_corpus_length_and_seed(capsys, checkpoint):
    def read(*argv):
        return json.loads(ask(capsys, checkpoint, "--corpus", "pydoc", "--length", "600", "--json", *argv)[1])

    one = read("--seed", "1", "--fact", f"{FACT}@0.5")
    assert 500 < one["tokens"] <= 600
    assert read("--seed", "1", "--fact", f"{FACT}@0.5")["answers"] == one["answers"]
    assert read("--seed", "2", "--fact", f"{FACT}@0.5")["answers"] != one["answers"], "the seed changes nothing"


def test_a_fact_without_a_full_stop_gets_one():
    assert parse_fact("Mary went to the kitchen @0.5") == Fact(FACT, 0.5)


def test_standard_input_and_trace(capsys, checkpoint, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(tiny_text(300).encode())))
    argv = ["--haystack", "-", "--fact", f"{FACT}@0", "--fact", f"{FACT}@1", "--trace", tmp_path / "trace"]
    assert ask(capsys, checkpoint, *argv)[0] == 0
    trace = Trace.load(tmp_path / "trace")
    assert len(trace) > 5 and len(trace.beliefs[QUESTION]) == len(trace)


def test_replay(capsys, checkpoint, book, tmp_path):
    """A saved run says what it holds, and answers at its end as the run itself did."""
    saved = tmp_path / "run"
    asked = json.loads(ask(capsys, checkpoint, "--haystack", book, "--trace", saved, "--json")[1])
    trace = Trace.load(saved)
    assert trace.tail, "the unfinished segment is not in the trace"

    def replay(*argv):
        return json.loads(run(capsys, "replay", "--trace", saved, "--checkpoint", checkpoint, "--json", *argv)[1])

    held = replay()
    assert (held["segments"], held["tokens"]) == (asked["segments"], asked["tokens"])
    assert held["beliefs"] == trace.beliefs and "answers" not in held
    end, start = replay("--question", QUESTION), replay("--question", QUESTION, "--segment", 0)
    [said], [before] = end["answers"], start["answers"]
    assert (said["question"], said["answer"]) == (QUESTION, asked["answers"][0]["answer"])
    assert said["score"] == pytest.approx(asked["answers"][0]["score"], rel=0.02), "the end is not where reading ended"
    assert (end["segment"], start["segment"]) == (len(trace), 0) and before["candidates"] != said["candidates"]

    zipped = shutil.make_archive(tmp_path / "run", "zip", saved)
    argv = ["replay", "--trace", zipped, "--checkpoint", checkpoint, "--question", QUESTION, "--segment", len(trace)]
    code, out, _ = run(capsys, *argv)
    assert code == 0 and out.startswith(f"{len(trace)} segments, {asked['tokens']} tokens")
    assert f"Answers to '{QUESTION}' while reading:\n  from segment 1: " in out
    assert f"After {len(trace)} segments:\nQ: {QUESTION}\nA: " in out
    assert_one_line(*run(capsys, *argv[:-1], 999), f"choose 0 to {len(trace)}, not 999")


def test_a_reading_is_gone_on_with_by_its_own_checkpoint_alone(capsys, checkpoint, make_model, book, tmp_path):
    ask(capsys, checkpoint, "--haystack", book, "--trace", tmp_path / "run")
    make_model(seed=1, memory_update="gated", text_attends_memory=False).save_pretrained(tmp_path / "other")
    argv = ["replay", "--trace", tmp_path / "run", "--question", QUESTION, "--checkpoint", tmp_path / "other"]
    assert_one_line(*run(capsys, *argv), "read by another model")


def test_a_closed_standard_input_is_one_line(capsys, checkpoint, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert_one_line(*ask(capsys, checkpoint, "--haystack", "-"), "Standard input is closed: pipe a text")


def test_ask_names_the_corpora_that_there_are(capsys):
    with pytest.raises(SystemExit):
        main(["ask", "--help"])
    assert ", ".join(CORPORA) in " ".join(capsys.readouterr().out.split())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_read_like_a_file(capsys, checkpoint, tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    writer = threading.Thread(target=pipe.write_text, args=(tiny_text(200),))
    writer.start()
    code, out, _ = ask(capsys, checkpoint, "--haystack", pipe)
    writer.join()
    assert code == 0 and out.startswith(f"Q: {QUESTION}")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("position", [0, 0.5, 1])
def test_facts_in_a_pipe_are_where_they_were_asked_for_or_nowhere(tmp_path, position):
    """A pipe says that it has 0 bytes, of which half is 0: the beginning."""
    os.mkfifo(pipe := tmp_path / "pipe")
    writer = threading.Thread(target=pipe.write_text, args=("One is here. Two is here.",))
    writer.start()
    try:
        found = "".join(file_text(str(pipe), [Fact("FACT.", position)])).split().index("FACT.")
    except ValueError as error:
        assert position == 0.5 and "pipe is not known in advance: put facts at 0 (start) or 1 (end)" in str(error)
    else:
        assert found == {0: 0, 1: 6}[position]
    writer.join()


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_facts_go_after_a_sentence_at_their_share_of_the_file(size):
    text = "One is here. Two is é here!\nThree is 3.5 here. Four is here. Five"
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    facts = [Fact("LAST.", 1), Fact("FIRST.", 0), Fact("MIDDLE.", 0.3)]
    total = len(text.encode())
    joined = "".join(with_facts([(len(c.encode()), c) for c in chunks], facts, total))
    assert joined.split() == f"FIRST. {text} LAST.".replace("!", "! MIDDLE.", 1).split() or size == 1
    words = [w for w in joined.split() if w.strip(".") not in ("FIRST", "MIDDLE", "LAST")]
    assert words == text.split(), "inserting facts changed the text"
    assert [w for w in joined.split() if w.isupper()] == ["FIRST.", "MIDDLE.", "LAST."]


def content(data):
    """Argument maker: read a file with this content."""

    def write(folder):
        (folder / "input.txt").write_bytes(data)
        return ["--haystack", folder / "input.txt"]

    return write


def fact(text):
    return lambda folder: ["--corpus", "pydoc", "--length", "300", "--fact", text]


def options(*argv):
    return lambda folder: list(argv)


BAD_INPUT = {
    "missing file": (options("--haystack", "no/such/file"), "no file no/such/file"),
    "a folder": (lambda folder: ["--haystack", folder], "no file"),
    "empty": (content(b""), "is empty"),
    "only spaces": (content(b" \n\t \n"), "is empty"),
    "NUL bytes": (content(b"text \0\0\1\2 " * 100), "binary"),
    "control bytes": (content(b"\x01\x02\x03\x04 text " * 100), "binary"),
    "not UTF-8": (content("Größe ".encode("latin-1") * 100), "not UTF-8"),
    "cut in a character": (content("Größe ü".encode()[:-1]), "not UTF-8"),
    "no spaces": (content(b"x" * 3_000_000), "without a space"),
    "no source": (options(), "required"),
    "two sources": (options("--haystack", "a", "--corpus", "b"), "not allowed with"),
    "unknown corpus": (options("--corpus", "korv"), "no text 'korv'"),
    "length zero": (options("--corpus", "kjv", "--length", "0"), "whole number"),
    "length too short": (options("--corpus", "kjv", "--length", "1"), "Not one sentence fits"),
    "length of a file": (options("--haystack", "a", "--length", "5"), "--corpus"),
    "fact too long": (fact("the key is red and " * 20 + "@0.5"), "fit into a segment"),
    "position above 1": (fact(FACT + "@1.5"), "0 (beginning) to 1 (end)"),
    "position not a number": (fact(FACT + "@nan"), "0 (beginning) to 1 (end)"),
    "no position": (fact(FACT), "no position"),
    "empty fact": (fact("@0.5"), "needs some text"),
    "position in standard input": (options("--haystack", "-", "--fact", FACT + "@0.5"), "standard input"),
    "empty question": (options("--corpus", "pydoc", "--length", "99", "--question", " "), "question is empty"),
    "long question": (options("--corpus", "pydoc", "--question", "is it red " * 20), "shorter"),
    "missing checkpoint": (options("--corpus", "pydoc", "--checkpoint", "no/such/folder"), "no checkpoint"),
    "unknown device": (options("--corpus", "pydoc", "--device", "abacus"), "abacus"),
    "trace into a file": (
        lambda folder: [*content(b"x")(folder), "--trace", folder / "input.txt"],
        "nothing can be written",
    ),
    "unknown option": (options("--corpus", "pydoc", "--frobnicate"), "--frobnicate"),
}


def assert_one_line(code, out, err, words):
    assert code == 2, f"exit code {code}, stderr: {err}"
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err, f"not exactly one line: {err!r}"
    assert words in err, f"{words!r} is not in {err!r}"


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line(capsys, checkpoint, tmp_path, case):
    argv, words = BAD_INPUT[case]
    assert_one_line(*ask(capsys, checkpoint, *argv(tmp_path)), words)


def test_a_full_disk_is_one_line(capsys, checkpoint, book, tmp_path, monkeypatch):
    def full(*args):
        raise SafetensorError("Error while serializing: I/O error: No space left on device")

    monkeypatch.setattr("rmt_demo.trace.save_file", full)
    code, _, err = ask(capsys, checkpoint, "--haystack", book, "--trace", tmp_path / "trace")
    assert code == 2 and "No space left on device" in err and "Traceback" not in err


def test_no_question(capsys, checkpoint):
    assert_one_line(*run(capsys, "ask", "--corpus", "pydoc", "--checkpoint", checkpoint), "--question")


def test_bad_checkpoints(capsys, make_model, tmp_path):
    make_model().save_pretrained(tmp_path / "nan")
    weights = load_file(tmp_path / "nan" / "model.safetensors")
    weights["rmt.memory"][0, 0] = torch.inf
    save_file(weights, tmp_path / "nan" / "model.safetensors", metadata={"format": "pt"})
    assert_one_line(*ask(capsys, tmp_path / "nan", "--corpus", "pydoc"), "NaN or infinite")

    make_model(freeze_embeddings=True).save_pretrained(tmp_path / "other")
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    config["backbone"] = tiny_backbone(tmp_path / "wide", width=48)
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    assert_one_line(*ask(capsys, tmp_path / "other", "--corpus", "pydoc"), "do not fit")


@pytest.mark.parametrize(
    "argv, words",
    [
        ([], "ask|replay|"),
        (["sing"], "sing"),
        (["replay"], "--trace"),
        (["replay", "--trace", "no/such/folder"], "no/such/folder holds no trace"),
        (["replay", "--trace", "x", "--segment", "3"], "give a --question too"),
        (["replay", "--trace", "x", "--question", "Who?", "--segment", "-1"], "whole number from 0"),
        (["train"], "--out"),
        (["train", "--recipe", "pie", "--out", "x"], "no recipe 'pie'"),
        (["train", "--recipe", "steady", "--out", "x"], "starts from a checkpoint: name one with --init"),
        (["train", "--out", f"{__file__}/runs"], "nothing can be written to"),
        (["gates", "--init", "x", "--out", __file__], "nothing can be written to"),
        (["eval", "--out", __file__], "nothing can be written to"),
        (["figure", "3", "--out", __file__], "nothing can be written to"),
        (["eval", "--samples", "-3"], "--samples"),
        (["train", "--out", "x", "--seed", str(2**64)], "whole number of up to 18 digits"),
        (["eval", "--seed", "one"], "whole number of up to 18 digits"),
        (["eval", "--checkpoint", "no/such/folder", "--tasks", "open"], "no checkpoint"),
        (["eval", "--tasks", "stream", "--segments", "8", "128"], "stream reads texts of up to 64 segments, not 128"),
        (["eval", "--figure5", "paper", "--checkpoint", "x"], "leave --checkpoint out"),
        (["cost", "--tokens", "0"], "--tokens"),
        (["cost", "--tokens", "9" * 400], "from 1 to"),
        (["cost", "--model", "opt-9t"], "no model 'opt-9t'"),
        (["cost", "--model", ""], "no model ''"),
    ],
)
def test_bad_commands_are_one_line(capsys, argv, words):
    assert_one_line(*run(capsys, *argv), words)


def test_train_and_eval_hand_their_options_on(capsys, monkeypatch):
    from rmt_demo.evaluation import extrapolation, writes
    from rmt_demo.training import train as training

    calls = []
    monkeypatch.setattr(training, "train", lambda *args: calls.append(args))
    assert run(capsys, "train", "--out", "x", "--seed", "3", "--background", "kjv")[0] == 0
    assert calls[0][1:] == ("x", "all-MiniLM-L6-v2", 3, ["kjv"], None)
    assert run(capsys, "train", "--out", "x", "--init", "y")[0] == 0 and calls[1][-1] == "y"

    monkeypatch.setattr(extrapolation, "evaluate", lambda *args, **kwargs: {"args": args, "kwargs": kwargs})
    code, out, _ = run(capsys, "eval", "--checkpoint", "c", "--segments", "1", "2", "--samples", "5", "--json")
    assert code == 0
    handed = {"samples": 5, "segments": [1, 2], "tasks": None}
    assert json.loads(out) == {"args": ["c", "runs/results"], "kwargs": handed}, "results/ holds what is published"

    monkeypatch.setattr(extrapolation, "evaluate", lambda *args, tasks, **kwargs: {task: {} for task in tasks})
    monkeypatch.setattr(writes, "load", lambda checkpoint: None)
    share = {"accuracy": 50.0, "low": 40.0, "high": 60.0}
    monkeypatch.setattr(
        writes, "measure", lambda *args, **kwargs: {"rows": [{"segments": 8, "precision": share, "recall": None}]}
    )
    assert json.loads(run(capsys, "eval", "--tasks", "open", "writes", "--json")[1]).keys() == {"open", "writes"}
    said = run(capsys, "eval", "--tasks", "writes")[1]
    assert "8 segments:  50.0% precision (40.0 to 60.0)" in said and "recall" not in said


def test_all_tasks_are_checked_before_any_is_measured(capsys, make_model, monkeypatch, tmp_path):
    from rmt_demo.evaluation import extrapolation

    monkeypatch.setattr(extrapolation, "evaluate", lambda *_, **__: pytest.fail("measured what ends in a refusal"))
    make_model("masked_lm").save_pretrained(tmp_path)
    argv = ["eval", "--checkpoint", tmp_path, "--tasks", "detect"]
    assert_one_line(*run(capsys, *argv, "writes"), "has no write gate")
    assert_one_line(*run(capsys, *argv, "nope"), "no task 'nope': choose from memorize, detect")
    assert "capacity, writes." in run(capsys, *argv, "nope")[2]


def test_train_says_which_recipes_there_are_and_which_go_on(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert all(name in shown for name in RECIPES)
    assert re.search(r"checkpoint to start from; required for more, wider, .* retold", shown)


def test_cost_counts_what_the_paper_does(capsys):
    code, out, _ = run(capsys, "cost", "--model", "OPT-175B", "--json")
    said = json.loads(out)
    assert code == 0 and said["tokens"] == 4096 * said["segment"] == 2_097_152
    [row] = said["rows"]
    assert row["model"] == "opt-175b" and round(row["ratio"]) == 29
    assert row["full_attention_flops"] / row["rmt_flops"] == pytest.approx(row["ratio"])

    code, out, _ = run(capsys, "cost", "--tokens", "512")
    title, heads, *lines = out.splitlines()
    assert code == 0 and "512 tokens" in title and len(lines) == 9
    assert all(line.split()[0].startswith("opt-") and line.split()[-1] == "1.0" for line in lines)


def test_as_a_program():
    shown = subprocess.run([sys.executable, "-m", "rmt_demo", "--help"], capture_output=True, text=True)
    assert shown.returncode == 0 and "ask" in shown.stdout


def test_what_an_answer_goes_by_is_printed_with_it(capsys):
    print_answers(["Where is it?", "Who?"], [Answer("attic", 0.9, [], "mary took"), Answer("mary", 0.5, [])])
    assert capsys.readouterr().out.splitlines() == [
        "Q: Where is it?",
        "A: attic   (90% sure, thought: mary took)",
        "Q: Who?",
        "A: mary   (50% sure)",
    ]
