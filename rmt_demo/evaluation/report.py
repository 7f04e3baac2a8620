"""The README's results table, made from `results/` alone: `python -m rmt_demo.evaluation.report`."""

import json
from pathlib import Path

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


def table(results: Path) -> str:
    """A Markdown table, tasks by number of segments, of the accuracies in `results` with their 95% intervals."""
    found = {task: _rows(results / f"{task}.json") for task in TITLES if (results / f"{task}.json").exists()}
    lines = {TITLES[task]: rows for task, rows in found.items()}
    if "open" in found:
        lines['wrongly says "unknown"'] = {n: row["false_unknown"] for n, row in found["open"].items()}
    counts = sorted({n for rows in lines.values() for n in rows})
    text = [["%", *(f"{n} segment{'s' * (n > 1)}" for n in counts)], ["---"] * (len(counts) + 1)]
    for title, rows in lines.items():
        text.append([title, *(_cell(rows[n]) if n in rows else "" for n in counts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in text) + "\n"


def _rows(file: Path) -> dict[int, dict]:
    return {row["segments"]: row for row in json.loads(file.read_text())["rows"]}


def _cell(row: dict) -> str:
    return f"{row['accuracy']} ({row['low']}–{row['high']})"


def update(readme: Path, results: Path) -> None:
    """Put the table between its two marks in `readme`."""
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + table(results) + END + after)


if __name__ == "__main__":
    update(Path("README.md"), Path("results"))
