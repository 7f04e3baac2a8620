"""What the README shows of `results/`: `python -m rmt_demo.evaluation.report` writes it there."""

import sys
from pathlib import Path

from . import goals
from .tables import tables

BEGIN, END = "<!-- results: python -m rmt_demo.evaluation.report -->\n", "<!-- end of results -->"
SUMMARY = "<summary>All accuracies, task by task and length by length</summary>"


def shown(results: Path) -> str:
    """The goals, and all other tables folded up."""
    return f"{goals.table(results)}\n<details>\n{SUMMARY}\n\n{tables(results)}\n</details>\n"


def update(readme: Path, results: Path) -> None:
    """Put what there is of results between their two marks in `readme`.

    Raises:
        ValueError: if the file is not there or lacks a mark.
    """
    if not readme.exists():
        raise ValueError(f"There is no {readme} here: run this in the folder of the repository.")
    before, begin, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{readme} lacks the marks between which results stand: put the lines back\n{BEGIN}{END}")
    readme.write_text(before + BEGIN + shown(results) + END + after)


def main() -> int:
    """Update the README of the working directory; returns the exit code, 2 where there is none to update."""
    try:
        update(Path("README.md"), Path("results"))
    except ValueError as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
