"""Accuracy against the number of segments, on evaluation data only: `python -m rmt_demo eval --checkpoint DIR`.

Background text, entity words and paraphrases are those no training ever sees. Every haystack has its own facts and its
own question; the background segments between them are drawn from a pool that the haystacks of a batch share (with
`text_attends_memory=False` they are encoded once, which is exact and makes 64 segments affordable on a laptop). What
comes in through the front door, text by way of the Reader, is measured by the task "stream", on fewer haystacks.

Segments are counted with the question's own: 1 means that fact and question stand in one segment.
"""

import dataclasses
import json
import shlex
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from .. import backbones
from ..data import corpora, strange
from ..data.babi import QA
from ..data.batches import Batch, BatchMaker, Mixture
from ..data.facts import UNKNOWN, StoryGenerator
from ..data.haystack import Fact, Haystack
from ..data.tasks import PLACES
from ..data.tasks import TASKS as PAPER_TASKS
from ..heads import RMTForMaskedLM
from ..reader import Reader
from .intervals import proportion

BATCH = 32
OPEN = Mixture(BATCH, facts=(1, 3), questions=1, tail_rate=1.0, task_rate=0.0, background=32)
TASKS = {
    "memorize": dataclasses.replace(OPEN, task_rate=1.0, tasks=("memorize",)),
    "detect": dataclasses.replace(OPEN, task_rate=1.0, tasks=("detect",)),
    "reasoning": dataclasses.replace(OPEN, task_rate=1.0, tasks=("reasoning",)),
    "open": dataclasses.replace(OPEN, unknown_rate=0.0),
    "unknown": dataclasses.replace(OPEN, unknown_rate=1.0),
    "heldout": dataclasses.replace(OPEN, unknown_rate=0.0, families="heldout"),
} | {name: dataclasses.replace(OPEN, task_rate=1.0, tasks=(name,)) for name in QA}
SEGMENTS = (1, 2, 4, 8, 64)
STREAM = "stream"
STREAM_SAMPLES, STREAM_SEGMENTS = 100, 64  # at most: nothing is shared between texts, so they take their time
QUESTION = 64  # tokens kept free for the question in the last segment of a text, and the fewest of a text


def evaluate(
    checkpoint: str | Path,
    out: str | Path = "results",
    samples: int = 500,
    segments: Sequence[int] = SEGMENTS,
    seed: int = 0,
    tasks: Sequence[str] | None = None,
    background: Sequence[str] = ("kjv", "pydoc"),
) -> dict:
    """Measure a checkpoint and write `out`/TASK.json for each task.

    Args:
        checkpoint: folder or Hub id of an RMT.
        out: folder for the results.
        samples: haystacks for each task and number of segments.
        segments: numbers of segments, the question's included.
        seed: of the haystacks.
        tasks: of `TASKS` and "stream"; by default all that the checkpoint can do but bAbI's: for one that classifies,
            the paper's three. "open" asks for what the text says, "unknown" for what it does not, "heldout" about
            families of facts that training never sees. "stream" reads "open" haystacks as text through the Reader, at
            most 100 of them (its rows say how many: "samples") and of up to 64 segments.
        background: corpora whose evaluation part is the background, or one kind of strange text (`data/strange.py`).

    Returns:
        {task: result}, as written.

    Raises:
        ValueError: for a task that does not exist or that the checkpoint cannot do, or a checkpoint that cannot be
            loaded.
    """
    if unknown := set(tasks or ()) - {*TASKS, STREAM}:
        raise ValueError(f"There is no task {sorted(unknown)[0]!r}: choose from {', '.join((*TASKS, STREAM))}.")
    reader = Reader.from_pretrained(checkpoint)
    able = (*TASKS, STREAM) if isinstance(reader.model, RMTForMaskedLM) else tuple(PAPER_TASKS)
    tasks = [task for task in able if task not in QA] if tasks is None else tasks
    if beyond := set(tasks) - set(able):
        raise ValueError(
            f"{checkpoint} only tells the paper's six places apart, so it cannot do {sorted(beyond)[0]!r}: "
            f"choose from {', '.join(able)}."
        )
    text = background_text(background)
    maker = BatchMaker(reader.model.config, reader.tokenizer, text, "eval")
    results = {}
    for task in tasks:
        began = time.time()
        rows = []
        for count in segments:
            if task == STREAM and count > STREAM_SEGMENTS:
                continue
            if task == STREAM:
                outcomes = _stream(reader, text, count, min(samples, STREAM_SAMPLES), f"{seed}/{task}/{count}")
            else:
                outcomes = _table(reader.model, maker, TASKS[task], count, samples, f"{seed}/{task}/{count}")
            rows.append({"segments": count} | _summary(outcomes))
        results[task] = write_result(task, rows, reader, checkpoint, out, seed, background, began)
    return results


