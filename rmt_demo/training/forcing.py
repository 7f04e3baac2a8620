"""Teacher forcing: now and then a question gives away how its answer begins, and the model learns how to go on.

Answers are filled in piece by piece (`answers.py`), and what comes after "golden" is easier to say once "golden" is
there. Most questions give nothing away: the first piece is the hard one.
"""

from random import Random

from torch import Tensor

from ..config import RMTConfig
from ..questions import slots

GIVEN = 0.25  # share of the questions
IGNORED = -100  # label of a slot that is filled already: PyTorch's cross-entropy leaves it out


def force(inputs: dict[str, Tensor | int], config: RMTConfig, rng: Random) -> dict[str, Tensor | int]:
    """A batch's `inputs` (see `Batch`) with the first pieces of some answers, at least one and at most all but one of
    the slots, in their slots in `query_ids` and not in `labels`."""
    query, labels = inputs["query_ids"].clone(), inputs["labels"].clone()
    for ids, label, where in zip(query, labels, slots(query, config), strict=True):
        if len(label) > 1 and rng.random() < GIVEN:
            pieces = int((label != config.sep_token_id).sum())
            given = rng.randint(1, min(pieces, len(label) - 1))
            ids[where[:given]] = label[:given]
            label[:given] = IGNORED
    return inputs | {"query_ids": query, "labels": labels}
