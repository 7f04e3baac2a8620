"""Write gates that are told what to write while all else learns.

What gates see moves when the backbone learns: left as they are they come to open in noise, and trained along by the
answers they may all shut (see the model card). So the model as it was says what to write (`Guide`), or the data say it
(`Told`), and the gates learn to say the same of what they see now. Nothing is sampled, and a known share of litter is
written: all other weights learn from the answers and, with `Told`, to show the gates what is a fact.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .. import backbones, checkpoints
from ..data.batches import Batch
from ..memory import MemoryCell
from ..modeling import RMTModel
from ..write_gate import WriteGate

QUIET = 3.0  # how much more it counts what the gates do in a segment without a fact
RARE = 10.0  # and beside a fact as well, for `Told`: a long text has a thousand segments without a fact for one with
SHUT = -WriteGate.LOW / (WriteGate.HIGH - WriteGate.LOW)  # a gate of this probability or less is exactly shut


class Guided:
    """Gates that open as they are told, and learn to do so themselves; `prepare` of the classes below says how far.

    A batch: `prepare(inputs, batch)`, the model's forward pass, `loss()`.

    Args:
        share: of the segments, those in which something is written that is no fact (see `litter`).
    """

    heard_by_backbone = False  # does the backbone, too, learn from what the gates are told?

    def __init__(self, share: float):
        self.share = share

    def follow(self, gate: WriteGate) -> None:
        """From now on this gate opens as far as `prepare` has found, segment by segment."""
        gate.register_forward_hook(self._open)

    def _begin(self, wanted: Tensor, weight: Tensor, order: Tensor) -> None:
        """Take what gates should learn and how much it counts, [B, S, m]; which segments have a fact, and the order of
        a batch, [B, S]. Meanwhile gates open as far as is wanted, with some litter."""
        read = order >= 0
        opened = torch.maximum(WriteGate.stretch(wanted), litter(read, wanted.shape[2], self.share))
        steps = zip(read.unbind(1), wanted.unbind(1), weight.unbind(1), opened.unbind(1), strict=True)
        self.steps = ([part[now] for part in parts] for now, *parts in steps if now.any())
        self.losses, self.read = [wanted.new_zeros(())], read.sum().clamp(min=1)

    def _open(self, gate: WriteGate, seen: tuple[Tensor, Tensor], _) -> Tensor:
        wanted, weight, opened = next(self.steps)
        logits = gate.logits(*(part if self.heard_by_backbone else part.detach() for part in seen))
        self.losses.append((weight * divergence(logits, wanted)).sum())
        return opened + 0 * logits  # the gate is learning: several processes share the gradients of what outputs show

    def loss(self) -> Tensor:
        """How far the gates were from what is wanted, summed over the memory tokens of a segment."""
        return torch.stack(self.losses).sum() / self.read


class Guide(Guided):
    """Says to write what the model wrote when this training began.

    Args:
        init: a checkpoint whose write gates have been taught, the teacher.
        share: see `Guided`.
    """

    def __init__(self, init: str, share: float):
        super().__init__(share)
        device = backbones.pick_device()
        self.teacher = checkpoints.load(init, backbones.pick_dtype(device))[0].to(device).rmt

    def prepare(self, inputs: dict[str, Tensor | int], batch: Batch) -> None:
        """Find what is to be written of a batch: `inputs` are the batch's on the model's device."""
        self._begin(*written_at_facts(self.teacher, inputs, batch), inputs["order"])


class Told(Guided):
    """Says to write the memory tokens that stand in or near a fact or, where each of them sees the whole segment, all
    of a segment with a fact, and no others. For tasks whose facts are of few kinds: nothing else is worth a write.

    Args:
        cell: the memory cell that is trained.
        share: see `Guided`.
    """

    heard_by_backbone = True  # what it is to show the gates are facts, whatever else it learns

    def __init__(self, cell: MemoryCell, share: float):
        super().__init__(share)
        self.cell = cell

    def prepare(self, inputs: dict[str, Tensor | int], batch: Batch) -> None:
        """Find what is to be written of a batch: `inputs` are the batch's on the model's device."""
        order, has_fact = inputs["order"], batch.has_fact.to(inputs["order"].device)
        m = self.cell.config.num_memory_tokens
        wanted = has_fact[..., None].expand(-1, -1, m)
        # Their mean, not their sum: the backbone hears of it, and is to hear of the answers as well.
        weight = torch.where(wanted, 1.0, RARE) / m
        if self.cell.config.memory_reach:
            lengths = inputs["attention_mask"][: max(1, inputs["num_trained"])].sum(1)
            in_fact = stands_in_fact(self.cell, lengths, batch.in_fact.to(order.device))
            near = F.max_pool1d(in_fact.float(), WriteGate.NEAR, stride=1, padding=WriteGate.NEAR // 2)
            wanted = wanted & (near > 0)[order * has_fact]
        self._begin(wanted.float(), weight, order)


def litter(where: Tensor, width: int, share: float) -> Tensor:
    """What a long text writes that is no fact: a question must tell the two apart, and know the order of facts however
    much lies between them. For segments `where` [B, S] now and then a run of open gates of any length, [B, S, m]; in
    some samples hardly ever, in others up to twice as often as the `share` it is on average."""
    often = 2 * share * torch.rand(len(where), 1, device=where.device)
    now = (where & (torch.rand(where.shape, device=where.device) < often))[..., None]
    begin, further = torch.randint(width, (2, *where.shape, 1), device=where.device)
    at = torch.arange(width, device=where.device)
    return (now & (at >= begin) & (at <= begin + further)).float()


def stands_in_fact(cell, lengths: Tensor, in_fact: Tensor) -> Tensor:
    """Which memory tokens stand in a fact: lengths [N] of a table's first framed segments, and the table's tokens of
    facts [N or more, L] -> [N, m]."""
    m = cell.config.num_memory_tokens
    return in_fact[: len(lengths)].gather(1, cell.positions.of_working(lengths) - m - 1)


@torch.no_grad()
def written_at_facts(model: RMTModel, inputs: dict[str, Tensor | int], batch: Batch) -> tuple[Tensor, Tensor]:
    """What a model writes of a batch's segments with facts, reading nothing else: the probability with which each gate
    should open, 0 elsewhere, and how much that counts, both [B, S, m]. `inputs` are the batch's on the model's device.

    In a segment with a fact, memory tokens that stand in it count 1, and so do gates that are shut. What is written
    beside a fact may help to keep it: nobody knows, 0."""
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
    """KL divergence of gates that open with the probability `wanted` from gates with these logits, each of its own."""
    loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return loss - torch.special.entr(wanted) - torch.special.entr(1 - wanted)
