"""Draw samples: a story, the segment each of its facts is in, and the questions about it."""

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
from .tasks import EASIER, EVAL_ONLY, TASKS
from .world import Question, Story

# How many times to draw a story before giving up because it does not fit into its segments. Evaluation never redraws:
# leaving out long stories would make the test easier.
TRIES = {"train": 20, "eval": 1}


@dataclass(frozen=True)
class Mixture:
    """The distribution that the samples of a batch are drawn from. Pairs are (minimum, maximum).

    batch_size    samples (haystacks) in a batch
    segments      segments read before the question's segment; drawn per sample, small numbers more often
    facts         facts in a story
    sentences     sentences in a bAbI story, never fewer than its task needs; None = the length used in evaluation
    questions     questions about each haystack
    readings      how often a story whose answers depend on the reading (`babi.REREAD`) is read, with new questions each
                  time: first as a whole, then only its first segments, or for qa1 all of them in a random order. Its
                  segments are encoded only once
    tail_rate     share of batches in which the question's segment also has text, and possibly facts, before the
                  question; in the others the text ends in a segment of any size and the question has its own segment
    task_rate     share of samples that come from `tasks`
    tasks         tasks of the paper, their easier forms, bAbI tasks ("qa1" to "qa5") or practice for these ("routes",
                  "gifts")
    extra_rate    share of bAbI stories that use the extra words (see BatchMaker)
    unknown_rate  share of questions that the text does not answer; does not apply to the paper's tasks
    families      fact families: "train", "heldout" or "all"
    background    background segments in the table
    lures         share of the background segments that contain fragments of the batch's facts, too short to be facts
    echoes        share of all segments in the table whose background repeats a few words over and over
    own           your own fact families, as a table (see `families.own`)
    own_rate      share of the stories outside `tasks` that use only your own families
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
Asked = list[tuple[Question, list[int]]]  # questions with their token ids


@dataclass(frozen=True)
class Sample:
    """One story placed into segments.

    story      facts and questions as text
    task       name of the task it comes from; "" = none
    at_start   whether the facts come first in their segment
    facts      token ids of each fact, in reading order
    places     the segment of each fact; `steps` stands for the question's segment
    steps      segments before the question's segment
    questions  with their token ids
    """

    story: Story
    task: str
    at_start: bool
    facts: list[list[int]]
    places: list[int]
    steps: int
    questions: Asked

    def inside(self, step: int, parts: Sequence[Part]) -> list[Part]:
        """Select from `parts`, which has one item per fact, the items of the facts in segment `step`."""
        return [part for part, place in zip(parts, self.places, strict=True) if place == step]


class Sampler:
    """Draws samples.

    Args:
        config: gives the segment size.
        tokenizer: the backbone's.
        stories: makes the stories outside `Mixture.tasks`; the tasks use its split and extra words.
    """

    def __init__(self, config: RMTConfig, tokenizer, stories: StoryGenerator):
        self.config, self.tokenizer, self.stories = config, tokenizer, stories

    def draw(self, rng: Random, mixture: Mixture, own_families: tuple[Family, ...], with_tail: bool) -> Sample:
        """Draw a sample. Facts are never cut: in training, a story that does not fit is drawn again.

        Args:
            rng: the source of randomness.
            mixture: what the sample looks like.
            own_families: the families of `mixture.own`, parsed.
            with_tail: facts may be in the question's segment, and there is only one question.

        Raises:
            ValueError: if stories of this kind do not fit into the model's segments.
        """
        for _ in range(TRIES[self.stories.split]):
            story, task, at_start = self._story(rng, mixture, own_families, 1 if with_tail else mixture.questions)
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
            f"that need {max(needed.values())} in one segment: take a model with longer segments, or shorter stories."
        )

    def read_again(self, rng: Random, mixture: Mixture, sample: Sample) -> Iterator[tuple[list[int], Asked]]:
        """Yield further readings of a sample: which segments are read in which order, and the questions then asked."""
        for _ in range(mixture.readings - 1 if sample.task in REREAD else 0):
            if sample.task == "qa1":
                steps = rng.sample(range(sample.steps), sample.steps)
            else:
                steps = list(range(rng.randint(sample.places[0] + 1, sample.steps)))
            told = [fact for step in steps for fact in sample.inside(step, sample.story.statements)]
            split, most = self.stories.split, mixture.questions
            yield steps, self._with_ids(asked_again(sample.task, rng, told, split, most, mixture.unknown_rate))

    def _story(
        self, rng: Random, mixture: Mixture, own_families: tuple[Family, ...], count: int
    ) -> tuple[Story, str, bool]:
        """Draw a story with `count` questions: the story, its task ("" = none), and whether its facts come first."""
        if rng.random() >= mixture.task_rate:
            families = own_families if own_families and rng.random() < mixture.own_rate else mixture.families
            num_facts = rng.randint(*mixture.facts)
            return self.stories.story(num_facts, count, mixture.unknown_rate, families, rng), "", False
        name = rng.choice(mixture.tasks)
        tell = (QA | PRACTICE).get(name)
        if tell is None:
            task = (TASKS | EASIER | EVAL_ONLY)[name](rng, count)
            return task.story, name, task.at_start
        extra = self.stories.extra_words if mixture.extra_rate == 1 or rng.random() < mixture.extra_rate else ()
        options = {"extra_words": extra, "unknown_rate": mixture.unknown_rate}
        if mixture.sentences:
            options["sentences"] = max(LEAST[name], rng.randint(*mixture.sentences))
        return tell(rng, self.stories.split, questions=count, **options), name, False

    def _with_ids(self, questions: Iterable[Question]) -> Asked:
        return [(question, question_ids(self.tokenizer, self.config, question.text)) for question in questions]

    def _steps(self, rng: Random, mixture: Mixture, with_tail: bool) -> int:
        """Draw the number of segments before the question's; small numbers are more likely."""
        low, high = mixture.segments
        steps = low + int((high - low + 1) * rng.random() ** 2)
        return steps if with_tail else max(steps, 1)  # the facts need a segment

    def _places(self, rng: Random, steps: int, facts: int, at_start: bool, with_tail: bool) -> list[int]:
        """Draw the segment of each fact, in reading order; `steps` is the question's segment."""
        if at_start:
            return [0] * facts
        return sorted(rng.randrange(steps + with_tail) for _ in range(facts))
