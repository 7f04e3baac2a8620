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
    found = [
        json.loads((results / f"{task}.json").read_text()) for task in TITLES if (results / f"{task}.json").exists()
    ]
    counts = sorted({row["segments"] for result in found for row in result["rows"]})
    lines = [["task", *(f"{n} segment{'s' * (n > 1)}" for n in counts)], ["---"] * (len(counts) + 1)]
    for result in found:
        cells = {row["segments"]: f"{row['accuracy']} ({row['low']}–{row['high']})" for row in result["rows"]}
        lines.append([TITLES[result["task"]], *(cells.get(n, "") for n in counts)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def update(readme: Path, results: Path) -> None:
    """Put the table between its two marks in `readme`."""
    before, rest = readme.read_text().split(BEGIN)
    after = rest.split(END)[1]
    readme.write_text(before + BEGIN + table(results) + END + after)


if __name__ == "__main__":
    update(Path("README.md"), Path("results"))
