"""Writes as events: does the memory of a gated model open at the facts, and stay shut elsewhere?

The haystacks are those of the task "open" with the same seed, samples and segments (see `extrapolation.py`), without
their questions, so that the two results can be laid side by side: a fact that was never written cannot be
answered. A segment counts as written when the gate of any of its memory tokens is over one half.
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
OPEN_GATE = 0.5  # a gate over this counts as a write


def load(checkpoint: str | Path) -> Reader:
    """A checkpoint that can be measured. Raises ValueError if it cannot be loaded or has no write gate."""
    reader = Reader.from_pretrained(checkpoint)
    if reader.config.memory_update != "gated":
        raise ValueError(
            f"{checkpoint} has no write gate, it writes everything at every segment: "
            'give a checkpoint with memory_update="gated".'
        )
    return reader


def measure(
    checkpoint: str | Path,
    out: str | Path,
    samples: int = 500,
    segments: Sequence[int] = SEGMENTS,
    seed: int = 0,
    background: Sequence[str] = USUAL,
) -> dict:
    """Measure when a checkpoint writes, and write `out`/writes.json (see `results.py`).

    Args:
        checkpoint: folder or Hub id of an RMT with a write gate.
        out: folder for the results.
        samples: haystacks for each number of segments.
        segments: numbers of segments of the texts; where nothing is read before the question (see
            `extrapolation.steps_of`) there is no row.
        seed: of the haystacks.
        background: corpora whose evaluation part is the background, or one kind of strange text.

    Returns:
        The result, as written; for its rows see `summary`.

    Raises:
        ValueError: as `load`.
    """
    reader = load(checkpoint)
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
    """Read `samples` haystacks: the gates [N, m] of all N segments read, which of them hold a fact [N], and how many
    different ones hold none."""
    gates, facts, different, left = [], [], 0, samples
    # Mixture and seeds are those of "open" in `extrapolation.py`; the questions are made there and not asked here.
    for batch, reading in haystacks(model, maker, TASKS["open"], segments, samples, f"{seed}/open/{segments}"):
        gates.append(reading.gates[:left].flatten(0, 1))
        facts.append(batch.has_fact[:left].flatten())
        different += reading.background
        left -= len(batch.has_fact)
    return torch.cat(gates), torch.cat(facts), different


def summary(gates: Tensor, has_fact: Tensor, different: int) -> dict:
    """Count the writes.

    The intervals take every reading of a segment as a case of its own. The haystacks of a batch share their
    background segments though, so those of `precision` and `noise_written` are narrower than they should be: few
    `noise_different` say how much so.

    Args:
        gates: [N, m] of N segments read.
        has_fact: [N] bool, True where a fact stands in the segment.
        different: how many different segments without a fact there are.

    Returns:
        precision        of the segments written, in how many a fact stands (percent; None where none was written)
        recall           of the segments with a fact, how many were written (None where there are none)
        noise_written    of the segments without a fact, how many were written (None where there are none)
        noise_different  how many different segments without a fact these readings are of
        tokens_at_facts, tokens_at_noise   memory tokens written at a segment with a fact, and without, on average
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
