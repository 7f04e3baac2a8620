"""Accuracy after each stage of a curriculum: the paper's figure 5, `python -m rmt_demo eval --figure5 paper`.

For each task, a separate model is trained on increasingly long inputs. After every stage, a checkpoint is kept and
measured on 1 to 15 segments. To resume a killed run, give the same command again. The recipe "paper" needs a GPU and
hours; "paper-brief" takes an hour for each task on a CPU core of its own, and half an hour more for measuring with
`--samples 64 --segments 1 2 3 4 5 7 10 15`; "paper-smoke" checks in a minute or two that all parts work.

Each stage is a separate run that starts from the checkpoint of the stage before: it lasts all of its steps, and its
learning rate rises and falls again, as in the paper.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from ..config import BACKBONE
from ..data.batches import BatchMaker
from ..data.corpora import USUAL
from ..data.tasks import TASKS as PAPER_TASKS
from ..reader import Reader
from ..training.curriculum import Recipe
from ..training.train import describe, train
from .extrapolation import TASKS, ask, background_text, summary
from .results import Results, Row, about

TASK = "figure5"
SEGMENTS = tuple(range(1, 16))
KEYS = ("task", "trained_on", "segments")


def measure(
    recipe: Recipe,
    runs: str | Path,
    out: str | Path,
    backbone: str = BACKBONE,
    tasks: Sequence[str] = tuple(PAPER_TASKS),
    samples: int = 500,
    segments: Sequence[int] = SEGMENTS,
    seed: int = 0,
    background: Sequence[str] = USUAL,
) -> dict:
    """Train by `recipe` and measure each of its stages; write `out`/figure5.json.

    Args:
        recipe: of a classifier; its stages are trained one after the other, on one task at a time.
        runs: folder for the checkpoints, TASK/stage-1 and so on.
        out: folder for the results.
        backbone: packaged name, folder or Hub id; the paper's is "bert-base-cased".
        tasks: some of the paper's tasks.
        samples: haystacks for each row.
        segments: lengths of the texts to measure, in segments.
        seed: of training and of the haystacks.
        background: corpora, their training parts for training and their evaluation parts for measuring.

    Returns:
        The result, as written: a row for each task, stage ("trained_on": its most segments) and number of segments.

    Raises:
        ValueError: for a task that is not the paper's, for a recipe that is not of a classifier or starts from a
            checkpoint, if `runs` holds runs with another seed, recipe, backbone or background, or if the backbone or a
            background cannot be found.
    """
    if wrong := set(tasks) - set(PAPER_TASKS):
        raise ValueError(f"Figure 5 has no task {sorted(wrong)[0]!r}: choose from {', '.join(PAPER_TASKS)}.")
    if recipe.head != "classification" or recipe.goes_on:
        raise ValueError("Figure 5 needs a recipe of a classifier: choose paper, paper-brief or paper-smoke.")
    result = {}
    for task in tasks:
        before = None
        for number, stage in enumerate(recipe.stages, 1):
            folder = Path(runs) / task / f"stage-{number}"
            stage = dataclasses.replace(stage, mixture=dataclasses.replace(stage.mixture, tasks=(task,)))
            train(dataclasses.replace(recipe, stages=(stage,)), folder, backbone, seed, background, before)
            before = folder
            most_steps = stage.mixture.segments[1]  # segments read before the question's
            result = _measure(folder, out, recipe, backbone, task, most_steps, samples, segments, seed, background)
    return result


def _measure(folder, out, recipe, backbone, task, most_steps, samples, segments, seed, background) -> dict:
    """Measure one checkpoint; rows that the file already has are kept."""
    reader = Reader.from_pretrained(folder)
    common = about(TASK, folder, reader, seed, background)
    common["recipe"] = describe(recipe, seed, backbone, background)["recipe"]
    del common["checkpoint"]  # differs from row to row, like the weights' checksum, which goes into the rows
    weights = common.pop("sha256")
    maker = BatchMaker(reader.config, reader.tokenizer, background_text(background), "eval")
    kept = Results(Path(out) / f"{TASK}.json", common, KEYS)
    longest = most_steps if reader.config.asks_alone else most_steps + 1
    for count in segments:
        same = {"task": task, "trained_on": longest, "segments": count, "backbone": str(backbone), "sha256": weights}
        if kept.has(samples, **same):
            continue
        row = Row(reader.model)
        outcomes, tokens = ask(reader.model, maker, TASKS[task], count, samples, f"{seed}/{task}/{count}")
        kept.add(row.done(**same, tokens=tokens, **summary(outcomes)))
    return kept.whole
