"""Memory capacity: accuracy against the number of facts and of memory tokens, `eval --tasks capacity`.

The facts are at random places of a text that has been read completely when the question about one of them is asked.
With many facts, each memory token has to hold more than one of them. No trained weight depends on the number of stored
tokens, so the same weights are also measured with fewer of them.
"""

import dataclasses
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from ..data.batches import BatchMaker
from ..data.corpora import USUAL
from ..data.facts import MOST_FACTS
from ..heads import RMTForMaskedLM
from ..reader import Reader
from .extrapolation import TASKS, ask, background_text, steps_of, summary
from .results import Results, Row

TASK = "capacity"
KEYS = ("memory_tokens", "segments", "facts")
FACTS = (1, 2, 3, 4, 6, 8, 12, 16, MOST_FACTS)
SEGMENTS = (8,)  # enough room for the largest number of facts
STORED, SOME_FACTS = (0, 16, 64, 192), (1, 3, 8, MOST_FACTS)  # reduced numbers of stored tokens, and facts to measure


def load(checkpoint: str | Path) -> Reader:
    """Load a checkpoint. Raises ValueError if it cannot be loaded or has no open answers."""
    reader = Reader.from_pretrained(checkpoint)
    if not isinstance(reader.model, RMTForMaskedLM):
        raise ValueError(
            f"{checkpoint} can only answer with the paper's six places: give a checkpoint with open answers."
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
    facts: Sequence[int] = FACTS,
) -> dict:
    """Measure a checkpoint and write `out`/capacity.json, a row for each number of memory tokens, segments and facts.

    Args:
        checkpoint: folder or Hub id of an RMT with open answers.
        reader: the checkpoint as `load` gives it.
        out: folder for the results.
        samples: haystacks for each row, with one question each.
        segments: lengths of the texts in segments; a length at which nothing is read before the question (see
            `extrapolation.steps_of`) gets no row.
        seed: of the haystacks.
        background: corpora whose evaluation part is used, or one out-of-distribution kind (`data/strange.py`).
        facts: numbers of facts, 1 to 20. Memories smaller than the checkpoint's are measured with 1, 3, 8 and 20.

    Returns:
        The result, as written.

    Raises:
        ValueError: if a background cannot be used or the facts do not fit into the segments.
    """
    maker = BatchMaker(reader.config, reader.tokenizer, background_text(background), "eval")
    kept = Results.of(TASK, out, checkpoint, reader, seed, background, KEYS)
    config = reader.config
    whole = config.num_stored_tokens
    sizes = [(stored, SOME_FACTS) for stored in STORED if stored < whole] + [(whole, facts)]
    for (stored, numbers), count in product(sizes, segments):
        config.num_stored_tokens = stored
        for number in numbers if steps_of(config, count) else ():
            held = dict(zip(KEYS, (config.memory_size, count, number), strict=True))
            if kept.has(samples, **held):
                continue
            row, name = Row(reader.model), f"{seed}/{TASK}/{count}/{number}"
            mixture = dataclasses.replace(TASKS["open"], facts=(number, number), tail_rate=0.0)
            outcomes, tokens = ask(reader.model, maker, mixture, count, samples, name)
            kept.add(row.done(**held, tokens=tokens, **summary(outcomes)))
    return kept.whole
