"""Teach a trained model's write gates to tell facts from text that only looks like facts:

    python -m rmt_demo.training.gates --init runs/more --out runs/rmt-minilm --background kjv pydoc speeches.txt

Training by answers (`train.py`) says little about gates: a false write costs an answer only if it hits what is asked
for, thousands of segments later. But what the gates should do can be said outright. Where a memory token stands in a
fact, what the model writes by itself is right; in a segment without a fact, nothing is. So the trained model reads
stories hidden in many kinds of text, what its gates see is kept, and a new gate learns from that like any classifier.
All else stays as it is: no backward pass goes through the backbone, and minutes on a CPU are enough.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from tqdm import trange

from .. import backbones, checkpoints
from ..data import corpora
from ..data.batches import Batch, BatchMaker, Mixture
from ..memory import WriteGate
from ..modeling import RMTModel
from .recipes import MIXED
from .train import story_words

STORIES = Mixture(
    32, (1, 8), facts=(1, 5), questions=1, tail_rate=0.0, task_rate=0.35, tasks=(*MIXED, "qa1", "qa4"), background=72
)
SEGMENT_SHARES = (0.55, 0.75, 1.0, 1.0)  # of the model's segment length; each batch draws one of these
EPOCHS, BATCH, RATE, DECAY = 6, 256, 2e-3, 1e-2
ROUNDS, HARD = 6, 0.5  # how often hard examples are looked for, and the loss that makes one
QUIET = 3.0  # how much more it counts what the gates do in a segment without a fact
STRICTER = 0.5  # taken from the bias in the end: chosen on training words, for long texts at a small cost in short ones
SHUT = -WriteGate.LOW / (WriteGate.HIGH - WriteGate.LOW)  # a gate of this probability or less is exactly shut


@dataclass
class Examples:
    """What the gates met in N segments.

    memory, new   [N, m, d] what they saw
    wanted        [N, m] the probability with which a memory token should be written
    weight        [N, m] how much that counts; 0 where nobody knows
    """

    memory: Tensor
    new: Tensor
    wanted: Tensor
    weight: Tensor


FIELDS = ("memory", "new", "wanted", "weight")


def teach(
    init: str | Path,
    out: str | Path,
    background: Sequence[str | Path] = ("kjv", "pydoc"),
    batches: int = 40,
    seed: int = 0,
) -> None:
    """Give the checkpoint `init` a newly taught gate and save it in `out`.

    Args:
        init: a trained checkpoint with `memory_update="gated"`, `spread_memory` and not `text_attends_memory`.
        out: folder for the checkpoint and `training.json`.
        background: names of corpora (their training parts are read) or text files; the more kinds, the better.
        batches: of 32 haystacks from each text; a batch takes about 4 seconds on one CPU core and 10 MB of memory.
        seed: of the stories, and of the gate's new weights.

    Raises:
        ValueError: for fewer than one batch, if the checkpoint or a text cannot be found, or the checkpoint is of
            another kind.
    """
    if batches < 1:
        raise ValueError(f"Ask for one or more batches, not {batches}.")
    began, device = time.time(), backbones.pick_device()
    model, tokenizer = checkpoints.load(str(init), backbones.pick_dtype(device))
    config = model.config
    if config.memory_update != "gated" or not config.spread_memory or config.text_attends_memory:
        raise ValueError(f"{init} has no write gates, or no memory apart from the text: train it by recipe 'more'.")
    model.to(device)
    words, parts = story_words(tokenizer), []
    for text in [corpora.load(name, "train") for name in background]:
        maker = BatchMaker(model.config, tokenizer, text, "train", words)
        parts += [collect(model.rmt, draw(maker, f"{seed}/{text.name}/{i}")) for i in trange(batches, desc=text.name)]
    torch.manual_seed(seed)
    gate = WriteGate(model.backbone.config.hidden_size).to(device)
    fit(gate, parts, seed)
    with torch.no_grad():
        gate.score.bias -= STRICTER
    model.rmt.cell.gate = gate
    model.to(torch.bfloat16).save_pretrained(out)
    made = {
        "gates": [str(name) for name in background],
        "batches": batches,
        "seed": seed,
        "init": str(init),
        "segments": sum(len(part.wanted) for part in parts),
        "minutes": round((time.time() - began) / 60, 1),
        "machine": backbones.describe_machine(device),
        "torch": torch.__version__,
    }
    (Path(out) / "training.json").write_text(json.dumps(made, indent=1) + "\n")


def draw(maker: BatchMaker, seed: str) -> Batch:
    """One batch of stories in segments of one of the lengths."""
    length = round(Random(seed).choice(SEGMENT_SHARES) * maker.config.segment_length)
    return maker.batch(STORIES, seed, length)


@torch.no_grad()
def collect(model: RMTModel, batch: Batch) -> Examples:
    """Read a batch with the gates as they are and keep what they saw of every segment, on the CPU in bfloat16."""
    device, cell, kept = model.device, model.cell, []
    ids, mask, order = (batch.inputs[name].to(device) for name in ("input_ids", "attention_mask", "order"))
    text, memory = cell.encode_text(ids, mask), model.initial_memory(len(order))
    in_fact = stands_in_fact(cell, mask.sum(1), batch.in_fact.to(device))
    for step in range(order.shape[1]):
        rows, real = order[:, step].clamp(min=0), order[:, step] >= 0
        new = cell.update(memory, text.rows(rows))
        own, has_fact = cell.gate.logits(memory, new).sigmoid(), batch.has_fact[:, step].to(device)[:, None]
        wanted = own * has_fact
        known = in_fact[rows] | (own <= SHUT)  # what is written beside a fact may help to keep it
        weight = torch.where(has_fact, known, QUIET)
        kept.append([part[real].to("cpu", torch.bfloat16) for part in (memory, new, wanted, weight)])
        memory = torch.where(real[:, None, None], cell.gate(memory, new)[0], memory)
    return Examples(*(torch.cat(parts) for parts in zip(*kept, strict=True)))


def stands_in_fact(cell, lengths: Tensor, in_fact: Tensor) -> Tensor:
    """Which memory tokens stand in a fact: lengths [N] of framed segments, their tokens of facts [N, L] -> [N, m]."""
    m = cell.config.num_memory_tokens
    return in_fact.gather(1, cell.memory_positions(lengths) - m - 1)


def fit(gate: WriteGate, parts: list[Examples], seed: int) -> None:
    """Train a gate on examples: AdamW on `loss_of`, the rate rising and falling once.

    Most noise looks like no fact at all, and is learned at once. So after every so many steps all examples are looked
    through, and from then on half of each batch is of those that are still hard.
    """
    rng = Random(seed)
    everything = hard = [(part, row) for part in parts for row in range(len(part.wanted))]
    steps = EPOCHS * (len(everything) // BATCH + 1)
    optimizer = torch.optim.AdamW(gate.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for step in trange(steps, desc="gates"):
        if step and step % -(-steps // ROUNDS) == 0:
            hard = still_hard(gate, parts) or everything
        chosen = rng.choices(hard, k=BATCH // 2) + rng.choices(everything, k=BATCH // 2)
        optimizer.zero_grad()
        loss_of(gate, *(torch.stack([getattr(p, name)[row] for p, row in chosen]) for name in FIELDS)).mean().backward()
        optimizer.step()
        schedule.step()


@torch.no_grad()
def still_hard(gate: WriteGate, parts: list[Examples]) -> list[tuple[Examples, int]]:
    """The examples whose loss, summed over their memory tokens, is more than HARD."""
    losses = [loss_of(gate, *(getattr(part, name) for name in FIELDS)).sum(1) for part in parts]
    return [
        (part, row)
        for part, loss in zip(parts, losses, strict=True)
        for row in (loss > HARD).nonzero().flatten().tolist()
    ]


def loss_of(gate: WriteGate, memory: Tensor, new: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """How far a gate is from what is wanted: the weighted KL divergence of every memory token [N, m]."""
    device = next(gate.parameters()).device
    memory, new, wanted, weight = (part.to(device, torch.float32) for part in (memory, new, wanted, weight))
    loss = nn.functional.binary_cross_entropy_with_logits(gate.logits(memory, new), wanted, reduction="none")
    return weight * (loss - torch.special.entr(wanted) - torch.special.entr(1 - wanted))


def main() -> int:
    parser = argparse.ArgumentParser(description="Teach a trained model's write gates what a fact is.")
    parser.add_argument("--init", required=True, metavar="DIR", help="the trained checkpoint")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the new one")
    parser.add_argument("--background", nargs="+", default=("kjv", "pydoc"), metavar="NAME", help="corpora, text files")
    parser.add_argument("--batches", type=int, default=40, metavar="N", help="from each text (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    try:
        teach(**vars(parser.parse_args()))
    except (ValueError, OSError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
