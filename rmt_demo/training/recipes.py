"""The recipes that `python -m rmt_demo train --recipe NAME` knows."""

import dataclasses

from ..data.batches import Mixture
from .curriculum import Recipe, Stage

ALONE = Mixture(64, segments=(1, 1), facts=(1, 2), questions=3, tail_rate=0.05, background=1)

HARD_TASKS = ("memorize", "detect", "reasoning", "reasoning", "reasoning")
LONGER = Mixture(16, segments=(0, 10), facts=(1, 3), task_rate=0.25, tasks=HARD_TASKS, background=12)

OPEN = Recipe(
    config={
        "num_memory_tokens": 16,
        "spread_memory": True,
        "memory_update": "gated",
        "text_attends_memory": False,
        "freeze_embeddings": True,
        "cut_at_sentences": True,
    },
    stages=(
        # One segment: learn to find and copy an answer.
        Stage(Mixture(48, segments=(0, 0), facts=(1, 3), tail_rate=1.0, background=1), (64,), 3e-4, 0.78, 600),
        # Facts alone in the segment before: learn to carry them in memory and to keep two apart.
        Stage(ALONE, (32,), 3e-4, 0.75, 800),
        Stage(ALONE, (32,), 1.5e-4, 0.8, 800),
        Stage(Mixture(48, segments=(1, 2), facts=(1, 3), tail_rate=0.1, background=4), (48,), 1.5e-4, 0.85, 200),
        # More text and more segments; the write gates are asked to be thrifty.
        Stage(Mixture(segments=(1, 4), facts=(1, 3), background=24), (64,), 1.5e-4, 0.86, 300, gate_penalty=0.3),
        Stage(Mixture(segments=(0, 8), facts=(1, 3), background=32), (64,), 1.5e-4, 0.9, 350, gate_penalty=0.5),
        Stage(Mixture(segments=(0, 16), facts=(1, 4), background=32), (64,), 1.5e-4, 0.92, 150, gate_penalty=1.0),
        # Longer segments, up to the paper's; more of the task that is still hard.
        Stage(dataclasses.replace(LONGER, batch_size=24, background=20), (192,), 1.5e-4, 0.93, 150, gate_penalty=1.0),
        Stage(LONGER, (512,), 1.5e-4, 1.0, 190, gate_penalty=1.0),
    ),
)

# What the checkpoint of OPEN still lacked when it was measured: to keep several facts apart, the reasoning task, and
# wordings it had not met (the tables of facts have grown for it). Start it with --init.
#
# A segment packed with facts, and many questions on each, teach more in a minute than a lone fact in noise; and a
# memory token for every three or four tokens of text learns to keep words far sooner than one for seven. Which of two
# places is north of a third stays a coin's toss until the directions themselves are asked for (`tasks.compass`).
PACKED = {"facts": (2, 8), "questions": 6, "tail_rate": 0.1, "task_rate": 0.3, "unknown_rate": 0.2}
PLACED = {"facts": (1, 4), "tail_rate": 0.15, "task_rate": 0.7, "unknown_rate": 0.2}
MIXED = ("memorize", "detect", "compass", "compass", "turned", "reasoning", "reasoning")
SPARSE = {"facts": (1, 5), "tail_rate": 0.2, "task_rate": 0.4, "tasks": MIXED, "unknown_rate": 0.2}
ASKED = ("compass", "compass", "compass", "turned")
TURNED = ("compass", "turned", "reasoning", "reasoning")
BRIEF = {"facts": (1, 6), "questions": 6, "tail_rate": 0.15, "task_rate": 0.3, "tasks": MIXED, "unknown_rate": 0.2}
ALOUD = {"facts": (1, 3), "tail_rate": 1.0, "task_rate": 0.6, "tasks": ("direct", "turned", "reasoning")}
MORE = Recipe(
    config=OPEN.config | {"segment_length": 272, "num_memory_tokens": 64, "memory_reach": 12},
    stages=(
        # One segment: reason, still without memory.
        Stage(Mixture(64, segments=(0, 0), background=1, **ALOUD), (144,), 2e-4, 0.95, 450),
        # Facts side by side in the segment before.
        Stage(Mixture(24, segments=(1, 1), background=4, tasks=TURNED, **PACKED), (208, 272), 2e-4, 0.9, 700, 40, 0.3),
        # Which place lies where: first the directions, then what follows from them.
        Stage(Mixture(32, segments=(1, 1), background=8, tasks=ASKED, **PLACED), (144, 272), 2e-4, 0.9, 300, 40, 0.5),
        Stage(Mixture(32, segments=(1, 1), background=8, tasks=TURNED, **PLACED), (144, 272), 2e-4, 0.9, 100, 40, 0.5),
        # All of it in short segments, many questions a minute.
        Stage(Mixture(40, segments=(1, 1), background=4, **BRIEF), (112, 144, 208), 2e-4, 0.95, 300, 40, 0.5),
        # Few facts in many segments, most of them without any.
        Stage(Mixture(24, segments=(0, 10), background=48, **SPARSE), (208, 272), 2e-4, 1.0, 360, gate_penalty=1.0),
    ),
)