def background_text(names: Sequence[str]) -> corpora.Background:
    """The evaluation part of some corpora, or strange text of one kind."""
    return strange.strange(names[0]) if names[0] in strange.KINDS else corpora.mix(names, "eval")


def write_result(task: str, rows: list[dict], reader: Reader, checkpoint, out, seed, background, began: float) -> dict:
    """Write `out`/TASK.json: the rows, and all that is needed to measure them again. Returns what was written."""
    result = {
        "task": task,
        "command": shlex.join(["python", "-m", "rmt_demo", *sys.argv[1:]]),
        "checkpoint": Path(checkpoint).name,
        "seed": seed,
        "background": [f"{name} (evaluation part)" for name in background],
        "segment_length": reader.config.segment_length,
        "machine": backbones.describe_machine(reader.model.device),
        "torch": torch.__version__,
        "minutes": round((time.time() - began) / 60, 1),
        "rows": rows,
    }
    Path(out).mkdir(parents=True, exist_ok=True)
    (Path(out) / f"{task}.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


Outcome = tuple[str, bool, bool]  # kind of question, answered right, answered "unknown"


@torch.inference_mode()
def _table(model, maker: BatchMaker, mixture: Mixture, segments: int, samples: int, seed: str) -> list[Outcome]:
    """Haystacks as tables of segments (see `batches.py`)."""
    background = min(mixture.background, max(1, mixture.batch_size * (segments - 1)))  # a table has some row
    mixture = dataclasses.replace(mixture, segments=(segments - 1, segments - 1), background=background)
    outcomes: list[Outcome] = []
    bar = tqdm(total=samples, desc=f"{seed} segments", file=sys.stderr)
    for number in range(-(-samples // mixture.batch_size)):
        batch = maker.batch(mixture, f"{seed}/{number}")
        outcomes += answers(model, batch, maker.tokenizer)
        bar.update(mixture.batch_size)
    return outcomes[:samples]


def answers(model, batch: Batch, tokenizer) -> list[Outcome]:
    """What the model makes of a batch's questions; right means that every slot is, or that the class is."""
    inputs = {k: v.to(model.device) if torch.is_tensor(v) else v for k, v in batch.inputs.items()}
    labels = inputs.pop("labels")
    given = model(**inputs).logits.argmax(-1)  # [Q, k], or [Q] classes
    if given.dim() == 1:
        right = [PLACES[place] == q.answer for place, q in zip(given.tolist(), batch.questions, strict=True)]
        return [(q.kind, r, False) for q, r in zip(batch.questions, right, strict=True)]
    right = (given == labels).all(-1).tolist()
    says_unknown = (given[:, 0] == tokenizer.convert_tokens_to_ids(UNKNOWN)).tolist()
    return [(q.kind, r, u) for q, r, u in zip(batch.questions, right, says_unknown, strict=True)]


def _stream(reader: Reader, text, segments: int, samples: int, seed: str) -> list[Outcome]:
    """Haystacks as text: built by Haystack, read by the Reader, asked by `ask`. A text and its question fill `segments`
    segments, if none of them ends early at the end of a sentence."""
    stories, outcomes = StoryGenerator("eval", 0), []
    stories.rng.seed(seed)
    length = max(QUESTION, segments * reader.model.config.text_capacity - QUESTION)
    for number in tqdm(range(samples), desc=f"{seed} segments", file=sys.stderr):
        story = stories.story(stories.rng.randint(1, 3), 1, unknown_rate=0.0)
        places = sorted(stories.rng.random() for _ in story.sentences)
        facts = [Fact(s, p) for s, p in zip(story.sentences, places, strict=True)]
        fork = reader.fork()
        fork.reset()
        for _ in fork.read(Haystack(text, facts, length, seed=number, tokenizer=reader.tokenizer)):
            pass
        question = story.questions[0]
        said = fork.ask(question.text).text
        outcomes.append((question.kind, said.lower() == question.answer.lower(), said == UNKNOWN))
    return outcomes


def _summary(outcomes: list[Outcome]) -> dict:
    """Accuracy with its interval, over all and by kind of question, and how often the answer was "unknown": to any
    question, and to those that have an answer (a story told without gaps may still leave a carried thing nowhere)."""
    kinds = defaultdict(list)
    for kind, right, _ in outcomes:
        kinds[kind].append(right)
    said_unknown = [u for *_, u in outcomes]
    falsely = [u for kind, _, u in outcomes if kind != UNKNOWN]
    return proportion([right for _, right, _ in outcomes]) | {
        "said_unknown": round(100 * sum(said_unknown) / len(said_unknown), 1),
        "false_unknown": proportion(falsely) if falsely else None,
        "by_kind": {kind: proportion(kinds[kind]) for kind in sorted(kinds)},
    }
