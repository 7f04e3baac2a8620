"""Supervise the write gates while the rest of the model learns from the answers.

The hidden states that gates see change when the backbone learns: gates left as they are begin to open in noise, and
gates trained by the answers may all shut (see the model card). So a teacher, the model as it was when training began
(`Guide`), or the positions of the facts in the data (`Told`) say what to write. The gates are trained to predict that,
and the memory is written as it says, without sampling but with a known share of "litter", writes that are no fact. All
other weights learn from the answers and, with `Told`, also from the gates' loss.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import backbones, checkpoints
from ..data.batches import Batch
from ..memory import MemoryCell
from ..modeling import RMTModel
from ..write_gate import WriteGate

QUIET = 3.0  # `Guide`: loss weight of gates in segments without a fact
RARE = 10.0  # `Told`: loss weight of gates without a fact; in long texts, one segment in a thousand has a fact
SHUT = -WriteGate.LOW / (WriteGate.HIGH - WriteGate.LOW)  # at this probability or less, a gate is exactly 0


class Guided:
    """Base class: overrides the gates' outputs by target values, and trains the gates to predict these.

    For each batch: `prepare(inputs, batch)` of a subclass computes the targets, then come the model's forward pass and
    `loss()`.

    Args:
        share: share of the segments in which something is written that is no fact (see `litter`).
    """

    heard_by_backbone = False  # whether the gates' loss also trains the backbone

    def __init__(self, share: float):
        self.share = share

    def follow(self, gate: WriteGate) -> None:
        """Override the outputs of this gate from now on, segment by segment."""
        gate.register_forward_hook(self._open)

    def _begin(self, wanted: Tensor, weight: Tensor, order: Tensor) -> None:
        """Store the targets of a batch: the probability with which each gate should open and its weight in the loss,
        both [B, S, m], for the batch's order [B, S]. The gates' outputs are the targets plus some litter."""
        read = order >= 0
        opened = torch.maximum(WriteGate.stretch(wanted), litter(read, wanted.shape[2], self.share))
        steps = zip(read.unbind(1), wanted.unbind(1), weight.unbind(1), opened.unbind(1), strict=True)
        self.steps = ([part[now] for part in parts] for now, *parts in steps if now.any())
        self.losses, self.read = [wanted.new_zeros(())], read.sum().clamp(min=1)

    def _open(self, gate: WriteGate, seen: tuple[Tensor, Tensor], _) -> Tensor:
        wanted, weight, opened = next(self.steps)
        logits = gate.logits(*(part if self.heard_by_backbone else part.detach() for part in seen))
        self.losses.append((weight * divergence(logits, wanted)).sum())
        # DistributedDataParallel looks for trained parameters in the graph of the outputs: keep the gate in it.
        return opened + 0 * logits

    def loss(self) -> Tensor:
        """The divergence of the gates from their targets, summed over memory tokens, mean over the segments read."""
        return torch.stack(self.losses).sum() / self.read


class Guide(Guided):
    """Targets from a teacher: the model as it was when this training began.

    Args:
        init: the teacher, a checkpoint with trained write gates.
        share: see `Guided`.
    """

    def __init__(self, init: str, share: float):
        super().__init__(share)
        device = backbones.pick_device()
        self.teacher = checkpoints.load(init, backbones.pick_dtype(device))[0].to(device).rmt

    def prepare(self, inputs: dict[str, Tensor | int], batch: Batch) -> None:
        """Compute the targets of a batch; `inputs` are the batch's on the model's device."""
        self._begin(*written_at_facts(self.teacher, inputs, batch), inputs["order"])


class Told(Guided):
    """Targets from the data: write the memory tokens in or near a fact, and no others. If each memory token sees the
    whole segment (no `memory_reach`), write all tokens of a segment with a fact. For tasks with few kinds of facts,
    where nothing else is worth writing.

    Args:
        cell: the memory cell that is trained.
        share: see `Guided`.
    """

    heard_by_backbone = True  # so that its hidden states show the gates which tokens belong to a fact

    def __init__(self, cell: MemoryCell, share: float):
        super().__init__(share)
        self.cell = cell

    def prepare(self, inputs: dict[str, Tensor | int], batch: Batch) -> None:
        """Compute the targets of a batch; `inputs` are the batch's on the model's device."""
        order, has_fact = inputs["order"], batch.has_fact.to(inputs["order"].device)
        m = self.cell.config.num_memory_tokens
        wanted = has_fact[..., None].expand(-1, -1, m)
        # A mean over tokens, not a sum: this loss trains the backbone too, and must not drown out that of the answers.
        weight = torch.where(wanted, 1.0, RARE) / m
        if self.cell.config.memory_reach:
            lengths = inputs["attention_mask"][: max(1, inputs["num_trained"])].sum(1)
            in_fact = stands_in_fact(self.cell, lengths, batch.in_fact.to(order.device))
            near = F.max_pool1d(in_fact.float(), WriteGate.NEAR, stride=1, padding=WriteGate.NEAR // 2)
            wanted = wanted & (near > 0)[order * has_fact]
        self._begin(wanted.float(), weight, order)


def litter(where: Tensor, width: int, share: float) -> Tensor:
    """Random writes that are no fact, as they accumulate in a long text: the model must tell them from facts, and know
    the order of facts with any amount of them in between.

    Args:
        where: [B, S] bool, segments that may have litter.
        width: number of memory tokens m.
        share: mean share of the segments with litter; each sample has its own share, from 0 to twice this.

    Returns:
        [B, S, m] float, in each segment with litter a run of ones of random position and length, 0 elsewhere.
    """
    often = 2 * share * torch.rand(len(where), 1, device=where.device)
    now = (where & (torch.rand(where.shape, device=where.device) < often))[..., None]
    begin, further = torch.randint(width, (2, *where.shape, 1), device=where.device)
    at = torch.arange(width, device=where.device)
    return (now & (at >= begin) & (at <= begin + further)).float()


def stands_in_fact(cell, lengths: Tensor, in_fact: Tensor) -> Tensor:
    """Which memory tokens are at the position of a fact's token: lengths [N] of a table's first framed segments, and
    the fact tokens of the table [N or more, L] -> [N, m] bool."""
    m = cell.config.num_memory_tokens
    return in_fact[: len(lengths)].gather(1, cell.positions.of_working(lengths) - m - 1)


@torch.no_grad()
def written_at_facts(model: RMTModel, inputs: dict[str, Tensor | int], batch: Batch) -> tuple[Tensor, Tensor]:
    """What a model writes when it reads only a batch's segments with facts. `inputs` are the batch's on the model's
    device.

    Returns:
        The probability with which each gate should open, 0 in segments without a fact, and its weight in the loss, both
        [B, S, m]. In a segment with a fact, the weight is 1 for memory tokens in the fact and for shut gates. It is 0
        for other open gates, since what is written beside a fact may or may not help to keep it.
    """
    order, has_fact = inputs["order"], batch.has_fact.to(inputs["order"].device)
    ids, mask = (inputs[name][: max(1, inputs["num_trained"])] for name in ("input_ids", "attention_mask"))
    cell, start, memory = model.cell, model.memory, model.initial_memory(len(order))
    text, wanted = cell.encode_text(ids, mask), torch.zeros(*order.shape, len(start), device=order.device)
    for step in range(order.shape[1]):
        if len(now := has_fact[:, step].nonzero()[:, 0]):
            old = memory[now]
            new = cell.update(old, text.rows(order[now, step]))
            wanted[now, step] = cell.gate.logits(start.expand_as(new), new).sigmoid()
            written = cell.put(old, new, WriteGate.stretch(wanted[now, step]), start)[0]
            memory = memory.index_put((now,), written)
    in_fact = stands_in_fact(cell, mask.sum(1), batch.in_fact.to(order.device))[order * has_fact]
    return wanted, torch.where(has_fact[..., None], (in_fact | (wanted <= SHUT)).float(), QUIET)


def divergence(logits: Tensor, wanted: Tensor) -> Tensor:
    """KL divergence of each gate with these logits from the target probability `wanted`, element by element."""
    loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return loss - torch.special.entr(wanted) - torch.special.entr(1 - wanted)
