"""What the README shows of `results/`: `python -m rmt_demo.evaluation.report` writes it there."""

from pathlib import Path

from . import goals
from .tables import tables

BEGIN, END = "<!-- results: python -m rmt_demo.evaluation.report -->\n", "<!-- end of results -->"
SUMMARY = "<summary>All accuracies, task by task and length by length</summary>"


def shown(results: Path) -> str:
    """The goals, and all other tables folded up."""
    return f"{goals.table(results)}\n<details>\n{SUMMARY}\n\n{tables(results)}\n</details>\n"


def update(readme: Path, results: Path) -> None:
    """Put what there is of results between their two marks in `readme`."""
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + shown(results) + END + after)


if __name__ == "__main__":
    update(Path("README.md"), Path("results"))