# More relations and wordings for the checkpoint of MORE, bAbI's tasks among them, once its gates have been taught.
# Start it with --init, on as many kinds of text as there are (`benchmarks/texts.py`), and teach the gates again.
WIDE = {"facts": (1, 6), "questions": 6, "tail_rate": 0.1, "task_rate": 0.45, "unknown_rate": 0.2}
WIDER_TASKS = ("memorize", "detect", "compass", "reasoning", "reasoning")
WIDER_TASKS += ("qa1", "qa1", "qa2", "qa2", "qa3", "qa4", "qa4", "qa5")
WIDER = Recipe(
    config=MORE.config,
    warmup=60,
    guided_gates=True,
    init_share=0.5,
    stages=(
        Stage(Mixture(36, segments=(1, 2), background=8, tasks=WIDER_TASKS, **WIDE), (144, 208, 272), 8e-5, 1.0, 280),
        Stage(Mixture(26, segments=(1, 7), background=36, tasks=WIDER_TASKS, **WIDE), (208, 272), 8e-5, 1.0, 140),
    ),
)

# More facts at a time, stored tokens to keep them in, and a memory whose positions can be seen, which tell what is
# newer: for the checkpoint of WIDER, once its gates have been taught. Teach them again after it.
CROWDED = WIDE | {"facts": (1, 8)}
ROOMY = Recipe(
    config=MORE.config | {"num_stored_tokens": 192, "memory_norm": 1.25},
    warmup=30,
    guided_gates=True,
    init_share=0.3,
    stages=(
        Stage(Mixture(32, segments=(1, 4), background=16, tasks=WIDER_TASKS, **CROWDED), (208, 272), 1e-4, 1.0, 700),
    ),
)

# More of bAbI's tasks, for the checkpoint of ROOMY, once its gates have been taught. Teach them again after it.
FURTHER_TASKS = ("memorize", "detect", "compass", "reasoning", "reasoning")
FURTHER_TASKS += ("qa1", "qa1", "qa2", "qa2", "qa3", "qa3", "qa3", "qa4", "qa4", "qa5", "qa5")
TOLD = CROWDED | {"task_rate": 0.5}
FURTHER = Recipe(
    config=ROOMY.config,
    warmup=30,
    guided_gates=True,
    init_share=0.25,
    stages=(
        Stage(Mixture(32, segments=(1, 4), background=24, tasks=FURTHER_TASKS, **TOLD), (208, 272), 1e-4, 1.0, 1950),
    ),
)

# The paper's three tasks in segments of the paper's size, 10 memory tokens and 499 of text, with write gates and text
# that is encoded in parallel. Its backbone is the shipped checkpoint (train --backbone checkpoints/rmt-minilm), which
# knows how to write and to reason by now; from MiniLM itself, attention alone had not got beyond guessing which of two
# places a question is about when it was stopped (see the model card of rmt-places).
THREE_TASKS = {
    "questions": 3,
    "tail_rate": 0.0,
    "task_rate": 1.0,
    "tasks": ("memorize", "detect", "reasoning", "reasoning"),
}
STABLE = Recipe(
    head="classification",
    config={
        "num_labels": 6,
        "memory_update": "gated",
        "spread_memory": True,
        "num_stored_tokens": 60,
        "memory_norm": 1.25,
        "text_attends_memory": False,
        "freeze_embeddings": True,
        "freeze_feed_forward": True,
        "cut_at_sentences": True,
    },
    warmup=20,
    told_gates=True,
    stages=(
        Stage(Mixture(64, (1, 1), background=1, **THREE_TASKS), (48,), 3e-4, 0.98, 50),
        Stage(Mixture(48, (1, 4), background=16, **THREE_TASKS), (64, 128), 2e-4, 0.98, 50),
        Stage(Mixture(24, (1, 8), background=32, **THREE_TASKS), (256,), 2e-4, 0.98, 50),
        Stage(Mixture(16, (1, 12), background=40, **THREE_TASKS), (512,), 2e-4, 1.0, 90),
        # Both facts in one segment are the hardest case by now.
        Stage(Mixture(32, (1, 3), background=16, **THREE_TASKS), (64, 128, 256, 512), 2e-4, 1.0, 75),
    ),
)

# What must hold through thousands of segments: noise in which pieces of facts stand, so that a place named in passing
# is not taken for a fact (see its model card). For the checkpoint of STABLE: start it with --init.
STEADY = dataclasses.replace(
    STABLE,
    stages=(Stage(Mixture(16, (1, 12), background=48, lures=0.5, **THREE_TASKS), (256, 512), 1e-4, 1.0, 200),),
)

# Once more both facts in one segment, in such noise and in texts that say a few words over and over, for the checkpoint
# of STEADY.
CLOSE = dataclasses.replace(
    STEADY,
    stages=(
        Stage(Mixture(32, (1, 3), background=24, lures=0.5, echoes=0.5, **THREE_TASKS), (256, 512), 2e-4, 1.0, 130),
    ),
)

