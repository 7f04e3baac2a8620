"""Two additions to the paper's memory update: a hard write gate per working token, and stored tokens."""

import torch
from torch import Tensor, nn


class WriteGate(nn.Module):
    """Computes g in memory <- memory + g * (new - memory), one hard gate per working token.

    g is a hard concrete variable (arXiv 1712.01312, section 2.2): a sigmoid stretched to (-0.1, 1.1) and clamped, so
    that it is exactly 0 or exactly 1 most of the time. It is sampled in training and deterministic in evaluation. Where
    g is 0 the memory stays bit-identical. With `held_open`, g is 1 everywhere, as without a gate. This is for the start
    of training: sampled gates act like dropout on memory tokens, so a model that has yet to learn to write is rewarded
    for writing the same to all of them.

    The gate of a token depends on the token's initial value (which identifies it), on its new value, on those of its
    four nearest neighbours, and on the mean over all tokens: a sentence of a novel looks like a fact to a single memory
    token, and much less so to all of them. It does not depend on the old memory, which says nothing about whether the
    text is a fact; gates that saw it were wrong more often when the memory was full.
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
        """start, new [B, m, d] -> gate logits [B, m]: above 0 a gate is more than half open, below -2.4 it is shut."""
        seen = nn.functional.gelu(self.own(torch.cat([start, new.to(start.dtype)], dim=-1)))
        seen = self.near(seen.transpose(1, 2)).transpose(1, 2) + self.all(seen.mean(1, keepdim=True))
        return self.score(nn.functional.gelu(seen))[..., 0].float()

    @classmethod
    def stretch(cls, probability: Tensor) -> Tensor:
        """Stretch and clamp the sigmoid of a logit to g, same shape."""
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


HELD = 0.25  # a working token has content if its distance from its initial value exceeds this share of the new value's
OPEN = 0.05  # gates open by no more than this do not harm the content


def store(memory: Tensor, new: Tensor, gate: Tensor, start: Tensor) -> Tensor:
    """Move the content of the working tokens to the stored tokens, before a segment is written.

    The moved tokens go behind the ones stored before, so that the order of the stored tokens is the order of reading.
    The question's segment attends to all memory tokens, so content is found wherever it is stored.

    If there is no room for all, the tokens with the smallest norm are dropped: those written with the least open gate.
    The norm shows it because new values, normalised outputs of the backbone, all have about the same norm and initial
    values have a small one. Gates open wide for facts more often than for text that merely resembles one.

    Args:
        memory: [B, m + s, d], m working tokens and s stored ones; a stored token of zeros is blank.
        new: [B, m, d], the new working tokens.
        gate: [B, m], the write gates; samples without an open gate stay as they are.
        start: [m, d], the initial working tokens; tokens that have moved are reset to them.

    Returns:
        The memory [B, m + s, d] to write to.
    """
    m = gate.shape[1]
    working, stored = memory[:, :m], memory[:, m:]
    writes = (gate > OPEN).any(1)[:, None, None]
    if not bool(writes.any()):  # as in most segments
        return memory
    held = ((working - start).norm(dim=-1) > HELD * (new - start).norm(dim=-1))[..., None]
    content = torch.cat([stored, working * held], dim=1)  # oldest first
    norms = content.detach().norm(dim=-1)
    largest = norms.topk(stored.shape[1]).indices
    # The kept tokens stay in order. Blank ones index the zero row padded behind all others, so that they come last.
    index = largest.masked_fill(norms.gather(1, largest) == 0, content.shape[1]).sort().values
    kept = nn.functional.pad(content, (0, 0, 0, 1)).gather(1, index[..., None].expand_as(stored))
    moved = torch.cat([torch.where(held, start.to(memory.dtype), working), kept], dim=1)
    return torch.where(writes, moved, memory)
