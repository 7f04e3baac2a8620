"""Train an RMT by a recipe: `python -m rmt_demo train --recipe open --out runs/rmt-minilm`.

On a laptop, in a minute: `python -m rmt_demo train --recipe smoke --out runs/smoke`. On several GPUs:
`torchrun --nproc-per-node 4 -m rmt_demo train ...` (or `accelerate launch -m rmt_demo train ...`).
To resume a killed or interrupted run, give the same command again.
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
AVERAGE = 0.99  # decay of the exponential moving average of the weights
QUIET_PENALTY = 30.0  # how many times more an open gate costs in a segment without a fact


def train(
    recipe: Recipe,
    out: str | Path,
    backbone: str = "all-MiniLM-L6-v2",
    seed: int = 0,
    background=("kjv", "pydoc"),
    init: str | Path | None = None,
    follow: Callable[[dict], None] | None = None,
):
    """Train by `recipe` and save a checkpoint in `out`; the state to resume from is in `out`/state meanwhile.

    Resumes a killed run and does nothing for a finished one. Ctrl-C, or a notebook's stop button, ends a run after the
    current step without losing anything.

    Args:
        recipe: see `recipes.RECIPES`.
        out: folder for the checkpoint, `metrics.jsonl` and `training.json`.
        backbone: packaged name, folder or Hub id.
        seed: of the model's new weights, of every batch and of the noise of the write gates.
        background: names of corpora (their training parts are read) or text files.
        init: a checkpoint to start from, instead of the plain backbone.
        follow: called after every step with its line of `metrics.jsonl`, as a dict; replaces the progress bar.

    Raises:
        KeyboardInterrupt: when interrupted, after the state is saved.
        ValueError: if the backbone, the checkpoint or a background cannot be found, if the recipe needs a checkpoint
            and there is none, if its shape differs from that of the recipe's model, or if `out` holds another run.
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
        accelerator.print(f"{out} already holds the result of this run: remove it to train again.", file=sys.stderr)
        return
    states.refuse_another(out, run)  # before anything is loaded
    torch.manual_seed(seed)  # every process starts with the same model
    model, batches = build(recipe, backbone, background, init)
    # The file behind a name may have changed since the run began, so compare the contents too.
    run |= {"weights": backbones.checksum(model), "texts": zlib.crc32(str(batches.sentences).encode())}
    states.refuse_another(out, run)
    source = f"{seed}/{run['weights']}"  # training from another checkpoint draws other samples
    guide = guide_of(recipe, model, init)
    initial = [p.detach().clone() for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters(model, guide), weight_decay=recipe.weight_decay)
    curriculum = Curriculum(recipe.stages)
    progress = Progress()
    model, optimizer = accelerator.prepare(model, optimizer)
    average = AveragedModel(accelerator.unwrap_model(model), avg_fn=averaged)
    if guide is not None:  # after the average was made: a copy of the model, which must not have this hook
        guide.follow(accelerator.unwrap_model(model).rmt.cell.gate)
    accelerator.register_for_checkpointing(curriculum, progress, average)
    torch.manual_seed(seed + accelerator.process_index)  # from here on, every process draws its own gate noise
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
            for after, before in zip(trained, initial, strict=True):
                after.lerp_(before.to(after.device), recipe.init_share)
        save_checkpoint(average.module, out, run, progress)
        states.discard(state)


def describe(recipe: Recipe, seed: int, backbone: str, background, init=None) -> dict:
    """All settings that identify a run, as they are after a round trip through JSON; paths are normalised."""
    settings = dataclasses.asdict(recipe)
    del settings["goes_on"]  # follows from `init`
    run = {"recipe": settings, "backbone": str(Path(backbone)), "background": [str(Path(name)) for name in background]}
    run["seed"] = seed
    return json.loads(json.dumps(run | ({"init": str(Path(init))} if init else {})))


def averaged(average: Tensor, now: Tensor, steps: Tensor) -> Tensor:
    """Update the exponential moving average of the weights, over about the last 100 steps; during the first 1000 steps,
    over about the last tenth of them. It evens out the noise of small batches."""
    updated = average.lerp(now, 1 - min(AVERAGE, (1 + int(steps)) / (10 + int(steps))))
    return torch.where(average == now, now, updated)  # keeps frozen weights bit-identical: lerp turns -0.0 into 0.0


def hold_gates(model: nn.Module, open_: bool) -> None:
    """Hold all write gates open, as long as the curriculum has no gate penalty, or release them (see WriteGate)."""
    for module in model.modules():
        if isinstance(module, WriteGate):
            module.held_open = open_


def loss_of(model: nn.Module, batch: Batch, head: str, gate_penalty: float, device, guide=None) -> tuple[Tensor, dict]:
    """The loss of one batch and the metrics to log."""
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
    # A write in a segment without a fact overwrites what the memory held, so it costs more.
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
    """Drop the log lines written after the state was saved, since those steps will be repeated."""
    file = out / "metrics.jsonl"
    if file.exists():
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(lines[:steps]))  # one line per step; the last line may be incomplete


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
    """Save the model in bfloat16, and `training.json`, which records how it was made."""
    model.to(torch.bfloat16).save_pretrained(out)
    made = run | {
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "machine": backbones.describe_machine(backbones.pick_device()),
        "torch": torch.__version__,
    }
    (out / "training.json").write_text(json.dumps(made, indent=1) + "\n")
