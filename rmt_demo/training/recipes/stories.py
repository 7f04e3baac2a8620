"""Recipes for bAbI's tasks, those of rmt-stories: each goes on where the one before it ended."""

import dataclasses

from ...data.samples import Mixture
from ..curriculum import Recipe, Stage
from .open import FURTHER

# bAbI's tasks and nothing else, in stories that grow, answered by way of a thought where somebody's way is to be
# followed: a low-rank change of the shipped checkpoint (train --init checkpoints/rmt-minilm), whose gates stay as they
# are while the backbone learns to show them what is a fact.
TALES = {"tail_rate": 0.0, "task_rate": 1.0, "tasks": ("qa1", "qa4", "qa5", "routes", "routes"), "unknown_rate": 0.1}
TALES |= {"questions": 7, "extra_rate": 0.3, "lures": 0.3}
LONG_TALES = TALES | {"tasks": ("qa1", "qa3", "qa4", "qa5", "routes", "routes")}
STORIES = Recipe(
    config=FURTHER.config | {"num_stored_tokens": 1024, "settle_memory": True, "num_answer_slots": 7},
    goes_on=True,
    warmup=40,
    told_gates=True,
    rank=16,
    stages=(
        Stage(Mixture(16, (1, 1), sentences=(2, 4), background=4, **TALES), (144, 208), 1e-3, 1.0, 250),
        Stage(Mixture(14, (1, 2), sentences=(2, 7), background=8, **LONG_TALES), (208, 272), 1e-3, 1.0, 500),
        Stage(Mixture(14, (1, 4), sentences=(2, 12), background=24, **LONG_TALES), (208, 272), 1e-3, 1.0, 420),
    ),
)

# For the checkpoint of STORIES: more words than those of the tables, which it knew too well, and longer texts, most of
# whose segments have no fact.
SAGA = LONG_TALES | {"tasks": ("qa1", "qa3", "qa4", "qa5", "gifts", "routes", "routes"), "extra_rate": 0.5}
SAGAS = dataclasses.replace(
    STORIES,
    stages=(
        Stage(Mixture(12, (1, 4), sentences=(2, 12), background=24, **SAGA), (208, 272), 1e-3, 1.0, 350),
        Stage(Mixture(9, (1, 10), sentences=(2, 12), background=40, **SAGA), (208, 272), 1e-3, 1.0, 400),
    ),
)

# For the checkpoint of SAGAS, which answered "Who gave the cup?" with the giver as often as with the receiver: who is
# which has to be asked for by itself, as for directions in `open.py`, and is learned in a hundred steps. Then all of it
# again. On evaluation data that was no gain by itself (see the model card of rmt-stories).
GIVERS = dataclasses.replace(
    STORIES,
    stages=(
        Stage(
            Mixture(24, (1, 1), sentences=(1, 3), background=1, **(SAGA | {"tasks": ("gifts",)})),
            (112, 144),
            1e-3,
            0.96,
            200,
        ),
        Stage(Mixture(9, (1, 8), sentences=(2, 12), background=40, **SAGA), (208, 272), 1e-3, 1.0, 130),
    ),
)

# For the checkpoint of GIVERS, whose answers were more often a word that no fact has than a wrong one: a word's first
# piece, and not its second. Whole segments, in which a memory token stands for three tokens of text, first packed with
# facts, which makes more stories a minute.
DENSE = SAGA | {"questions": 4, "lures": 0.0}
PIECES = dataclasses.replace(
    STORIES,
    by_piece=True,
    litter=0.45,
    stages=(
        Stage(Mixture(20, (1, 2), sentences=(2, 12), background=2, **DENSE), (272,), 6e-4, 1.0, 400),
        Stage(Mixture(9, (1, 10), sentences=(2, 12), background=40, **SAGA), (272,), 6e-4, 1.0, 400),
    ),
)

# For the checkpoint of PIECES, which lost its way among what 700 segments write that is no fact: it mixed up the order
# of the facts, standing at positions that no training text had reached.
CROWDS = dataclasses.replace(
    PIECES,
    stages=(
        Stage(
            Mixture(9, (1, 10), sentences=(2, 12), background=40, **(SAGA | {"questions": 4})), (272,), 8e-4, 1.0, 750
        ),
    ),
)

# For the checkpoint of CROWDS, which mixed up the order of what it held: each token tells its age more clearly. More of
# the questions that were answered worst, in stories packed with facts first.
WEAK = {"tasks": ("qa1", "qa1", "qa3", "qa4", "qa5", "qa5", "gifts", "routes", "routes"), "questions": 4}
AGES = dataclasses.replace(
    PIECES,
    config=PIECES.config | {"age_slope": 4.0},
    stages=(
        Stage(Mixture(20, (1, 2), sentences=(2, 12), background=2, **(DENSE | WEAK)), (272,), 5e-4, 1.0, 440),
        Stage(Mixture(9, (1, 10), sentences=(2, 12), background=40, **(SAGA | WEAK)), (272,), 5e-4, 1.0, 350),
    ),
)

# For the checkpoint of AGES, which knew who went where in long texts and then named an earlier place: the same segments
# are read in several orders and up to several places, so that nothing but the order tells the answers apart.
RETOLD_TASKS = ("qa1", "qa1", "qa3", "qa4", "qa5", "qa5", "qa5", "qa5", "gifts", "routes")
RETOLD = dataclasses.replace(
    AGES,
    stages=(
        Stage(
            Mixture(
                7,
                (1, 12),
                sentences=(2, 12),
                background=24,
                **(SAGA | {"tasks": RETOLD_TASKS, "questions": 5, "readings": 3}),
            ),
            (272,),
            5e-4,
            1.0,
            540,
        ),
    ),
)
