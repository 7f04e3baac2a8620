"""Accuracies as Markdown tables, task by task and length by length, made from `results/` alone."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..data.strange import KINDS
from .paper import PAPER_ACCURACY, PAPER_SEGMENTS, PAPER_STAGES

TITLES = {
    "memorize": "memorize",
    "detect": "detect & memorize",
    "reasoning": "reasoning",
    "open": "open facts, 1 to 3 of them",
    "heldout": "open facts of families never trained on",
    "unknown": "unanswerable questions recognised",
    "stranger": "unanswerable: the paper's tasks, another person",
    "stream": "open facts, streamed by the Reader",
}
BABI = {
    "qa1": "qa1, one supporting fact",
    "qa2": "qa2, two supporting facts",
    "qa3": "qa3, three supporting facts",
    "qa4": "qa4, two-argument relations",
    "qa5": "qa5, three-argument relations",
}
STRANGE = {f"open-{kind}": f"open facts in {kind}" for kind in KINDS}
# Segments with a column of their own, where there is anything to show.
SHORT = (1, 2, 4, 8, 64)
LONG = (512, 1024, 2048, 4096, 11_400, 56_000, 280_000)  # the last three: 2, 10 and 50 million tokens
BABI_COLUMNS = (*SHORT, 700)  # 128k tokens, as BABILong has them

GENERALIST = "rmt-minilm"  # the demo's checkpoint, whose results are in the folder itself
TELLER = "rmt-stories"  # a checkpoint for bAbI's tasks alone, whose results have a folder of their own
SPECIALIST = "rmt-places"  # one for the paper's tasks alone
SPECIALIST_COLUMNS = (1, 2, 8, 64, 512, 1024, 2048, 4096, 20_040, 114_600)  # the last two: 10 and 50 million tokens
SPECIALIST_STRANGE = {
    f"{task}-{kind}": f"{TITLES[task]} in {kind}" for task in ("detect", "reasoning") for kind in KINDS
}
STAGE_LINES, STAGE_COLUMNS = (1, 2, 3, 5, 7), (1, 2, 4, 7, 15)


def tables(results: Path) -> str:
    """Markdown tables, tasks by number of segments, of the accuracies in `results` with their 95% intervals: the main
    one, lengths far beyond the training, bAbI's tasks, also those of the checkpoint for them alone, and backgrounds of
    strange kinds; then, of the checkpoint for the paper's tasks, those beside the paper's own, and of the paper's model
    after each stage of its curriculum. One without results is left out."""
    main = _rows(results, TITLES)
    if TITLES["open"] in main:
        main['answerable, but "unknown"'] = {n: row | row["false_unknown"] for n, row in main[TITLES["open"]].items()}
    told = _rows(results / TELLER, BABI)
    places = _rows(results / SPECIALIST, TITLES)
    paper = {
        f"{TITLES[task]} (the paper's figure)": _about(dict(zip(PAPER_SEGMENTS, curve, strict=True)))
        for task, curve in PAPER_ACCURACY.items()
    }
    stages, last_stages = _stages(results / "figure5.json")
    parts = [
        _table(f"{GENERALIST}, %", main, SHORT),
        _table(f"{GENERALIST}, long texts, %", main, LONG, _conditions(main)),
        _table(f"{GENERALIST}, bAbI's tasks, %", _rows(results, BABI), BABI_COLUMNS),
        _table(f"{TELLER}, bAbI's tasks, %", told, BABI_COLUMNS, _conditions(told)),
        _table(f"{GENERALIST}, strange backgrounds, %", _rows(results, STRANGE), SHORT),
        _table(f"{SPECIALIST}, %", places, SPECIALIST_COLUMNS, paper | _conditions(places)),
        _table(f"{SPECIALIST}, strange backgrounds, %", _rows(results / SPECIALIST, SPECIALIST_STRANGE), SHORT),
        _table("the paper's model trained here, %", stages, STAGE_COLUMNS, last_stages),
    ]
    return "\n".join(filter(None, parts))


def by_segments(file: Path) -> dict[int, dict]:
    """{number of segments: row} of a result, each row with the name of its checkpoint; none of a file not there yet."""
    result = json.loads(file.read_text()) if file.exists() else {"rows": []}
    return {row["segments"]: row | {"checkpoint": result["checkpoint"]} for row in result["rows"]}


def _rows(results: Path, titles: dict[str, str]) -> dict[str, dict[int, dict]]:
    """{title: {number of segments: row}} of the tasks that were measured."""
    found = {title: by_segments(results / f"{task}.json") for task, title in titles.items()}
    return {title: rows for title, rows in found.items() if rows}


def _stages(file: Path) -> tuple[dict[str, dict[int, dict]], dict[str, dict[int, str]]]:
    """Figure 5 in lines of a table: for each task some stages of our curriculum, and the last one of the paper's."""
    rows, lines, paper = json.loads(file.read_text())["rows"] if file.exists() else [], defaultdict(dict), {}
    for task, stages in PAPER_STAGES.items():
        these = [row for row in rows if row["task"] == task and row["trained_on"] in STAGE_LINES]
        for row in these:
            lines[f"{TITLES[task]}, {trained_on(row['trained_on'])}"][row["segments"]] = row
        if these:
            paper[f"{TITLES[task]}, the paper's figure, {trained_on(max(stages))}"] = _about(stages[max(stages)])
    return lines, paper


def trained_on(most: int) -> str:
    """What a model was trained on after the stage of `most` segments."""
    return "trained on 1" if most == 1 else f"trained on 1 to {most}"


def _about(curve: dict[int, int]) -> dict[int, str]:
    """What was read off a plot of the paper."""
    return {n: f"about {share}" for n, share in curve.items()}


def _conditions(lines: dict[str, dict[int, dict]]) -> dict[str, dict[int, str]]:
    """Under which the figures of a column were measured: the most of each, for what all of its tasks read."""
    at = defaultdict(list)
    for rows in lines.values():
        for n, row in rows.items():
            at[n].append(row)
    titles = {"tokens": "tokens of text", "samples": "haystacks", "peak_memory_mb": "peak memory, MB"}
    return {
        title: {n: f"{max(row[key] for row in rows):,.0f}" for n, rows in at.items()} for key, title in titles.items()
    }


def _table(corner: str, lines: dict[str, dict[int, dict]], columns: Sequence[int], below: dict | None = None) -> str:
    """One table of those columns and lines that have a result; without any, nothing. `below` are lines of text that
    come after them."""
    counts = [n for n in columns if any(n in rows for rows in lines.values())]
    if not counts:
        return ""
    cells = {title: {n: cell(row) for n, row in rows.items()} for title, rows in lines.items()} | (below or {})
    text = [[corner, *(f"{n:,} segment{'s' * (n > 1)}" for n in counts)], ["---"] * (len(counts) + 1)]
    text += [[title, *(line.get(n, "") for n in counts)] for title, line in cells.items() if line.keys() & {*counts}]
    return markdown(text)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as a table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cell(row: dict) -> str:
    """An accuracy with its interval."""
    return f"{row['accuracy']} ({row['low']}–{row['high']})"
