"""What of a new memory is written, and what becomes of the old: a hard gate per memory token, and room to move to."""

import torch
from torch import Tensor, nn


class WriteGate(nn.Module):
    """One hard gate per memory token: memory <- memory + g * (new - memory). This is where g comes from.

    g is a hard concrete variable (arXiv 1712.01312, section 2.2): a sigmoid stretched to (-0.1, 1.1) and clamped, so
    that it is exactly 0 or exactly 1 most of the time. Sampled in training, deterministic in evaluation. Where g is 0
    the memory stays bit-identical. While `held_open`, everything is written, as without a gate: sampled gates act like
    dropout on memory tokens, which rewards a model that has yet to learn to write for writing the same to all of them.

    A gate sees which memory token it is (by what that is at the start of a text), what it would write, what its four
    nearest neighbours would and, on average, what all of them would: a sentence of a novel looks like a fact to one
    memory token alone, and much less so to all. It does not see what the memory holds: that says nothing about whether
    this is a fact, and gates that do see it are wrong more often when the memory is full.
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

    def logits(self, start: Tensor, new: Tensor) -> Tensor:
        """start, new [B, m, d] -> how much speaks for writing each token [B, m]; above 0 a gate is more than half open,
        below -2.4 it is shut."""
        seen = nn.functional.gelu(self.own(torch.cat([start, new.to(start.dtype)], dim=-1)))
        seen = self.near(seen.transpose(1, 2)).transpose(1, 2) + self.all(seen.mean(1, keepdim=True))
        return self.score(nn.functional.gelu(seen))[..., 0].float()

    @classmethod
    def stretch(cls, probability: Tensor) -> Tensor:
        """The sigmoid of a score -> g, of the same shape."""
        return (probability * (cls.HIGH - cls.LOW) + cls.LOW).clamp(0, 1)

    def forward(self, start: Tensor, new: Tensor) -> Tensor:
        """start, new [B, m, d] -> g [B, m]."""
        if self.held_open or new.shape[1] == 0:
            return new.new_ones(new.shape[:2])
        logit = self.logits(start, new)
        if self.training:
            noise = torch.rand_like(logit).clamp(1e-6, 1 - 1e-6)
            logit = (torch.logit(noise) + logit) / self.TEMPERATURE
        return self.stretch(logit.sigmoid())


HELD = 0.25  # a memory token holds something if it is this far from its start, on the way to what would be written
OPEN = 0.05  # a gate that is open less than this does no harm to what is held


def put_aside(memory: Tensor, new: Tensor, gate: Tensor, start: Tensor) -> Tensor:
    """Make room before a segment is written: what the working tokens hold moves to the stored tokens, behind the rest.

    A question sees the memory as a set, so that what is held is found wherever it stands; and where it stands among the
    stored tokens says when it was read. When there are more to store than there is room for, those that were written
    least go. Their length tells: what would be written is about as long in all, a normalised output of the backbone,
    and a text begins with short ones, so that a token is as long as its gate was open. Gates are wide open for facts
    more often than for what merely reads like one.

    Args:
        memory: [B, m + s, d], m working tokens and s stored ones; those that are all 0 are blank.
        new: [B, m, d], what the segment would write.
        gate: [B, m], how far each is to be written; where none is open nothing moves.
        start: [m, d], the working tokens that a text begins with, and again those that have moved.
    """
    m = gate.shape[1]
    working, stored = memory[:, :m], memory[:, m:]
    opens = (gate > OPEN).any(1)[:, None, None]
    if not bool(opens.any()):  # as in most segments
        return memory
    held = ((working - start).norm(dim=-1) > HELD * (new - start).norm(dim=-1))[..., None]
    aged = torch.cat([stored, working * held], dim=1)  # oldest first
    written = aged.detach().norm(dim=-1)
    longest = written.topk(stored.shape[1]).indices
    # Those that stay keep their order. Blank ones come last: there is one behind all others.
    rank = longest.masked_fill(written.gather(1, longest) == 0, aged.shape[1]).sort().values
    kept = nn.functional.pad(aged, (0, 0, 0, 1)).gather(1, rank[..., None].expand_as(stored))
    moved = torch.cat([torch.where(held, start.to(memory.dtype), working), kept], dim=1)
    return torch.where(opens, moved, memory)
