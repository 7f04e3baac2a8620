"""Train the write gates of a trained model to tell facts from any background text:

    python -m rmt_demo gates --init runs/more --out runs/rmt-minilm --background kjv pydoc speeches.txt

Answers (`train.py`) are a weak training signal for gates: a false write costs an answer only if it overwrites the fact
that is asked for, perhaps thousands of segments later. Here the gates get direct targets. For memory tokens in a fact,
the target is what the trained model writes in a text it knows well, whatever the background; in a segment without a
fact, nothing should be written. So the trained model reads each story twice, hidden in the first text and at the same
places of another text. The hidden states that its gates see are collected, and a new gate is trained on them like any
classifier. Everything else stays as it is: no backward pass goes through the backbone, and minutes on a CPU are enough.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from tqdm import trange

from .. import backbones, checkpoints
from ..data import corpora
from ..data.babi import QA
from ..data.batches import Batch, BatchMaker
from ..data.noise import consecutive
from ..data.samples import Mixture
from ..data.tasks import TASKS
from ..heads import RMTForMaskedLM
from ..modeling import RMTModel
from ..segments import token_ids
from ..write_gate import WriteGate
from . import state as states
from .build import story_words
from .guide import divergence, written_at_facts
from .recipes.open import MIXED
from .train import Progress, save_checkpoint

STORIES = Mixture(
    32, (1, 40), facts=(1, 6), questions=1, tail_rate=0.0, task_rate=0.35, tasks=(*MIXED, *QA), background=240
)
PAPER_STORIES = replace(STORIES, task_rate=1.0, tasks=tuple(TASKS))  # for a model that classifies
SEGMENT_SHARES = (0.55, 0.75, 1.0, 1.0)  # fractions of the model's segment length; each batch uses a random one
ROUNDS = 4  # of collecting examples and fitting the gate
HARD = 0.5  # an example with a higher loss is hard
EPOCHS, BATCH, RATE, DECAY = 3, 256, 2e-3, 1e-2
STRICTER = 0.5  # subtracted from the final bias: helps in long texts, costs little in short ones; chosen on train words


@dataclass
class Examples:
    """Training examples for a gate, from N segments.

    new     [N, m, d] the hidden states that the gate sees
    wanted  [N, m] target: the probability with which a memory token should be written
    weight  [N, m] of the target in the loss; 0 where the target is unknown
    """

    new: Tensor
    wanted: Tensor
    weight: Tensor

    def only(self, index: Tensor) -> "Examples":
        """Select examples by an index or a mask [N]."""
        return Examples(*(value[index] for value in vars(self).values()))


def teach(
    init: str | Path,
    out: str | Path,
    background: Sequence[str | Path] = corpora.USUAL,
    batches: int = 40,
    seed: int = 0,
) -> None:
    """Train a new write gate for the checkpoint `init` and save the result in `out`.

    Most noise is easy to recognise and learned at once. So after the first round, only facts and the examples that the
    gate still gets wrong are kept.

    Args:
        init: a trained checkpoint with `memory_update="gated"`, `spread_memory` and not `text_attends_memory`.
        out: folder for the checkpoint and `training.json`.
        background: names of corpora (their training parts are read) or text files. The first is the text that the model
            knows well; the others should be as varied as possible.
        batches: number of batches of 32 haystacks from each text, over all rounds; a batch takes about 10 seconds on
            two CPU cores and, if all of its examples are kept, 25 MB of memory.
        seed: of the stories and of the gate's initial weights.

    Raises:
        ValueError: for fewer batches than rounds, if the checkpoint or a text cannot be found, if the checkpoint is of
            another kind, or if `out` holds another run.
    """
    out = Path(out)
    run = {"gates": [str(name) for name in background], "batches": batches, "seed": seed, "init": str(Path(init))}
    if states.is_finished(out, run):
        print(f"{out} already holds the result of this run: remove it to train the gates again.", file=sys.stderr)
        return
    states.refuse_another(out, run)
    if batches < ROUNDS:
        raise ValueError(f"Ask for {ROUNDS} or more batches, not {batches}.")
    began, device = time.time(), backbones.pick_device()
    model, tokenizer = checkpoints.load(str(init), backbones.pick_dtype(device))
    config = model.config
    if config.memory_update != "gated" or not config.spread_memory or config.text_attends_memory:
        raise ValueError(
            f"{init} has no write gates that can be trained apart: this needs memory_update='gated', "
            "spread_memory=True and text_attends_memory=False, as in the recipe 'more'."
        )
    model.to(device)
    torch.manual_seed(seed)
    gate = WriteGate(model.backbone.config.hidden_size).to(device)
    start = model.rmt.memory.detach().float()
    texts = [corpora.load(name, "train") for name in background]
    maker = BatchMaker(config, tokenizer, texts[0], "train", story_words(tokenizer))
    stories = STORIES if isinstance(model, RMTForMaskedLM) else PAPER_STORIES
    sentences = [maker.sentences, *(token_ids(tokenizer, text.sentences) for text in texts[1:])]
    unpunctuated = [[sentence[:-1] for sentence in lines] for lines in sentences]
    parts, segments, steps = [], 0, 0
    for number in trange(batches, desc="batches"):
        for text, *variants in zip(texts, sentences, unpunctuated, strict=True):
            batch = draw(maker, stories, f"{seed}/{text.name}/{number}")
            part = collect(model.rmt, batch, disguise(batch, variants, Random(number)))
            segments += len(part.wanted)
            parts.append(part.only((part.wanted > 0).any(1) | is_hard(gate, start, part)) if steps else part)
        if (number + 1) * ROUNDS // batches > number * ROUNDS // batches:  # the last batch of a round
            steps += fit(gate, start, parts, f"{seed}/{number}")
    with torch.no_grad():
        gate.score.bias -= STRICTER
    model.rmt.cell.gate = gate
    save_checkpoint(model, out, run | {"segments": segments}, Progress(steps, time.time() - began))


def draw(maker: BatchMaker, stories: Mixture, seed: str) -> Batch:
    """Draw a batch of stories with a random one of the segment lengths."""
    length = round(Random(seed).choice(SEGMENT_SHARES) * maker.config.segment_length)
    return maker.batch(stories, seed, length)


def disguise(batch: Batch, texts: Sequence[list[list[int]]], rng: Random) -> Tensor:
    """Replace the background in a batch's table of segments [N, L]; facts stay at their positions.

    Each segment uses a random one of `texts`, the variants of a text as lists of sentences: with the punctuation mark
    at their end, and without it, like the lines of a list.
    """
    ids = batch.inputs["input_ids"].clone()
    for row, length, is_fact in zip(ids, batch.inputs["attention_mask"].sum(1), batch.in_fact, strict=True):
        background = ~is_fact
        background[0] = background[length - 1 :] = False  # [CLS], [SEP] and padding
        pieces = consecutive(rng.choice(texts), int(background.sum()), rng)
        row[background] = torch.tensor([token for piece in pieces for token in piece], dtype=row.dtype)
    return ids


@torch.no_grad()
def collect(model: RMTModel, batch: Batch, disguised: Tensor) -> Examples:
    """Collect examples from a batch. Reading its own segments with the model's gates gives the targets; then the
    `disguised` segments [N, L] are read with gates that open as the targets say, and what these gates see is returned
    for every segment read, on the CPU in bfloat16."""
    device, cell, kept = model.device, model.cell, []
    inputs = batch.inputs_on(device)
    mask, order = inputs["attention_mask"], inputs["order"]
    wanted, weight = written_at_facts(model, inputs, batch)
    text, memory = cell.encode_text(disguised.to(device), mask), model.initial_memory(len(order))
    for step in range(order.shape[1]):
        reading = (order[:, step] >= 0).nonzero()[:, 0]  # the other samples have ended
        old, open_ = memory[reading], wanted[reading, step]
        new = cell.update(old, text.rows(order[reading, step]))
        kept.append([part.to("cpu", torch.bfloat16) for part in (new, open_, weight[reading, step])])
        memory = memory.index_put((reading,), cell.put(old, new, WriteGate.stretch(open_), model.memory)[0])
    return Examples(*(torch.cat(parts) for parts in zip(*kept, strict=True)))


def fit(gate: WriteGate, start: Tensor, parts: list[Examples], seed: str) -> int:
    """Train a gate on examples with AdamW and a one-cycle learning rate, and return the number of steps. Half of each
    batch are examples that were hard for the gate before this call. `start` is the initial memory [m, d]."""
    rng = Random(seed)
    everything = [(part, row) for part in parts for row in range(len(part.wanted))]
    hard = [(part, row) for part in parts for row in is_hard(gate, start, part).nonzero()[:, 0].tolist()] or everything
    steps = EPOCHS * (len(everything) // BATCH + 1)
    optimizer = torch.optim.AdamW(gate.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for _ in trange(steps, desc="gates", leave=False):
        chosen = rng.choices(hard, k=BATCH // 2) + rng.choices(everything, k=BATCH // 2)
        batch = Examples(*map(torch.stack, zip(*(vars(part.only(row)).values() for part, row in chosen), strict=True)))
        optimizer.zero_grad()
        loss_of(gate, start, batch).mean().backward()
        optimizer.step()
        schedule.step()
    return steps


@torch.no_grad()
def is_hard(gate: WriteGate, start: Tensor, part: Examples) -> Tensor:
    """Which of N examples have a loss above HARD, summed over their memory tokens: [N] bool, on the CPU."""
    return loss_of(gate, start, part).sum(1).cpu() > HARD


def loss_of(gate: WriteGate, start: Tensor, part: Examples) -> Tensor:
    """Loss of a gate: the weighted KL divergence from the target for every memory token [N, m]."""
    new, wanted, weight = (value.to(start.device, torch.float32) for value in vars(part).values())
    return weight * divergence(gate.logits(start.expand_as(new), new), wanted)
