"""Curriculum learning: easy stages first; the next stage begins when accuracy on fresh samples passes a threshold.

Every training batch is freshly drawn, so its smoothed accuracy is an accuracy on unseen samples. Short segments come
first: with 64 tokens per segment, writing to memory is learned in minutes; with 512 it takes hours.
"""

from dataclasses import dataclass, field

from ..data.samples import Mixture

SMOOTHING = 0.05  # weight of the newest batch in the running accuracy


@dataclass(frozen=True)
class Stage:
    """One stage of the curriculum.

    mixture         what the haystacks look like
    segment_lengths tokens per model input; each batch uses a random one of these
    learning_rate   of AdamW; in the last stage it falls linearly to zero
    threshold       accuracy (share of questions answered exactly) at which the next stage begins
    max_steps       the next stage begins after at most this many steps
    min_steps       and after at least this many
    gate_penalty    weight of the mean gate opening in the loss (times `train.QUIET_PENALTY` in segments without a
                    fact); changes linearly from the previous stage's over the first 100 steps; 0 holds the gates open
    """

    mixture: Mixture
    segment_lengths: tuple[int, ...]
    learning_rate: float = 3e-4
    threshold: float = 0.9
    max_steps: int = 1000
    min_steps: int = 40
    gate_penalty: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Everything that defines a training run, apart from backbone, seed and background.

    head            "masked_lm" (open answers) or "classification" (one of the paper's six places)
    config          RMTConfig fields that differ from the paper's
    stages          the curriculum; the last stage lasts exactly its max_steps
    goes_on         starts from a checkpoint (--init), not from a bare backbone
    weight_decay    of AdamW
    warmup          steps at the start of the run over which the learning rate rises linearly
    guided_gates    the initial model (--init), whose gates are already trained, is the teacher of the write gates (see
                    `guide.py`): if they learned from the answers, a few costly false writes in a batch could shut them
    told_gates      the data supervise the write gates: write the memory tokens of facts and no others
    litter          with either, the share of segments in which tokens without a fact are written on purpose
    by_piece        ask for one piece of an answer at a time, as in inference (see `forcing.py`)
    rank            train and store only a change of this rank to the attention of --init, or, if --init is such a
                    change itself, train that on (see `low_rank.py`); 0: train all weights
    init_share      share of the initial weights (--init) in the average of initial and trained weights that is saved:
                    at one half, a checkpoint has learned most of the new and keeps the old abilities (arXiv 2109.01903)
    """

    stages: tuple[Stage, ...]
    head: str = "masked_lm"
    config: dict = field(default_factory=dict)
    goes_on: bool = False
    weight_decay: float = 1e-3
    warmup: int = 50
    guided_gates: bool = False
    told_gates: bool = False
    litter: float = 0.15
    by_piece: bool = False
    rank: int = 0
    init_share: float = 0.0


class Curriculum:
    """The progress of a run through its stages. Saved and restored with the rest of the training state."""

    def __init__(self, stages: tuple[Stage, ...]):
        self.stages = stages
        self.index, self.steps, self.accuracy = 0, 0, 0.0

    @property
    def stage(self) -> Stage:
        """The current stage."""
        return self.stages[self.index]

    @property
    def is_last(self) -> bool:
        """Whether the current stage is the last one."""
        return self.index == len(self.stages) - 1

    @property
    def finished(self) -> bool:
        """Whether the last stage is over."""
        return self.is_last and self.steps >= self.stage.max_steps

    def update(self, accuracy: float) -> bool:
        """Count one step with its batch's accuracy; return whether the next stage begins."""
        self.steps += 1
        weight = max(SMOOTHING, 1 / self.steps)
        self.accuracy += weight * (accuracy - self.accuracy)
        ready = self.accuracy >= self.stage.threshold and self.steps >= self.stage.min_steps
        if self.is_last or not (ready or self.steps >= self.stage.max_steps):
            return False
        self.index, self.steps, self.accuracy = self.index + 1, 0, 0.0
        return True

    def gate_penalty(self) -> float:
        """The stage's penalty, reached linearly from the previous stage's over the first 100 steps."""
        before = self.stages[self.index - 1].gate_penalty if self.index else 0.0
        return before + (self.stage.gate_penalty - before) * min(1.0, self.steps / 100)

    def learning_rate(self) -> float:
        """The stage's learning rate; in the last stage it falls linearly to 0."""
        left = 1 - self.steps / self.stage.max_steps if self.is_last else 1.0
        return self.stage.learning_rate * max(0.0, left)

    def state_dict(self) -> dict:
        return {"index": self.index, "steps": self.steps, "accuracy": self.accuracy}

    def load_state_dict(self, state: dict) -> None:
        self.index, self.steps, self.accuracy = state["index"], state["steps"], state["accuracy"]
