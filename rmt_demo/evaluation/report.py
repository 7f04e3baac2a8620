"""The README's results tables, made from `results/` alone: `python -m rmt_demo.evaluation.report`."""

import json
from pathlib import Path

from ..data.strange import KINDS

BEGIN, END = "<!-- results: python -m rmt_demo.evaluation.report -->\n", "<!-- end of results -->"
TITLES = {
    "memorize": "memorize",
    "detect": "detect & memorize",
    "reasoning": "reasoning",
    "open": "open facts, 1 to 3 of them",
    "heldout": "the same, families of facts never trained on",
    "unknown": "recognises what the text does not say",
    "stream": "open facts, read as text by the Reader",
}
BABI = {
    "qa1": "qa1, one supporting fact",
    "qa2": "qa2, two supporting facts",
    "qa3": "qa3, three supporting facts",
    "qa4": "qa4, two-argument relations",
    "qa5": "qa5, three-argument relations",
}
STRANGE = {f"open-{kind}": f"open facts in {kind}" for kind in KINDS}
COLUMNS = (1, 2, 4, 8, 64, 512, 700, 4096)  # segments with a column of their own, where there is anything to show


def tables(results: Path) -> str:
    """Markdown tables, tasks by number of segments, of the accuracies in `results` with their 95% intervals: the main
    one, bAbI's tasks, and backgrounds of strange kinds. One that has no results is left out."""
    main = _lines(results, TITLES)
    if TITLES["open"] in main:
        main['wrongly says "unknown"'] = {n: row["false_unknown"] for n, row in main[TITLES["open"]].items()}
    parts = {"": main, "bAbI's tasks, ": _lines(results, BABI), "strange backgrounds, ": _lines(results, STRANGE)}
    return "\n".join(_table(f"{title}%", lines) for title, lines in parts.items() if lines)


def _lines(results: Path, titles: dict[str, str]) -> dict[str, dict[int, dict]]:
    """{title: {number of segments: row}} of the tasks that were measured."""
    found = {title: results / f"{task}.json" for task, title in titles.items()}
    return {
        title: {row["segments"]: row for row in json.loads(file.read_text())["rows"]}
        for title, file in found.items()
        if file.exists()
    }


def _table(corner: str, lines: dict[str, dict[int, dict]]) -> str:
    counts = [n for n in COLUMNS if any(n in rows for rows in lines.values())]
    text = [[corner, *(f"{n:,} segment{'s' * (n > 1)}" for n in counts)], ["---"] * (len(counts) + 1)]
    for title, rows in lines.items():
        text.append([title, *(_cell(rows[n]) if n in rows else "" for n in counts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in text) + "\n"


def _cell(row: dict) -> str:
    return f"{row['accuracy']} ({row['low']}–{row['high']})"


def update(readme: Path, results: Path) -> None:
    """Put the tables between their two marks in `readme`."""
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + tables(results) + END + after)


if __name__ == "__main__":
    update(Path("README.md"), Path("results"))
