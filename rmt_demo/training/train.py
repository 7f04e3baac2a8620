"""Train an RMT by a recipe: `python -m rmt_demo train --recipe open --out runs/rmt-minilm`.

On a laptop, in a minute: `python -m rmt_demo train --recipe smoke --out runs/smoke`. On several GPUs:
`torchrun --nproc-per-node 4 -m rmt_demo train ...` (or `accelerate launch -m rmt_demo train ...`), unchanged.
Killed and interrupted runs go on where they were: give the same command again.
"""

import dataclasses
import json
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from .. import backbones
from ..data.batches import Batch
from ..pretrained import RMTPreTrainedModel
from ..questions import PLACES
from ..write_gate import WriteGate
from . import state as states
from .build import build, guide_of, parameters
from .curriculum import Curriculum, Recipe
from .forcing import IGNORED, by_piece, force

SAVE_EVERY = 100  # steps
AVERAGE = 0.99  # how much of the averaged weights stays at each step
QUIET_PENALTY = 30.0  # how much more an open gate costs in a segment without a fact


def train(
    recipe: Recipe,
    out: str | Path,
    backbone: str = "all-MiniLM-L6-v2",
    seed: int = 0,
    background=("kjv", "pydoc"),
    init: str | Path | None = None,
    follow: Callable[[dict], None] | None = None,
):
    """Train by `recipe` and leave a checkpoint in `out`; state to resume from is kept in `out`/state meanwhile.

    A killed run goes on, and a finished one is left as it is. Ctrl-C, or a notebook's stop button, ends a run after the
    step in hand and loses nothing.

    Args:
        recipe: see `recipes.RECIPES`.
        out: folder for the checkpoint, `metrics.jsonl` and `training.json`.
        backbone: packaged name, folder or Hub id.
        seed: of the model's new weights, of every batch and of the noise of the write gates.
        background: names of corpora (their training parts are read) or text files.
        init: a checkpoint to start from, instead of the backbone as it is.
        follow: called after every step with its line of `metrics.jsonl`, in place of the progress bar.

    Raises:
        KeyboardInterrupt: when interrupted, once the state is saved.
        ValueError: if the backbone, the checkpoint or a background cannot be found, the checkpoint has another shape
            than the recipe's model or is missing where the recipe goes on from one, or `out` holds another run.
    """
    out = Path(out)
    run = describe(recipe, seed, backbone, background, init)
    device = backbones.pick_device()
    half = backbones.pick_dtype(device) == torch.bfloat16
    accelerator = Accelerator(
        mixed_precision="bf16" if half else "no",
        cpu=device.type == "cpu",
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
    if states.is_finished(out, run):
        accelerator.print(f"{out} holds this run, finished: remove it to train again.", file=sys.stderr)
        return
    states.refuse_another(out, run)  # before anything is loaded
    torch.manual_seed(seed)  # every process starts with the same model
    model, batches = build(recipe, backbone, background, init)
    # A name says where a text or a checkpoint is, and not that it is the one that the run began with.
    run |= {"weights": backbones.checksum(model), "texts": zlib.crc32(str(batches.sentences).encode())}
    states.refuse_another(out, run)
    source = f"{seed}/{run['weights']}"  # whoever trains on from a checkpoint meets new samples
    guide = guide_of(recipe, model, init)
    began_with = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters(model, guide), weight_decay=recipe.weight_decay)
    curriculum = Curriculum(recipe.stages)
    progress = Progress()
    model, optimizer = accelerator.prepare(model, optimizer)
    average = AveragedModel(accelerator.unwrap_model(model), avg_fn=averaged)
    if guide is not None:  # after the average was made: a copy, and it goes its own way
        guide.follow(accelerator.unwrap_model(model).rmt.cell.gate)
    accelerator.register_for_checkpointing(curriculum, progress, average)
    torch.manual_seed(seed + accelerator.process_index)  # and then draws its own gate noise
    state = out / "state"
    if accelerator.is_main_process:
        states.begin(out, run)
    accelerator.wait_for_everyone()
    if state.exists():
        accelerator.load_state(str(state))
    if accelerator.is_main_process:
        cut_log(out, progress.step)
    model.train()
    bar = tqdm(initial=progress.step, disable=follow is not None or not accelerator.is_main_process, unit="step")
    with states.interrupts_wait(accelerator.num_processes == 1) as interrupted:
        while not curriculum.finished:
            began, stage = time.time(), curriculum.stage
            draw = f"{source}/{progress.step}/{accelerator.process_index}"
            hold_gates(model, open_=stage.gate_penalty == 0)
            batch = batches.batch(stage.mixture, draw, Random(draw).choice(stage.segment_lengths))
            if recipe.head == "masked_lm":
                ask = by_piece if recipe.by_piece else force
                batch.inputs = ask(batch.inputs, batches.config, Random(draw), batch.thoughts)
            rate = curriculum.learning_rate() * min(1.0, (progress.step + 1) / recipe.warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["speed"] * rate
            loss, metrics = loss_of(model, batch, recipe.head, curriculum.gate_penalty(), accelerator.device, guide)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            average.update_parameters(accelerator.unwrap_model(model))
            metrics = {k: accelerator.reduce(v.detach().float(), "mean").item() for k, v in metrics.items()}
            progress.step += 1
            progress.seconds += time.time() - began
            advanced = curriculum.update(metrics["accuracy"])
            if accelerator.is_main_process:
                log(out, progress, curriculum, metrics, bar, follow)
            stop = interrupted()
            if advanced or stop or progress.step % SAVE_EVERY == 0:
                states.save(accelerator, state)
            if stop:
                raise KeyboardInterrupt
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        trained = [p for p in average.module.parameters() if p.requires_grad]
        with torch.no_grad():
            for after, before in zip(trained, began_with, strict=True):
                after.lerp_(before.to(after.device), recipe.init_share)
        save_checkpoint(average.module, out, run, progress)
        states.discard(state)


def describe(recipe: Recipe, seed: int, backbone: str, background, init=None) -> dict:
    """All that decides how a run goes, as it is written to JSON and read again; a path is written in one way only."""
    told = dataclasses.asdict(recipe)
    del told["goes_on"]  # `init` says it
    run = {"recipe": told, "backbone": str(Path(backbone)), "background": [str(Path(name)) for name in background]}
    run["seed"] = seed
    return json.loads(json.dumps(run | ({"init": str(Path(init))} if init else {})))


def averaged(average: Tensor, now: Tensor, steps: Tensor) -> Tensor:
    """The averaged weights one step on: an exponential average over the last 100 steps, or a tenth of the first 1000.

    The steps of small batches stray about a path that is better than they are.
    """
    nearer = average.lerp(now, 1 - min(AVERAGE, (1 + int(steps)) / (10 + int(steps))))
    return torch.where(average == now, now, nearer)  # frozen weights stay as they are: of -0.0, lerp would make 0.0


def hold_gates(model: nn.Module, open_: bool) -> None:
    """Write everything until the curriculum asks for thrift (see WriteGate)."""
    for module in model.modules():
        if isinstance(module, WriteGate):
            module.held_open = open_


def loss_of(model: nn.Module, batch: Batch, head: str, gate_penalty: float, device, guide=None) -> tuple[Tensor, dict]:
    """The loss of one batch and what to log of it."""
    inputs = batch.inputs_on(device)
    if head == "classification":
        inputs["labels"] = torch.tensor([PLACES.index(q.answer) for q in batch.questions], device=device)
    if guide is not None:
        guide.prepare(inputs, batch)
    out = model(**inputs)
    right = (out.logits.argmax(-1) == inputs["labels"]) | (inputs["labels"] == IGNORED)
    exact = right.all(-1) if right.dim() == 2 else right
    metrics = {"loss": out.loss, "accuracy": exact.float().mean()}
    read, has_fact = inputs["order"] >= 0, batch.has_fact.to(device)
    openness = out.gates.mean(-1)  # [B, S]
    for name, where in (("gate_fact", read & has_fact), ("gate_quiet", read & ~has_fact)):
        metrics[name] = openness[where].sum() / where.sum().clamp(min=1)
    # What is written where nothing is to be kept overwrites what was, so it costs more.
    written = openness[has_fact].sum() + QUIET_PENALTY * openness[read & ~has_fact].sum()
    loss = out.loss + gate_penalty * written / read.sum().clamp(min=1)
    if guide is not None:
        metrics["gate_loss"] = guide.loss()
        loss = loss + metrics["gate_loss"]
    return loss, metrics


class Progress:
    """Steps and seconds so far, over all restarts."""

    def __init__(self, step: int = 0, seconds: float = 0.0):
        self.step, self.seconds = step, seconds

    def state_dict(self) -> dict:
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict) -> None:
        self.step, self.seconds = state["step"], state["seconds"]


def cut_log(out: Path, steps: int) -> None:
    """Drop what was logged after the state was saved: those steps are done again."""
    file = out / "metrics.jsonl"
    if file.exists():
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:steps]))  # one line for each step, and the last one may be half


def log(out: Path, progress: Progress, curriculum: Curriculum, metrics: dict, bar: tqdm, follow=None) -> None:
    record = {"step": progress.step, "stage": curriculum.index, "seconds": round(progress.seconds, 1)}
    record |= {k: round(v, 4) for k, v in metrics.items()} | {"running_accuracy": round(curriculum.accuracy, 4)}
    with (out / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
    bar.set_postfix(stage=curriculum.index, loss=f"{metrics['loss']:.3f}", accuracy=f"{curriculum.accuracy:.3f}")
    bar.update()
    if follow is not None:
        follow(record)


def save_checkpoint(model: RMTPreTrainedModel, out: Path, run: dict, progress: Progress) -> None:
    """The model in bfloat16 and `training.json`, which says how it was made."""
    model.to(torch.bfloat16).save_pretrained(out)
    made = run | {
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "machine": backbones.describe_machine(backbones.pick_device()),
        "torch": torch.__version__,
    }
    (out / "training.json").write_text(json.dumps(made, indent=1) + "\n")
