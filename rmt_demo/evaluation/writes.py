"""Precision and recall of memory writes: do the write gates open at facts and stay shut elsewhere?

The haystacks are those of the task "open" with the same seed, samples and segments (see `extrapolation.py`), without
asking their questions, so that the two results can be compared: a question about a fact that was never written cannot
be answered. A segment counts as written if the gate of any memory token is above one half.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..data.batches import BatchMaker
from ..data.corpora import USUAL
from ..pretrained import RMTPreTrainedModel
from ..reader import Reader
from .extrapolation import SEGMENTS, TASKS, background_text, haystacks, steps_of
from .intervals import proportion
from .results import Results, Row

TASK = "writes"
OPEN_GATE = 0.5  # a gate above this counts as a write


def load(checkpoint: str | Path) -> Reader:
    """Load a checkpoint. Raises ValueError if it cannot be loaded or has no write gate."""
    reader = Reader.from_pretrained(checkpoint)
    if reader.config.memory_update != "gated":
        raise ValueError(
            f"{checkpoint} has no write gate, so it writes its whole memory at every segment: "
            'give a checkpoint with memory_update="gated".'
        )
    return reader


def measure(
    checkpoint: str | Path,
    reader: Reader,
    out: str | Path,
    samples: int = 500,
    segments: Sequence[int] = SEGMENTS,
    seed: int = 0,
    background: Sequence[str] = USUAL,
) -> dict:
    """Measure when a checkpoint writes, and write `out`/writes.json (see `results.py`).

    Args:
        checkpoint: folder or Hub id of an RMT with a write gate.
        reader: the checkpoint as `load` gives it.
        out: folder for the results.
        samples: haystacks for each number of segments.
        segments: lengths of the texts in segments; a length at which nothing is read before the question (see
            `extrapolation.steps_of`) gets no row.
        seed: of the haystacks.
        background: corpora whose evaluation part is used, or one out-of-distribution kind (`data/strange.py`).

    Returns:
        The result, as written; for its rows see `summary`.

    Raises:
        ValueError: if a background cannot be used.
    """
    maker = BatchMaker(reader.config, reader.tokenizer, background_text(background), "eval")
    kept = Results.of(TASK, out, checkpoint, reader, seed, background)
    for count in segments:
        if steps_of(reader.config, count) and not kept.has(samples, segments=count):
            row = Row(reader.model)
            events = _events(reader.model, maker, count, samples, seed)
            kept.add(row.done(segments=count, samples=samples, **summary(*events)))
    return kept.whole


def _events(
    model: RMTPreTrainedModel, maker: BatchMaker, segments: int, samples: int, seed: int
) -> tuple[Tensor, Tensor, int]:
    """Read `samples` haystacks. Returns the gates [N, m] of all N segments read, which of them hold a fact [N], and the
    number of different segments without one."""
    gates, facts, different, left = [], [], 0, samples
    # Mixture and seeds are those of "open" in `extrapolation.py`; the batches have questions, but none is asked here.
    for batch, reading in haystacks(model, maker, TASKS["open"], segments, samples, f"{seed}/open/{segments}"):
        gates.append(reading.gates[:left].flatten(0, 1))
        facts.append(batch.has_fact[:left].flatten())
        different += reading.background
        left -= len(batch.has_fact)
    return torch.cat(gates), torch.cat(facts), different


def summary(gates: Tensor, has_fact: Tensor, different: int) -> dict:
    """Count the writes.

    The confidence intervals treat every reading of a segment as independent. But the haystacks of a batch share their
    background segments, so the intervals of `precision` and `noise_written` are too narrow, the more so the fewer
    different segments there are (`noise_different`).

    Args:
        gates: [N, m] of N segments read.
        has_fact: [N] bool, True if the segment contains a fact.
        different: number of different segments without a fact.

    Returns:
        precision        percentage of the written segments that contain a fact (None if none was written)
        recall           percentage of the segments with a fact that were written (None if there are none)
        noise_written    percentage of the segments without a fact that were written (None if there are none)
        noise_different  number of different segments without a fact
        tokens_at_facts, tokens_at_noise   mean number of memory tokens written at a segment with, without a fact
    """
    tokens = (gates > OPEN_GATE).sum(-1)
    written = tokens > 0
    return {
        "precision": _share(has_fact[written]),
        "recall": _share(written[has_fact]),
        "noise_written": _share(written[~has_fact]),
        "noise_different": different,
        "tokens_at_facts": _mean(tokens[has_fact]),
        "tokens_at_noise": _mean(tokens[~has_fact]),
    }


def _share(outcomes: Tensor) -> dict | None:
    return proportion(outcomes.tolist()) if len(outcomes) else None


def _mean(counts: Tensor) -> float | None:
    return round(counts.float().mean().item(), 2) if len(counts) else None
