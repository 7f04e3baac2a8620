"""Stories hidden in background text, as batches an RMT can be trained and tested on.

A batch is a table of segments: first those with facts in them, each made for one sample, then background segments that
all samples share. `order` says which rows a sample reads. With `text_attends_memory=False` every row is encoded once,
however many samples read it, so a haystack of 64 segments costs little more than its facts.
"""

from collections import Counter
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from ..config import RMTConfig
from ..framing import frame
from ..questions import THEREFORE, answer_ids, question_ids
from ..segments import token_ids
from .babi import LEAST, PRACTICE, QA
from .corpora import Background
from .facts import Question, StoryGenerator
from .families import Family, own
from .noise import consecutive, echo, lure
from .tasks import EASIER, TASKS

# How often a story is drawn at most, if its segments are too short for it. To leave such stories out of a test would
# make it easier.
TRIES = {"train": 20, "eval": 1}


@dataclass(frozen=True)
class Mixture:
    """What the samples of a batch look like.

    batch_size    samples (haystacks) in a batch
    segments      fewest and most segments read before the question's; each sample draws its own number, few more often
    facts         fewest and most facts in a story
    sentences     the same for stories of bAbI's kind, where a task needs no more; None = as evaluation has them
    questions     questions asked of each haystack
    tail_rate     how often the question's own segment also holds text (and maybe facts) before it; otherwise the text
                  ends in a segment of any size, and the question stands alone
    task_rate     share of samples that are one of these tasks
    tasks         of the paper (also in their easier forms) or of bAbI ("qa1" to "qa5"; for practice "routes", "gifts")
    extra_rate    share of the stories of bAbI's kind in which further words stand (see BatchMaker)
    unknown_rate  share of questions about what the text does not say, the paper's tasks apart
    families      which fact families: "train", "heldout" or "all"
    background    background segments in the table
    lures         share of them in which pieces of the batch's facts stand, too short to say anything
    echoes        share of all segments in the table whose text, facts apart, says a few words over and over
    own           families of your own, as a table (see `families.own`)
    own_rate      share of the stories, tasks apart, that are about those alone
    """

    batch_size: int = 32
    segments: tuple[int, int] = (1, 4)
    facts: tuple[int, int] = (1, 3)
    sentences: tuple[int, int] | None = None
    questions: int = 4
    tail_rate: float = 0.25
    task_rate: float = 0.2
    tasks: tuple[str, ...] = tuple(TASKS)
    extra_rate: float = 1.0
    unknown_rate: float = 0.15
    families: str = "train"
    background: int = 32
    lures: float = 0.0
    echoes: float = 0.0
    own: str = ""
    own_rate: float = 0.0


@dataclass
class Batch:
    """`inputs` are RMTForMaskedLM's arguments (labels too); the rest tells what they mean: the questions, which of the
    segments read hold a fact (`has_fact` [B, S]), which tokens of the table are of a fact (`in_fact` [N, L]), and how
    many of each label's are of the thought before the answer (`thoughts` [Q])."""

    inputs: dict[str, Tensor | int]
    questions: list[Question]
    has_fact: Tensor
    in_fact: Tensor
    thoughts: Tensor


