"""Recipes for the paper's three tasks: those of rmt-places, and the paper's own."""

import dataclasses

from ...data.samples import Mixture
from ..curriculum import Recipe, Stage

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
# is not taken for a fact (see its model card). For the checkpoint of STABLE.
STEADY = dataclasses.replace(
    STABLE,
    goes_on=True,
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
