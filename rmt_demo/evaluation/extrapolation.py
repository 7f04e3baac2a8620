"""Accuracy against the number of segments, on evaluation data only: `python -m rmt_demo eval --checkpoint DIR`.

Background text, entity words and paraphrases are held out from training. Every haystack has its own facts and question;
the haystacks of a batch share their background segments (see `stretches.py`), which makes thousands of segments
affordable on a laptop. The task "stream" measures the whole path from text through the Reader, on fewer haystacks.

Lengths are in segments of the text: 1 means that the whole text is in one segment. The question comes after the text in
a segment of its own or, with the paper's model, at the end of the last one (see `RMTConfig.asks_alone`).
"""

import dataclasses
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

from tqdm import tqdm

from ..answers import ask as say
from ..config import RMTConfig
from ..data import corpora, strange
from ..data.babi import QA
from ..data.batches import Batch, BatchMaker
from ..data.facts import StoryGenerator
from ..data.haystack import Fact, Haystack
from ..data.samples import Mixture
from ..data.tasks import TASKS as PAPER_TASKS
from ..heads import RMTForMaskedLM
from ..pretrained import RMTPreTrainedModel
from ..questions import UNKNOWN
from ..reader import Reader
from .intervals import proportion
from .results import Results, Row
from .stretches import Reading, read

BATCH = 32
# `stretches.read` draws the background; the one background segment here only keeps the table from being empty.
OPEN = Mixture(BATCH, facts=(1, 3), questions=1, tail_rate=1.0, task_rate=0.0, background=1)
TASKS = {
    "memorize": dataclasses.replace(OPEN, task_rate=1.0, tasks=("memorize",)),
    "detect": dataclasses.replace(OPEN, task_rate=1.0, tasks=("detect",)),
    "reasoning": dataclasses.replace(OPEN, task_rate=1.0, tasks=("reasoning",)),
    "open": dataclasses.replace(OPEN, unknown_rate=0.0),
    "unknown": dataclasses.replace(OPEN, unknown_rate=1.0),
    "stranger": dataclasses.replace(OPEN, task_rate=1.0, tasks=("stranger",)),
    "heldout": dataclasses.replace(OPEN, unknown_rate=0.0, families="heldout"),
} | {name: dataclasses.replace(OPEN, unknown_rate=0.0, task_rate=1.0, tasks=(name,)) for name in QA}
SEGMENTS = (1, 2, 4, 8, 64)
STREAM = "stream"
STREAM_SAMPLES, STREAM_SEGMENTS = 300, 64  # at most, since these texts share no segments and are slow to read
QUESTION = 64  # tokens kept free for the question in the last segment of a text, and minimum length of a text


def evaluate(
    checkpoint: str | Path,
    out: str | Path,
    samples: int = 500,
    segments: Sequence[int] = SEGMENTS,
    seed: int = 0,
    tasks: Sequence[str] | None = None,
    background: Sequence[str] = corpora.USUAL,
) -> dict:
    """Measure a checkpoint and write `out`/TASK.json for each task, or TASK-KIND.json on another background.

    The file is rewritten after every row. Rows of the same checkpoint, seed and background that it already has are
    kept, and those with at least as many samples are not measured again (see `results.py`).

    Args:
        checkpoint: folder or Hub id of an RMT.
        out: folder for the results.
        samples: haystacks for each task and number of segments.
        segments: lengths of the texts in segments.
        seed: of the haystacks.
        tasks: names from `TASKS`, or "stream"; by default all that the checkpoint can do except bAbI's (for a
            classifier, the paper's three). "open" asks what the text says and "unknown" what it does not say;
            "stranger" asks where one of the paper's people is when the text says where another went; "heldout" uses
            fact families never seen in training. "stream" reads "open" haystacks as text through the Reader: at most
            300 (its rows give the number) of up to 64 segments.
        background: corpora whose evaluation part is used, or one out-of-distribution kind (`data/strange.py`).

    Returns:
        {task: result}, as written. In a row, "tokens" is the mean number of text tokens in a haystack.

    Raises:
        ValueError: for a task that does not exist or that the checkpoint cannot do, for "stream" named with more than
            64 segments, if the checkpoint or a background cannot be loaded, for an out-of-distribution kind together
            with another background, or for a story too long for its segments.
    """
    if unknown := set(tasks or ()) - {*TASKS, STREAM}:
        raise ValueError(f"There is no task {sorted(unknown)[0]!r}: choose from {', '.join((*TASKS, STREAM))}.")
    if STREAM in (tasks or ()) and max(segments) > STREAM_SEGMENTS:
        raise ValueError(
            f"{STREAM} reads texts of up to {STREAM_SEGMENTS} segments, not {max(segments)}: ask for fewer."
        )
    reader = Reader.from_pretrained(checkpoint)
    able = (*TASKS, STREAM) if isinstance(reader.model, RMTForMaskedLM) else tuple(PAPER_TASKS)
    tasks = [task for task in able if task not in QA] if tasks is None else tasks
    if beyond := set(tasks) - set(able):
        raise ValueError(
            f"{checkpoint} can only answer with the paper's six places, so it cannot do {sorted(beyond)[0]!r}: "
            f"choose from {', '.join(able)}."
        )
    text = background_text(background)
    maker = BatchMaker(reader.model.config, reader.tokenizer, text, "eval")
    results = {}
    for task in tasks:
        kept = Results.of(task, out, checkpoint, reader, seed, background)
        if task == STREAM:
            measure, wanted = partial(_stream, reader, text), min(samples, STREAM_SAMPLES)
            counts = [count for count in segments if count <= STREAM_SEGMENTS]
        else:
            measure, wanted, counts = partial(ask, reader.model, maker, TASKS[task]), samples, segments
        for count in counts:
            if kept.has(wanted, segments=count):
                continue
            row = Row(reader.model)
            outcomes, tokens = measure(count, wanted, f"{seed}/{task}/{count}")
            kept.add(row.done(segments=count, tokens=tokens, **summary(outcomes)))
        results[task] = kept.whole
    return results