class BatchMaker:
    """Makes batches; the same seed string gives the same batch.

    Args:
        config: segment length, memory size and special tokens are taken from it.
        tokenizer: the backbone's.
        background: sentences to hide facts in; of the training part for training, of the evaluation part for testing.
        split: "train" or "eval" words and paraphrases.
        extra_words: further words for the stories (see StoryGenerator).
    """

    def __init__(self, config: RMTConfig, tokenizer, background: Background, split: str, extra_words=()):
        self.config, self.tokenizer = config, tokenizer
        self.sentences = token_ids(tokenizer, background.sentences)
        self.stories = StoryGenerator(split=split, extra_words=extra_words)

    def batch(self, mixture: Mixture, seed: str, segment_length: int | None = None) -> Batch:
        """Draw one batch; `segment_length` may be shorter than the model's, as early in a curriculum.

        Raises:
            ValueError: if stories of this kind do not fit into the model's segments.
        """
        rng = self.stories.rng = Random(seed)
        spare = self.config.segment_length - self.config.text_capacity
        room = (segment_length or self.config.segment_length) - spare
        rows, marks, orders, asked, told = [], [], [], [], []
        theirs = own(mixture.own) if mixture.own else ()
        with_tail = rng.random() < mixture.tail_rate
        for sample in range(mixture.batch_size):
            facts, questions, at_start, places, steps = self._sample(rng, mixture, theirs, with_tail)
            told += facts
            order = [-2] * steps  # -2: any background row
            for step in sorted(set(places) - {steps}):
                inside = [fact for fact, place in zip(facts, places, strict=True) if place == step]
                order[step] = len(rows)
                needed = sum(map(len, inside))  # the last segment ends where the text does
                size = rng.randint(needed, max(needed, room)) if step == steps - 1 and not with_tail else room
                row, marked = self._marked(rng, size, inside, at_start, mixture.echoes)
                rows.append(row)
                marks.append(marked)
            orders.append(order)
            in_tail = [fact for fact, place in zip(facts, places, strict=True) if place == steps]
            for question, ids in questions:
                left, needed = room - len(ids), sum(map(len, in_tail))
                size = rng.randint(needed, max(needed, left))
                tail = self.segment(rng, size, in_tail, at_start) if with_tail else []
                asked.append((sample, tail + ids, question))
        noise = self.noise(rng, mixture.background, room, mixture.echoes)
        lured = round(mixture.lures * mixture.background)
        noise[:lured] = [lure(rng, row, told) for row in noise[:lured]]
        return self._tensors(rng, rows, marks, noise, orders, asked)

    def noise(self, rng: Random, count: int, room: int | None = None, echoes: float = 0.0) -> list[list[int]]:
        """`count` background segments as text tokens, each three quarters of `room` (by default the model's) to all;
        `echoes` as in `Mixture`."""
        room = room or self.config.text_capacity
        return [self._marked(rng, rng.randint(room * 3 // 4, room), [], echoes=echoes)[0] for _ in range(count)]

    def _sample(self, rng: Random, mixture: Mixture, theirs: tuple[Family, ...], with_tail: bool):
        """A story, its questions with their tokens, the segment that each of its facts stands in, and the number of
        segments before the question's.
        Facts are never cut: a story for training that does not fit the way it fell is drawn again."""
        for _ in range(TRIES[self.stories.split]):
            facts, questions, at_start = self._story(rng, mixture, theirs, with_tail)
            steps = self._steps(rng, mixture, with_tail)
            places = self._places(rng, steps, len(facts), at_start, with_tail)
            needed = Counter()
            for fact, place in zip(facts, places, strict=True):
                needed[place] += len(fact)
            asked = [(q, question_ids(self.tokenizer, self.config, q.text)) for q in questions]
            needed[steps] += max(len(ids) for _, ids in asked)
            if max(needed.values()) <= self.config.text_capacity:
                return facts, asked, at_start, places, steps
        raise ValueError(
            f"A segment of this model holds {self.config.text_capacity} text tokens, too few for {len(facts)} facts "
            f"that need {max(needed.values())} of one: take a model with longer segments, or shorter stories."
        )

    def _story(self, rng: Random, mixture: Mixture, theirs: tuple[Family, ...], with_tail: bool):
        """Facts as token lists, questions about them, and whether the fact belongs at the very start."""
        count = 1 if with_tail else mixture.questions  # a tail makes questions as long as segments
        if rng.random() < mixture.task_rate:
            name = rng.choice(mixture.tasks)
            if tell := (QA | PRACTICE).get(name):
                extra = self.stories.extra_words if mixture.extra_rate == 1 or rng.random() < mixture.extra_rate else ()
                more = {"extra_words": extra, "unknown_rate": mixture.unknown_rate}
                if mixture.sentences:
                    more["sentences"] = max(LEAST[name], rng.randint(*mixture.sentences))
                story, at_start = tell(rng, self.stories.split, questions=count, **more), False
            else:
                task = (TASKS | EASIER)[name](rng, count)
                story, at_start = task.story, task.at_start
        else:
            families = theirs if theirs and rng.random() < mixture.own_rate else mixture.families
            story, at_start = (
                self.stories.story(rng.randint(*mixture.facts), count, mixture.unknown_rate, families),
                False,
            )
        return token_ids(self.tokenizer, list(story.sentences)), story.questions, at_start

    def _steps(self, rng: Random, mixture: Mixture, with_tail: bool) -> int:
        """How many segments to read: any number of the range, few more often than many."""
        low, high = mixture.segments
        steps = low + int((high - low + 1) * rng.random() ** 2)
        return steps if with_tail else max(steps, 1)  # the facts must stand somewhere

    def _places(self, rng: Random, steps: int, facts: int, at_start: bool, with_tail: bool) -> list[int]:
        """The segment each fact stands in, in reading order; `steps` means the question's own."""
        if at_start:
            return [0] * facts
        return sorted(rng.randrange(steps + with_tail) for _ in range(facts))

    def segment(self, rng: Random, room: int, facts: list[list[int]], at_start: bool = False) -> list[int]:
        """Consecutive background sentences up to `room` tokens, the last one cut off, with facts between them (or,
        with `at_start`, before them)."""
        return self._marked(rng, room, facts, at_start)[0]

    def _marked(
        self, rng: Random, room: int, facts: list[list[int]], at_start: bool = False, echoes: float = 0.0
    ) -> tuple[list[int], list[bool]]:
        """A segment, and which of its tokens are of a fact."""
        background = consecutive(self.sentences, room - sum(map(len, facts)), rng)
        if background and echoes and rng.random() < echoes:
            background = echo(rng, background)
        pieces = [(sentence, False) for sentence in background]
        spots = sorted(0 if at_start else rng.randint(0, len(pieces)) for _ in facts)
        for spot, fact in zip(spots[::-1], facts[::-1], strict=True):
            pieces.insert(spot, (fact, True))
        tokens = [token for piece, _ in pieces for token in piece]
        return tokens, [is_fact for piece, is_fact in pieces for _ in piece]

    def _tensors(self, rng, rows, marks, noise, orders, asked) -> Batch:
        trained = len(rows)
        # Like texts, some of them end early.
        rows = rows + [row[: rng.randint(1, len(row))] if rng.random() < 0.125 else row for row in noise]
        longest = max(map(len, orders))
        order = torch.full((len(orders), longest), -1)
        for b, sample in enumerate(orders):
            for s, row in enumerate(sample):
                order[b, s] = row if row >= 0 else rng.randrange(trained, len(rows))
        ids, mask = frame(rows, self.config)
        in_fact = torch.zeros_like(mask)
        for row, marked in enumerate(marks):
            in_fact[row, 1 : 1 + len(marked)] = torch.tensor(marked)
        query, query_mask = frame([text for _, text, _ in asked], self.config)
        labels = torch.tensor(
            [answer_ids(self.tokenizer, self.config, question.answer, question.thought) for _, _, question in asked]
        )
        therefore = labels == token_ids(self.tokenizer, [THEREFORE])[0][0]
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "order": order,
            "query_ids": query,
            "query_mask": query_mask,
            "query_of": torch.tensor([sample for sample, _, _ in asked]),
            "num_trained": trained,
            "labels": labels,
        }
        thoughts = (therefore.int().argmax(1) + 1) * therefore.any(1)
        return Batch(inputs, [q for _, _, q in asked], (order >= 0) & (order < trained), in_fact, thoughts)
