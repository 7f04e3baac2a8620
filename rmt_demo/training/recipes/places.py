"""Recipes for the paper's three tasks: those of rmt-places, and those of the paper's own model."""

import dataclasses

from ...data.samples import Mixture
from ..curriculum import Recipe, Stage

# The paper's three tasks in segments of the paper's size (10 memory tokens and 499 text tokens), with write gates and
# text that is encoded in parallel. The backbone is the shipped checkpoint (train --backbone checkpoints/rmt-minilm),
# which already can write and reason. A run from MiniLM itself that trained only attention was still guessing which of
# two places a question is about when it was stopped (see the model card of rmt-places).
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
        # At this point, the hardest case is both facts in one segment.
        Stage(Mixture(32, (1, 3), background=16, **THREE_TASKS), (64, 128, 256, 512), 2e-4, 1.0, 75),
    ),
)

# Noise with fragments of facts in it (`lures`), so that a place mentioned in passing is not written as a fact, which
# matters over thousands of segments (see the model card of rmt-places). Starts from the checkpoint of STABLE.
STEADY = dataclasses.replace(
    STABLE,
    goes_on=True,
    stages=(Stage(Mixture(16, (1, 12), background=48, lures=0.5, **THREE_TASKS), (256, 512), 1e-4, 1.0, 200),),
)

# Both facts in one segment again, in such noise and in texts that repeat a few words (`echoes`). Starts from the
# checkpoint of STEADY.
CLOSE = dataclasses.replace(
    STEADY,
    stages=(
        Stage(Mixture(32, (1, 3), background=24, lures=0.5, echoes=0.5, **THREE_TASKS), (256, 512), 2e-4, 1.0, 130),
    ),
)

# The paper's own model and tasks (arXiv 2304.11062): six-way classification of increasingly long inputs. A stage for n
# segments has shorter inputs too, or the model would learn to rely on the number of segments. Needs a GPU.
ONE_TASK = {"questions": 1, "tail_rate": 1.0, "task_rate": 1.0}
PAPER = Recipe(
    head="classification",
    config={"num_labels": 6},  # all else in RMTConfig is the paper's by default
    stages=tuple(
        Stage(Mixture(32, (0, segments - 1), **ONE_TASK), (512,), 5e-5, 0.98, 2000) for segments in range(1, 8)
    ),
)

# The same on a CPU, about an hour for each task: fewer steps from stage to stage, a higher learning rate, and smaller
# batches in which every sample has the stage's full length, as in the paper. Gradients through many segments need a
# lower rate: at 2e-4, "memorize" was almost always right in stages 3 to 5, but only about half the time after stage 7.
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
