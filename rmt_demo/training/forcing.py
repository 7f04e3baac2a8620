"""Teacher forcing: the first pieces of some answers are filled in, and the model learns to continue them.

In inference, answers are filled in piece by piece (`answers.py`), and the piece after "golden" is easier to predict
once "golden" is there. `force` leaves most answers empty, since the first piece is the hardest. It fills in thoughts
more often, since what follows from a thought is as hard as the thought itself. `by_piece` repeats each question with
several beginnings of its answer and asks only for the next piece: a question costs little compared with reading.
"""

from random import Random

import torch
from torch import Tensor

from ..config import RMTConfig
from ..questions import slots

GIVEN, THOUGHT = 0.25, 0.6  # share of answers that are begun: of those without a thought, and of those with one
JUST = 0.75  # share of the latter in which exactly the thought is filled in, and not a random number of pieces
IGNORED = -100  # label of a slot that is already filled: PyTorch's cross-entropy ignores it


def force(inputs: dict[str, Tensor | int], config: RMTConfig, rng: Random, thoughts: Tensor) -> dict[str, Tensor | int]:
    """Fill in the first pieces of some answers: put them into their slots in `query_ids` and ignore them in `labels`.

    At least one piece is filled in, and at least one slot stays empty. If the answer has a thought, mostly exactly the
    thought is filled in.

    Args:
        inputs: a batch's inputs, see `Batch`.
        config: the model's.
        rng: the source of randomness.
        thoughts: [Q] number of pieces of each thought, 0 = none.

    Returns:
        The new inputs.
    """
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
    """Repeat every question up to four times, with different beginnings of its answer filled in; `labels` keeps only
    the next piece of each, which is what `answers.fill` asks for. Arguments as for `force`.

    The beginnings are: nothing; the whole thought; some pieces after the thought (less often if only the final [SEP] is
    left to predict, which is mostly easy); and, for half of the thoughts, the person in it ("mary", so that the next
    piece is what she did) or any other part of it.
    """
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
        if thought > 1 and rng.random() < 0.5:  # the person is all of a thought but its last two pieces: "took", arrow
            beginnings.add(rng.choice((rng.randint(1, thought - 1), max(1, thought - 2))))
        for given in sorted(beginnings):
            query, left = ids.clone(), torch.full_like(label, IGNORED)
            query[where[:given]], left[given] = label[:given], label[given]
            asked.append(number)
            queries.append(query)
            labels.append(left)
    repeated = {name: inputs[name][asked] for name in ("query_mask", "query_of")}
    return inputs | repeated | {"query_ids": torch.stack(queries), "labels": torch.stack(labels)}
