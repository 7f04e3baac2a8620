"""Curriculum learning: easy stages first, the next one when accuracy on fresh samples passes a threshold.

Every training batch is freshly drawn, so its own accuracy, smoothed, is the accuracy on fresh samples. Short segments
come first: with 64 tokens to look at, writing to memory is learned in minutes; with 512 it takes hours.
"""

from dataclasses import dataclass, field

from ..data.samples import Mixture

SMOOTHING = 0.05  # weight of the newest batch in the running accuracy


@dataclass(frozen=True)
class Stage:
    """One step of the curriculum.

    mixture         what the haystacks look like
    segment_lengths tokens per model input; each batch draws one of these
    learning_rate   of AdamW; in the last stage it falls linearly to zero
    threshold       accuracy (share of questions answered exactly) at which the next stage begins
    max_steps       the next stage begins after so many steps at the latest
    min_steps       and after so many at the earliest
    gate_penalty    weight of the mean openness of the write gates in the loss (`train.QUIET_PENALTY` times that in
                    segments without a fact), reached over the first 100 steps from that of the stage before; 0 holds
                    the gates open
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
    """All there is to say about one training run.

    head            "masked_lm" (open answers) or "classification" (one of the paper's six places)
    config          RMTConfig fields that differ from the paper's
    stages          the curriculum; the last stage lasts exactly its max_steps
    goes_on         from a checkpoint (--init), and not from a bare backbone
    weight_decay    of AdamW
    warmup          steps over which the learning rate rises linearly at the very beginning
    guided_gates    the model that the run begins with says what to write (see `guide.py`), once its gates know facts:
                    with gates that learn from the answers, a few dear false writes in one batch would shut them all
    told_gates      the data say what to write: the memory tokens of facts, and none elsewhere
    litter          with either, the share of segments in which something is written that is no fact
    by_piece        ask for one piece of an answer at a time, as when it is filled in (see `forcing.py`)
    rank            only a change of this rank of the attention of --init is trained and stored (see `low_rank.py`); 0:
                    everything is
    init_share      share of the weights the run began with (--init) in those it saves: half way, a checkpoint has most
                    of what is new and keeps what it could (arXiv 2109.01903)
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
    """Where a run is among its stages. Saved and restored with the rest of the training state."""

    def __init__(self, stages: tuple[Stage, ...]):
        self.stages = stages
        self.index, self.steps, self.accuracy = 0, 0, 0.0

    @property
    def stage(self) -> Stage:
        """The one that the run is in."""
        return self.stages[self.index]

    @property
    def is_last(self) -> bool:
        """Whether no stage comes after it."""
        return self.index == len(self.stages) - 1

    @property
    def finished(self) -> bool:
        """Whether the last stage is over."""
        return self.is_last and self.steps >= self.stage.max_steps

    def update(self, accuracy: float) -> bool:
        """Count one step with its batch's accuracy; True if the next stage has begun."""
        self.steps += 1
        weight = max(SMOOTHING, 1 / self.steps)
        self.accuracy += weight * (accuracy - self.accuracy)
        ready = self.accuracy >= self.stage.threshold and self.steps >= self.stage.min_steps
        if self.is_last or not (ready or self.steps >= self.stage.max_steps):
            return False
        self.index, self.steps, self.accuracy = self.index + 1, 0, 0.0
        return True

    def gate_penalty(self) -> float:
        """The stage's, rising or falling from that of the stage before over its first 100 steps."""
        before = self.stages[self.index - 1].gate_penalty if self.index else 0.0
        return before + (self.stage.gate_penalty - before) * min(1.0, self.steps / 100)

    def learning_rate(self) -> float:
        """The stage's, falling linearly to 0 over the last stage."""
        left = 1 - self.steps / self.stage.max_steps if self.is_last else 1.0
        return self.stage.learning_rate * max(0.0, left)

    def state_dict(self) -> dict:
        return {"index": self.index, "steps": self.steps, "accuracy": self.accuracy}

    def load_state_dict(self, state: dict) -> None:
        self.index, self.steps, self.accuracy = state["index"], state["steps"], state["accuracy"]