# bAbI's tasks and nothing else, in stories that grow, answered by way of a thought where somebody's way is to be
# followed: a low-rank change of the shipped checkpoint (train --init checkpoints/rmt-minilm), whose gates stay as they
# are while the backbone learns to show them what is a fact.
TALES = {"tail_rate": 0.0, "task_rate": 1.0, "tasks": ("qa1", "qa4", "qa5", "routes", "routes"), "unknown_rate": 0.1}
TALES |= {"questions": 7, "extra_rate": 0.3, "lures": 0.3}
LONG_TALES = TALES | {"tasks": ("qa1", "qa3", "qa4", "qa5", "routes", "routes")}
STORIES = Recipe(
    config=FURTHER.config | {"num_stored_tokens": 1024, "settle_memory": True, "num_answer_slots": 7},
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
# whose segments have no fact. Start it with --init.
SAGA = LONG_TALES | {"tasks": ("qa1", "qa3", "qa4", "qa5", "gifts", "routes", "routes"), "extra_rate": 0.5}
SAGAS = dataclasses.replace(
    STORIES,
    stages=(
        Stage(Mixture(12, (1, 4), sentences=(2, 12), background=24, **SAGA), (208, 272), 1e-3, 1.0, 350),
        Stage(Mixture(9, (1, 10), sentences=(2, 12), background=40, **SAGA), (208, 272), 1e-3, 1.0, 400),
    ),
)

# For the checkpoint of SAGAS, which answered "Who gave the cup?" with the giver as often as with the receiver: who is
# which has to be asked for by itself, as for directions above, and is learned in a hundred steps. Then all of it again.
# On evaluation data that was no gain, so no checkpoint here has it (see the model card of rmt-stories).
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
# piece, and not its second. Facts side by side in short segments, ten times as many stories a minute; then long texts.
DENSE = SAGA | {"questions": 4, "lures": 0.0}
PIECES = dataclasses.replace(
    STORIES,
    by_piece=True,
    litter=0.45,
    stages=(
        Stage(Mixture(20, (1, 2), sentences=(2, 12), background=2, **DENSE), (144, 208), 1e-3, 1.0, 500),
        Stage(Mixture(9, (1, 10), sentences=(2, 12), background=40, **SAGA), (208, 272), 8e-4, 1.0, 400),
    ),
)

# The paper's own model and tasks (arXiv 2304.11062): six-way classification of longer and longer inputs. A stage for n
# segments holds shorter inputs too, or the model would learn to rely on their number. Needs a GPU.
ONE_TASK = {"questions": 1, "tail_rate": 1.0, "task_rate": 1.0}
PAPER = Recipe(
    head="classification",
    config={"num_labels": 6},  # all else in RMTConfig is the paper's by default
    stages=tuple(
        Stage(Mixture(32, (0, segments - 1), **ONE_TASK), (512,), 5e-5, 0.98, 2000) for segments in range(1, 8)
    ),
)

# The same on a CPU, in an hour or so for each task: fewer and fewer steps at a higher rate, on smaller batches, in
# which every sample is as long as its stage's longest, as in the paper. Gradients through many hand-overs take smaller
# steps: at 2e-4, "memorize" was hardly ever wrong in stages 3 to 5 and had about half right when stage 7 ended.
PAPER_BRIEF = Recipe(
    head="classification",
    config=PAPER.config,
    warmup=10,
    stages=tuple(
        Stage(
            Mixture(min(16, 72 // segments), (segments - 1, segments - 1), **ONE_TASK),
            (512,),
            2e-4 if segments < 6 else 5e-5,
            1.0,
            steps,
            min(40, steps),
        )
        for segments, steps in enumerate((100, 90, 50, 40, 30, 25, 20), 1)
    ),
)

# The same in two short stages on a laptop.
PAPER_SMOKE = Recipe(
    head="classification",
    config={"num_labels": 6, "num_memory_tokens": 4, "segment_length": 64},
    warmup=5,
    stages=tuple(
        Stage(
            Mixture(8, (0, segments - 1), background=8, **ONE_TASK),
            (64,),
            1e-4,
            1.0,
            10,
            min_steps=10,
        )
        for segments in (1, 2)
    ),
)

# One minute on a laptop: shows that all parts of training work, not that they learn much.
SMOKE = Recipe(
    config=OPEN.config,
    warmup=5,
    stages=(
        Stage(
            Mixture(8, segments=(0, 0), facts=(1, 1), tail_rate=1.0, background=1), (64,), 3e-4, 0.01, 10, min_steps=5
        ),
        Stage(Mixture(8, segments=(1, 2), facts=(1, 2), background=4), (64,), 3e-4, 1.0, 10, gate_penalty=0.5),
    ),
)

RECIPES = {
    "open": OPEN,
    "more": MORE,
    "wider": WIDER,
    "roomy": ROOMY,
    "further": FURTHER,
    "stable": STABLE,
    "steady": STEADY,
    "close": CLOSE,
    "stories": STORIES,
    "sagas": SAGAS,
    "givers": GIVERS,
    "pieces": PIECES,
    "paper": PAPER,
    "paper-brief": PAPER_BRIEF,
    "paper-smoke": PAPER_SMOKE,
    "smoke": SMOKE,
}
