"""The recipes that `python -m rmt_demo train --recipe NAME` knows."""

from ..data.batches import Mixture
from .curriculum import Recipe, Stage

OPEN = Recipe(
    config={
        "memory_update": "gated",
        "text_attends_memory": False,
        "freeze_embeddings": True,
        "cut_at_sentences": True,
    },
    stages=(
        # One segment: learn to find and copy an answer.
        Stage(Mixture(batch_size=48, segments=(0, 0), facts=(1, 1), tail_rate=1.0, background=1), 64, 0.85, 600),
        # The fact alone in the segment before: learn to carry it in memory.
        Stage(Mixture(batch_size=64, segments=(1, 1), facts=(1, 1), questions=2, background=1, tail_rate=0.1), 32, 0.8, 800),
        # More text, more facts, more segments; the write gates are asked to be thrifty.
        Stage(Mixture(segments=(1, 3), facts=(1, 2), questions=3, tail_rate=0.15, background=16), 64, 0.85, 600),
        Stage(Mixture(segments=(1, 8), facts=(1, 3), background=32), 64, 0.88, 600, gate_penalty=0.5),
        Stage(Mixture(segments=(0, 16), facts=(1, 5), background=32), 64, 0.9, 600, gate_penalty=1.0),
        Stage(Mixture(24, segments=(0, 12), facts=(1, 4), background=24), 160, 0.92, 400, gate_penalty=1.0),
        Stage(Mixture(16, segments=(0, 10), facts=(1, 4), background=16), 512, 2.0, 400, gate_penalty=1.0),
    ),
)

RECIPES = {"open": OPEN}
