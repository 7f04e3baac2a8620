"""The README's table says what results/ says, and nothing else."""

import json
from pathlib import Path

import pytest

from rmt_demo.evaluation.report import BEGIN, END, table, update

ROOT = Path(__file__).parents[1]


def write(folder: Path, task: str, accuracy: float) -> None:
    interval = {"accuracy": accuracy, "low": accuracy - 1, "high": accuracy + 1, "samples": 9}
    rows = [{"segments": n, **interval, "false_unknown": {**interval, "accuracy": 2.5}} for n in (1, 64)]
    (folder / f"{task}.json").write_text(json.dumps({"task": task, "rows": rows}))


def test_table_has_a_line_for_each_result_and_a_column_for_each_length(tmp_path):
    write(tmp_path, "open", 91.5)
    write(tmp_path, "detect", 99.0)
    lines = table(tmp_path).splitlines()
    assert lines[0] == "| % | 1 segment | 64 segments |"
    assert [line.split(" | ")[1] for line in lines[2:]] == ["99.0 (98.0–100.0)", "91.5 (90.5–92.5)", "2.5 (90.5–92.5)"]


def test_update_replaces_what_stands_between_the_marks(tmp_path):
    write(tmp_path, "open", 91.5)
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}old\n{END}\nafter\n")
    update(readme, tmp_path)
    assert readme.read_text() == f"before\n{BEGIN}{table(tmp_path)}{END}\nafter\n"


def test_readme_shows_the_results_that_are_committed():
    readme = (ROOT / "README.md").read_text()
    if not (ROOT / "results").exists():
        pytest.skip("no results yet")
    shown = readme.split(BEGIN)[1].split(END)[0]
    assert shown == table(ROOT / "results"), "run `python -m rmt_demo.evaluation.report` after new results"
