"""Teacher forcing: now and then a question gives away how its answer begins, and the model learns how to go on.

Answers are filled in piece by piece (`answers.py`), and what comes after "golden" is easier to say once "golden" is
there. Most questions give nothing away: the first piece is the hard one. But where an answer goes by a thought, what
follows from the thought is as hard as the thought itself.
"""

from random import Random

from torch import Tensor

from ..config import RMTConfig
from ..questions import slots

GIVEN, THOUGHT = 0.25, 0.6  # share of the questions, and of those that are answered by way of a thought
JUST = 0.75  # of the latter are given just the thought, the others any beginning
IGNORED = -100  # label of a slot that is filled already: PyTorch's cross-entropy leaves it out


def force(
    inputs: dict[str, Tensor | int], config: RMTConfig, rng: Random, thoughts: Tensor | None = None
) -> dict[str, Tensor | int]:
    """A batch's `inputs` (see `Batch`) with the first pieces of some answers, at least one and at most all but one of
    the slots, in their slots in `query_ids` and not in `labels`; of an answer with a thought, mostly just the thought
    (`thoughts` [Q], their pieces; None: there are none)."""
    query, labels = inputs["query_ids"].clone(), inputs["labels"].clone()
    lengths = [0] * len(labels) if thoughts is None else thoughts.tolist()
    rows = zip(query, labels, slots(query, config), lengths, strict=True)
    for ids, label, where, thought in rows:
        if len(label) > 1 and rng.random() < (THOUGHT if thought else GIVEN):
            pieces = int((label != config.sep_token_id).sum())
            given = thought if rng.random() < JUST * bool(thought) else rng.randint(1, min(pieces, len(label) - 1))
            ids[where[:given]] = label[:given]
            label[:given] = IGNORED
    return inputs | {"query_ids": query, "labels": labels}
