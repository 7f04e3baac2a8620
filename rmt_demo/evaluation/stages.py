"""What a curriculum teaches, stage by stage: the paper's figure 5, `python -m rmt_demo eval --figure5 paper`.

For each task a model of its own is trained on longer and longer inputs. After every stage a checkpoint is kept and
measured on 1 to 15 segments. Killed runs go on where they were: give the same command again. With the recipe "paper"
this takes a GPU and hours; with "paper-brief" an hour for each task on a CPU core of its own, and half an hour more for
`--samples 64 --segments 1 2 3 4 5 7 10 15`; `--figure5 paper-smoke` shows in a minute or two that all parts work.

Each stage is a run of its own that starts from the checkpoint of the one before: it lasts all of its steps, and its
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
        recipe: of a model that classifies; its stages are trained one after the other, on one task at a time.
        runs: folder for the checkpoints, TASK/stage-1 and so on.
        out: folder for the results.
        backbone: packaged name, folder or Hub id; the paper's is "bert-base-cased".
        tasks: of the paper.
        samples: haystacks for each row.
        segments: numbers of segments to measure, the question's included.
        seed: of training and of the haystacks.
        background: corpora, their training parts for training and their evaluation parts for measuring.

    Returns:
        The result, as written: a row for each task, stage ("trained_on": its most segments) and number of segments.

    Raises:
        ValueError: for another task than the paper's, a recipe of a model that does not classify or that goes on from
            another, if `runs` holds those of another seed, recipe, backbone or background, or if one of these cannot be
            found.
    """
    if wrong := set(tasks) - set(PAPER_TASKS):
        raise ValueError(f"Figure 5 has no task {sorted(wrong)[0]!r}: choose from {', '.join(PAPER_TASKS)}.")
    if recipe.head != "classification" or recipe.goes_on:
        raise ValueError("Figure 5 is about models that learn to choose places: take the recipe paper, or paper-brief.")
    result = {}
    for task in tasks:
        before = None
        for number, stage in enumerate(recipe.stages, 1):
            folder = Path(runs) / task / f"stage-{number}"
            stage = dataclasses.replace(stage, mixture=dataclasses.replace(stage.mixture, tasks=(task,)))
            train(dataclasses.replace(recipe, stages=(stage,)), folder, backbone, seed, background, before)
            before = folder
            read = stage.mixture.segments[1]  # before the question, at most
            result = _measure(folder, out, recipe, backbone, task, read, samples, segments, seed, background)
    return result


def _measure(folder, out, recipe, backbone, task, read, samples, segments, seed, background) -> dict:
    """Measure one checkpoint; what the file has of it already is left as it is."""
    reader = Reader.from_pretrained(folder)
    common = about(TASK, folder, reader, seed, background)
    common["recipe"] = describe(recipe, seed, backbone, background)["recipe"]
    del common["checkpoint"]  # there are many, and each row says of which its weights are
    weights = common.pop("sha256")
    maker = BatchMaker(reader.config, reader.tokenizer, background_text(background), "eval")
    kept = Results(Path(out) / f"{TASK}.json", common, KEYS)
    longest = read if reader.config.asks_alone else read + 1
    for count in segments:
        same = {"task": task, "trained_on": longest, "segments": count, "backbone": str(backbone), "sha256": weights}
        if kept.has(samples, **same):
            continue
        row = Row(reader.model)
        outcomes, tokens = ask(reader.model, maker, TASKS[task], count, samples, f"{seed}/{task}/{count}")
        kept.add(row.done(**same, tokens=tokens, **summary(outcomes)))
    return kept.whole