def background_text(names: Sequence[str]) -> corpora.Background:
    """The evaluation part of some corpora, or one out-of-distribution kind of text.

    Raises:
        ValueError: if such a kind is combined with another name, or a corpus cannot be found.
    """
    if len(names) > 1 and (kinds := [name for name in names if name in strange.KINDS]):
        raise ValueError(f"The background {kinds[0]!r} cannot be combined with others: give it alone.")
    return strange.strange(names[0]) if names[0] in strange.KINDS else corpora.mix(names, "eval")


Outcome = tuple[str, bool, bool]  # kind of question, answered right, answered "unknown"


def haystacks(
    model: RMTPreTrainedModel, maker: BatchMaker, mixture: Mixture, segments: int, samples: int, seed: str
) -> Iterator[tuple[Batch, Reading]]:
    """Make and read haystacks, a batch at a time: yields (batch, reading) until there are at least `samples` haystacks.

    Args:
        model: in evaluation mode.
        maker: of batches.
        mixture: what the haystacks look like, except for their length and number.
        segments: length of each text.
        samples: number of haystacks; a batch has `mixture.batch_size`, or `samples` if that is less.
        seed: of facts, questions and background.
    """
    steps = steps_of(model.config, segments)
    mixture = dataclasses.replace(mixture, batch_size=min(mixture.batch_size, samples), segments=(steps, steps))
    if model.config.asks_alone:
        mixture = dataclasses.replace(mixture, tail_rate=0.0)
    with tqdm(total=samples, desc=f"{seed} segments", file=sys.stderr) as bar:
        for number in range(-(-samples // mixture.batch_size)):
            batch = maker.batch(mixture, f"{seed}/{number}")
            yield batch, read(model, maker, batch, f"{seed}/{number}")
            bar.update(mixture.batch_size)


def steps_of(config: RMTConfig, segments: int) -> int:
    """The number of segments read before the question's segment, for a text of `segments` segments."""
    return segments if config.asks_alone else segments - 1


def ask(
    model: RMTPreTrainedModel, maker: BatchMaker, mixture: Mixture, segments: int, samples: int, seed: str
) -> tuple[list[Outcome], int]:
    """Ask one question about each haystack (arguments as for `haystacks`). Returns the outcomes, and the mean number of
    text tokens in a haystack."""
    outcomes, tokens = [], []
    for batch, reading in haystacks(model, maker, mixture, segments, samples, seed):
        outcomes += answers(model, batch, reading, maker.tokenizer)
        tokens.append(reading.tokens + (batch.inputs["query_mask"].sum(1) - 2).float().mean().item())
    return outcomes[:samples], round(sum(tokens) / len(tokens))


def answers(model: RMTPreTrainedModel, batch: Batch, reading: Reading, tokenizer) -> list[Outcome]:
    """Ask a batch's questions after the batch has been read."""
    ids, mask, of = (batch.inputs[name].to(model.device) for name in ("query_ids", "query_mask", "query_of"))
    return [
        (question.kind, said.is_right(question.answer), said.text == UNKNOWN)
        for question, said in zip(batch.questions, say(model, tokenizer, ids, mask, reading.memory[of]), strict=True)
    ]


def _stream(
    reader: Reader, text: corpora.Background, segments: int, samples: int, seed: str
) -> tuple[list[Outcome], int]:
    """Like `ask`, but with plain text: made by Haystack, read by the Reader, questions asked with `Reader.ask`. A text
    and its question fill `segments` segments, unless segments are cut early at the end of a sentence."""
    rng, stories, outcomes, tokens = Random(seed), StoryGenerator("eval"), [], []
    length = max(QUESTION, segments * reader.model.config.text_capacity - QUESTION)
    for _ in tqdm(range(samples), desc=f"{seed} segments", file=sys.stderr):
        story = stories.story(rng.randint(1, 3), 1, unknown_rate=0.0, rng=rng)
        places = sorted(rng.random() for _ in story.sentences)
        facts = [Fact(s, p) for s, p in zip(story.sentences, places, strict=True)]
        fork = reader.fork()
        fork.reset()
        start = rng.randrange(2**32)
        for _ in fork.read(Haystack(text, facts, length, seed=start, tokenizer=reader.tokenizer)):
            pass
        tokens.append(fork.state.tokens_read)
        question = story.questions[0]
        said = fork.ask(question.text)
        outcomes.append((question.kind, said.is_right(question.answer), said.text == UNKNOWN))
    return outcomes, round(sum(tokens) / len(tokens))


def summary(outcomes: list[Outcome]) -> dict:
    """Accuracy with its interval, overall and by kind of question, and how often the model answered "unknown": over all
    questions, and over those that have an answer ("unknown" may be right even at `unknown_rate` 0, for a carried object
    whose place is not given)."""
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
