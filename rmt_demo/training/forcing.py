"""Teacher forcing: now and then a question gives away how its answer begins, and the model learns how to go on.

Answers are filled in piece by piece (`answers.py`), and what comes after "golden" is easier to say once "golden" is
there. Most questions give nothing away: the first piece is the hard one. But where an answer goes by a thought, what
follows from the thought is as hard as the thought itself. That is `force`; `by_piece` asks for nothing but the piece
that is to be filled in next, each question several times: to ask costs little beside reading what is asked about.
"""

from random import Random

import torch
from torch import Tensor

from ..config import RMTConfig
from ..questions import slots

GIVEN, THOUGHT = 0.25, 0.6  # share of the questions, and of those that are answered by way of a thought
JUST = 0.75  # of the latter are given just the thought, the others any beginning
IGNORED = -100  # label of a slot that is filled already: PyTorch's cross-entropy leaves it out


def force(inputs: dict[str, Tensor | int], config: RMTConfig, rng: Random, thoughts: Tensor) -> dict[str, Tensor | int]:
    """A batch's `inputs` (see `Batch`) with the first pieces of some answers, at least one and at most all but one of
    the slots, in their slots in `query_ids` and not in `labels`; of an answer with a thought, mostly just the thought
    (`thoughts` [Q], their pieces, 0 = none)."""
    query, labels = inputs["query_ids"].clone(), inputs["labels"].clone()
    for ids, label, where, thought in zip(query, labels, slots(query, config), thoughts.tolist(), strict=True):
        if len(label) > 1 and rng.random() < (THOUGHT if thought else GIVEN):
            pieces = int((label != config.sep_token_id).sum())
            given = thought if rng.random() < JUST * bool(thought) else rng.randint(1, min(pieces, len(label) - 1))
            ids[where[:given]] = label[:given]
            label[:given] = IGNORED
    return inputs | {"query_ids": query, "labels": labels}


def by_piece(
    inputs: dict[str, Tensor | int], config: RMTConfig, rng: Random, thoughts: Tensor
) -> dict[str, Tensor | int]:
    """A batch's `inputs` with every question up to four times: with nothing of its answer given, with all of its
    thought (`thoughts` [Q], their pieces, 0 = none), with some of what comes after, and in half of them with who it
    goes by ("mary", so that what she did is asked for) or any part of its thought. Of each, `labels` keeps the piece
    that comes next, as `answers.fill` asks for it, or the [SEP] that ends the answer, mostly easy and asked less."""
    asked, queries, labels = [], [], []
    rows = zip(
        inputs["query_ids"], inputs["labels"], slots(inputs["query_ids"], config), thoughts.tolist(), strict=True
    )
    for number, (ids, label, where, thought) in enumerate(rows):
        most = min(int((label != config.sep_token_id).sum()), len(label) - 1)
        thought = min(thought, most)
        beginnings = {0, thought}
        if most > thought + 1 or rng.random() < 0.4:
            beginnings.add(rng.randint(min(thought + 1, most), most))
        if thought > 1 and rng.random() < 0.5:  # "took" and the arrow come after who
            beginnings.add(rng.choice((rng.randint(1, thought - 1), max(1, thought - 2))))
        for given in sorted(beginnings):
            query, left = ids.clone(), torch.full_like(label, IGNORED)
            query[where[:given]], left[given] = label[:given], label[given]
            asked.append(number)
            queries.append(query)
            labels.append(left)
    repeated = {name: inputs[name][asked] for name in ("query_mask", "query_of")}
    return inputs | repeated | {"query_ids": torch.stack(queries), "labels": torch.stack(labels)}
