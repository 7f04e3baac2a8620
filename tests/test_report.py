"""The README's tables say what results/ says, and nothing else."""

import json
from pathlib import Path

import pytest

from rmt_demo.evaluation.report import BEGIN, END, main, shown, update
from rmt_demo.evaluation.tables import SPECIALIST, TELLER, tables

ROOT = Path(__file__).parents[1]


def write(folder: Path, task: str, accuracy: float, segments=(1, 64)) -> None:
    interval = {"accuracy": accuracy, "low": accuracy - 1, "high": accuracy + 1, "samples": 9}
    read = {"tokens": 1234, "peak_memory_mb": 987.6, "false_unknown": {**interval, "accuracy": 2.5}}
    rows = [{"segments": n, **interval, **read} for n in segments]
    (folder / f"{task}.json").write_text(json.dumps({"task": task, "checkpoint": "rmt-any", "rows": rows}))


def test_table_has_a_line_for_each_result_and_a_column_for_each_length(tmp_path):
    write(tmp_path, "open", 91.5)
    write(tmp_path, "detect", 99.0)
    lines = tables(tmp_path).splitlines()
    assert lines[0] == "| rmt-minilm, % | 1 segment | 64 segments |"
    assert [line.split(" | ")[1] for line in lines[2:]] == ["99.0 (98.0–100.0)", "91.5 (90.5–92.5)", "2.5 (90.5–92.5)"]


def test_many_lengths_are_thinned_to_what_a_page_holds(tmp_path):
    write(tmp_path, "open", 91.5, segments=range(1, 100))
    write(tmp_path, "detect", 99.0, segments=(8, 4096))
    head, _, detect, *_ = tables(tmp_path).splitlines()
    assert head == "| rmt-minilm, % | 1 segment | 2 segments | 4 segments | 8 segments | 64 segments |"
    assert detect == "| detect & memorize |  |  |  | 99.0 (98.0–100.0) |  |"


def test_far_beyond_says_how_much_was_read_in_how_much_memory(tmp_path):
    write(tmp_path, "memorize", 100.0, segments=(8,))
    write(tmp_path, "detect", 99.0, segments=(8, 4096))
    far = tables(tmp_path).split("\n\n")[1].splitlines()
    assert far[0] == "| rmt-minilm, long texts, % | 4,096 segments |"
    assert far[2:] == [
        "| detect & memorize | 99.0 (98.0–100.0) |",
        "| tokens of text | 1,234 |",
        "| haystacks | 9 |",
        "| peak memory, MB | 988 |",
    ]


def test_babi_and_strange_backgrounds_have_tables_of_their_own(tmp_path):
    for task in ("open", "qa1", "qa5", "open-logs"):
        write(tmp_path, task, 91.5)
    main, babi, strange = tables(tmp_path).split("\n\n")
    assert main.startswith("| rmt-minilm, % |") and "open facts, 1 to 3 of" in main
    assert babi.startswith("| rmt-minilm, bAbI's tasks, % |") and "qa1" in babi and "qa5" in babi and "qa2" not in babi
    assert strange.startswith("| rmt-minilm, strange backgrounds, % |") and "open facts in logs" in strange


def test_the_checkpoint_for_babi_has_a_table_that_says_how_much_was_read(tmp_path):
    write(tmp_path, "qa2", 40.0, segments=(1, 700))
    (tmp_path / TELLER).mkdir()
    write(tmp_path / TELLER, "qa2", 70.0, segments=(8, 700))
    babi, own = tables(tmp_path).split("\n\n")
    assert "40.0" in babi and "70.0" not in babi and "tokens of text" not in babi
    assert own.startswith(f"| {TELLER}, bAbI's tasks, % | 8 segments | 700 segments |")
    assert "| qa2, two supporting facts | 70.0 (69.0–71.0) | 70.0 (69.0–71.0) |" in own
    assert "| tokens of text | 1,234 | 1,234 |" in own


def test_the_checkpoint_for_the_paper_s_tasks_stands_beside_the_paper(tmp_path):
    own = tmp_path / SPECIALIST
    own.mkdir()
    for task in ("detect", "detect-logs"):
        write(own, task, 99.0, segments=(64, 4096))
    lines, strange = (part.splitlines() for part in tables(tmp_path).split("\n\n"))
    assert lines[0] == f"| {SPECIALIST}, % | 64 segments | 4,096 segments |"
    assert lines[2] == "| detect & memorize | 99.0 (98.0–100.0) | 99.0 (98.0–100.0) |"
    assert "| detect & memorize (the paper's figure) | about 99 | about 96 |" in lines
    assert strange[2] == "| detect & memorize in logs | 99.0 (98.0–100.0) |"


def test_stages_of_a_curriculum_stand_beside_the_paper_s_last(tmp_path):
    rows = [
        {"task": "reasoning", "trained_on": trained, "segments": n, "accuracy": 90.0, "low": 80.0, "high": 95.0}
        for trained in (1, 7)
        for n in (1, 3, 15)
    ]
    (tmp_path / "figure5.json").write_text(json.dumps({"rows": rows}))
    head, _, first, last, paper = tables(tmp_path).splitlines()
    assert head == "| the paper's model trained here, % | 1 segment | 15 segments |"
    assert first == "| reasoning, trained on 1 | 90.0 (80.0–95.0) | 90.0 (80.0–95.0) |"
    assert last.startswith("| reasoning, trained on 1 to 7 |")
    assert paper == "| reasoning, the paper's figure, trained on 1 to 7 | about 52 | about 91 |"


def test_without_results_there_is_no_table(tmp_path):
    assert tables(tmp_path) == ""


def test_update_replaces_what_stands_between_the_marks(tmp_path):
    write(tmp_path, "open", 91.5)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}old\n{END}\nafter\n")
    update(readme, tmp_path)
    assert readme.read_text() == f"before\n{BEGIN}{shown(tmp_path)}{END}\nafter\n"
    assert tables(tmp_path) in shown(tmp_path)


def test_a_readme_without_marks_or_none_at_all_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main() == 2 and "no README.md here: run this in the folder" in capsys.readouterr().err
    for text in ("no marks", f"one mark\n{BEGIN}"):
        (tmp_path / "README.md").write_text(text)
        assert main() == 2
        said = capsys.readouterr().err
        assert "README.md lacks the marks" in said and said.count("\n") == 1
        assert (tmp_path / "README.md").read_text() == text


def test_readme_shows_the_results_that_are_committed():
    readme = (ROOT / "README.md").read_text()
    if not (ROOT / "results").exists():
        pytest.skip("no results yet")
    there = readme.split(BEGIN)[1].split(END)[0]
    assert there == shown(ROOT / "results"), "run `python -m rmt_demo.evaluation.report` after new results"
