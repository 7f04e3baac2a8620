"""Stories as a batch has them: what is told, in which of so many segments, and what is asked."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from ..config import RMTConfig
from ..questions import question_ids
from ..segments import token_ids
from .babi import LEAST, PRACTICE, QA, REREAD, asked_again
from .facts import StoryGenerator
from .families import Family
from .tasks import EASIER, TASKS, UNTOLD
from .world import Question, Story

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
    readings      how often the segments of a story are read where that changes answers, with questions each time: once
                  as they stand, then up to any of them, or those of qa1 in any order. They are encoded only once
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
    readings: int = 1
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


Part = TypeVar("Part")
Asked = list[tuple[Question, list[int]]]  # questions with their tokens


@dataclass(frozen=True)
class Sample:
    """A story, the `task` that it is of ("": none) and whether it stands `at_start` of the text; its `facts` as tokens
    and the segment that each of them stands in (`places`, in reading order); the number of segments before the
    question's (`steps`: a fact may stand in that one); and its questions."""

    story: Story
    task: str
    at_start: bool
    facts: list[list[int]]
    places: list[int]
    steps: int
    questions: Asked

    def inside(self, step: int, parts: Sequence[Part]) -> list[Part]:
        """Of `parts`, one for each fact, those of the facts in one segment."""
        return [part for part, place in zip(parts, self.places, strict=True) if place == step]


class Sampler:
    """Draws samples.

    Args:
        config: the segments' size is taken from it.
        tokenizer: the backbone's.
        stories: the source of all stories but those of tasks; its words and its split are theirs, too.
    """

    def __init__(self, config: RMTConfig, tokenizer, stories: StoryGenerator):
        self.config, self.tokenizer, self.stories = config, tokenizer, stories

    def draw(self, rng: Random, mixture: Mixture, theirs: tuple[Family, ...], with_tail: bool) -> Sample:
        """A sample, of families `theirs` if its story is of one's own; `with_tail`: facts may stand in the question's
        segment. Facts are never cut: a story for training that does not fit the way it fell is drawn again.

        Raises:
            ValueError: if stories of this kind do not fit into the model's segments.
        """
        for _ in range(TRIES[self.stories.split]):
            story, task, at_start = self._story(rng, mixture, theirs, 1 if with_tail else mixture.questions)
            facts = token_ids(self.tokenizer, list(story.sentences))
            steps = self._steps(rng, mixture, with_tail)
            places = self._places(rng, steps, len(facts), at_start, with_tail)
            needed = Counter()
            for fact, place in zip(facts, places, strict=True):
                needed[place] += len(fact)
            questions = self._with_ids(story.questions)
            needed[steps] += max(len(ids) for _, ids in questions)
            if max(needed.values()) <= self.config.text_capacity:
                return Sample(story, task, at_start, facts, places, steps, questions)
        raise ValueError(
            f"A segment of this model holds {self.config.text_capacity} text tokens, too few for {len(facts)} facts "
            f"that need {max(needed.values())} of one: take a model with longer segments, or shorter stories."
        )

    def read_again(self, rng: Random, mixture: Mixture, sample: Sample) -> Iterator[tuple[list[int], Asked]]:
        """Further readings of a sample's segments: which of them in which order, and what is asked then."""
        for _ in range(mixture.readings - 1 if sample.task in REREAD else 0):
            if sample.task == "qa1":
                steps = rng.sample(range(sample.steps), sample.steps)
            else:
                steps = list(range(rng.randint(sample.places[0] + 1, sample.steps)))
            told = [fact for step in steps for fact in sample.inside(step, sample.story.statements)]
            split, most = self.stories.split, mixture.questions
            yield steps, self._with_ids(asked_again(sample.task, rng, told, split, most, mixture.unknown_rate))

    def _story(self, rng: Random, mixture: Mixture, theirs: tuple[Family, ...], count: int) -> tuple[Story, str, bool]:
        """A story with so many questions, its task if it has one, and whether the facts belong at the very start."""
        if rng.random() >= mixture.task_rate:
            families = theirs if theirs and rng.random() < mixture.own_rate else mixture.families
            return self.stories.story(rng.randint(*mixture.facts), count, mixture.unknown_rate, families), "", False
        name = rng.choice(mixture.tasks)
        tell = (QA | PRACTICE).get(name)
        if tell is None:
            task = (TASKS | EASIER | UNTOLD)[name](rng, count)
            return task.story, name, task.at_start
        extra = self.stories.extra_words if mixture.extra_rate == 1 or rng.random() < mixture.extra_rate else ()
        more = {"extra_words": extra, "unknown_rate": mixture.unknown_rate}
        if mixture.sentences:
            more["sentences"] = max(LEAST[name], rng.randint(*mixture.sentences))
        return tell(rng, self.stories.split, questions=count, **more), name, False

    def _with_ids(self, questions: Iterable[Question]) -> Asked:
        return [(question, question_ids(self.tokenizer, self.config, question.text)) for question in questions]

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
