"""What the project set out to show, and how far it has come: the README's first table, made from `results/` alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..data.strange import KINDS
from .intervals import proportion
from .paper import PAPER_ACCURACY, PAPER_STAGES
from .tables import BABI, TITLES, by_segments, cell, markdown

STRANGE_LOSS = 3  # points that a background of a kind never trained on may cost


class Goal(NamedTuple):
    """At `least` so many percent of answers right after so many `segments` of text, in the haystacks of all `files` of
    `results/` together. With a `rival`, in the worst of the files, and `least` is the difference to it in points.
    `paper`: what the paper has, or others."""

    claim: str
    least: float
    segments: int
    files: tuple[str, ...]
    paper: str = ""
    rival: str = ""


def _strange(folder: str, task: str) -> dict:
    return {
        "least": -STRANGE_LOSS,
        "segments": 64,
        "files": tuple(f"{folder}{task}-{kind}" for kind in KINDS),
        "rival": f"{folder}{task}",
    }


GOALS = (
    Goal(TITLES["memorize"], 99, 4096, ("rmt-places/memorize",), f"about {PAPER_ACCURACY['memorize'][-1]}"),
    Goal(TITLES["detect"], 99, 4096, ("rmt-places/detect",), f"about {PAPER_ACCURACY['detect'][-1]}"),
    Goal(TITLES["reasoning"], 98, 4096, ("rmt-places/reasoning",), f"about {PAPER_ACCURACY['reasoning'][-1]}"),
    Goal("reasoning, all in one segment", 99, 1, ("rmt-places/reasoning",), f"about {PAPER_STAGES['reasoning'][7][1]}"),
    Goal("memorize, 50 million tokens", 95, 114_600, ("rmt-places/memorize",), "79.9 (ARMT, another task)"),
    Goal("reasoning, the worst of six strange backgrounds", **_strange("rmt-places/", "reasoning")),
    Goal(TITLES["open"], 90, 4096, ("open",)),
    Goal("open facts, the worst of six strange backgrounds", **_strange("", "open")),
    Goal(BABI["qa1"], 95, 700, ("rmt-stories/qa1", "rmt-stories-seed-1/qa1")),
    Goal(BABI["qa2"], 70, 700, ("rmt-stories/qa2",)),
    Goal(BABI["qa3"], 70, 700, ("rmt-stories/qa3",)),
    Goal(BABI["qa4"], 95, 700, ("rmt-stories/qa4",)),
    Goal(BABI["qa5"], 85, 700, ("rmt-stories/qa5", "rmt-stories-seed-1/qa5")),
)
HEAD = ("%", "segments", "published", "goal", "measured", "haystacks", "checkpoint", "reached")


def table(results: Path, goals: Sequence[Goal] = GOALS) -> str:
    """A Markdown table with a line for each goal that was measured. One is reached where the share that was measured
    is no less, whatever the interval; without any there is no table."""
    lines = [line for goal in goals if (line := _line(results, goal))]
    if not lines:
        return ""
    return markdown([HEAD, ["---"] * len(HEAD), *lines])


def _line(results: Path, goal: Goal) -> list[str]:
    """The cells of a goal; none while some of its files have not been measured."""
    files = (*goal.files, *filter(None, [goal.rival]))
    rows = [by_segments(results / f"{file}.json").get(goal.segments) for file in files]
    if None in rows:
        return []
    if goal.rival:
        *rows, rival = rows
        found, least = min(rows, key=lambda row: row["accuracy"]), round(rival["accuracy"] + goal.least, 1)
    else:
        found, least = _together(rows), goal.least
    return [
        goal.claim,
        f"{goal.segments:,}",
        goal.paper,
        str(least),
        cell(found),
        str(found["samples"]),
        rows[0]["checkpoint"],
        "yes" if found["accuracy"] >= least else "no",
    ]


def _together(rows: list[dict]) -> dict:
    """The accuracy in the haystacks of all of these rows."""
    total = sum(row["samples"] for row in rows)
    right = sum(round(row["accuracy"] / 100 * row["samples"]) for row in rows)
    return proportion([True] * right + [False] * (total - right))
