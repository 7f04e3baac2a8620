"""What of a new memory is written, and where: a hard gate per memory token, and a free one for what would overwrite."""

import torch
from torch import Tensor, nn


class WriteGate(nn.Module):
    """One hard gate per memory token: memory <- memory + g * (new - memory). This is where g comes from.

    g is a hard concrete variable (arXiv 1712.01312, section 2.2): a sigmoid stretched to (-0.1, 1.1) and clamped, so
    that it is exactly 0 or exactly 1 most of the time. Sampled in training, deterministic in evaluation. Where g is 0
    the memory stays bit-identical. While `held_open`, everything is written, as without a gate: sampled gates act like
    dropout on memory tokens, which rewards a model that has yet to learn to write for writing the same to all of them.

    A gate sees the old and the new memory token, what its four nearest neighbours have to write and, on average, what
    all of them have: a sentence of a novel looks like a fact to one memory token alone, and much less so to all.
    """

    TEMPERATURE, LOW, HIGH = 2 / 3, -0.1, 1.1
    WIDTH, NEAR = 96, 5

    def __init__(self, width: int):
        super().__init__()
        self.own = nn.Linear(2 * width, self.WIDTH)
        self.near = nn.Conv1d(self.WIDTH, self.WIDTH, self.NEAR, padding="same")
        self.all = nn.Linear(self.WIDTH, self.WIDTH)
        self.score = nn.Linear(self.WIDTH, 1)
        self.held_open = False

    def logits(self, memory: Tensor, new: Tensor) -> Tensor:
        """memory, new [B, m, d] -> how much speaks for writing each token [B, m]; above 0 a gate is more than half
        open, below -2.4 it is shut."""
        seen = nn.functional.gelu(self.own(torch.cat([memory, new.to(memory.dtype)], dim=-1)))
        seen = self.near(seen.transpose(1, 2)).transpose(1, 2) + self.all(seen.mean(1, keepdim=True))
        return self.score(nn.functional.gelu(seen))[..., 0].float()

    @classmethod
    def stretch(cls, probability: Tensor) -> Tensor:
        """The sigmoid of a score -> g, of the same shape."""
        return (probability * (cls.HIGH - cls.LOW) + cls.LOW).clamp(0, 1)

    def forward(self, memory: Tensor, new: Tensor) -> Tensor:
        """memory, new [B, m, d] -> g [B, m]."""
        if self.held_open or memory.shape[1] == 0:
            return new.new_ones(new.shape[:2])
        logit = self.logits(memory, new)
        if self.training:
            noise = torch.rand_like(logit).clamp(1e-6, 1 - 1e-6)
            logit = (torch.logit(noise) + logit) / self.TEMPERATURE
        return self.stretch(logit.sigmoid())


HELD = 0.25  # a memory token holds something if it is this far from its start, on the way to what would be written
OPEN = 0.05  # a gate that is open less than this does no harm to what is held


def to_free_slots(memory: Tensor, new: Tensor, gate: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """Send what would be written over something to memory tokens that are free, as long as there are any.

    A question sees the memory as a set: what is held is found wherever it stands, but half of a fact is of no use.

    Args:
        memory, new: [B, m, d].
        gate: [B, m], how far each is to be written.
        start: [m, d], the memory that a text begins with.

    Returns:
        new [B, m, d] and gate [B, m], what is to be written to each memory token and how far.
    """
    held = (memory - start).norm(dim=-1) > HELD * (new - start).norm(dim=-1)
    moves, free = (gate > OPEN) & held, (gate <= OPEN) & ~held
    # The first to move goes to the first that is free, and so on.
    origin, target = (torch.argsort((~which).int(), dim=1, stable=True) for which in (moves, free))
    stays = torch.arange(gate.shape[1], device=gate.device).expand(gate.shape)
    pairs = stays < torch.minimum(moves.sum(1), free.sum(1))[:, None]
    source = stays.scatter(1, target, torch.where(pairs, origin, target))
    leaves, arrives = (torch.zeros_like(pairs).scatter(1, end, pairs) for end in (origin, target))
    gate = torch.where(arrives, gate.gather(1, source), gate.masked_fill(leaves, 0))
    return new.gather(1, source[..., None].expand_as(new)), gate
