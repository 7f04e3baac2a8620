"""The three tasks of the paper (arXiv 2304.11062), in the words of bAbI (arXiv 1502.05698).

    memorize    one fact at the very start of the text, the question at its end
    detect      the same fact anywhere in the text
    reasoning   two facts anywhere in the text, and a question about one of them (bAbI task 4)

Every answer is one of six places, so each task is a six-way classification.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random

from ..questions import PLACES, UNKNOWN
from .world import Query, Question, Statement, Story, oracle

NAMES = ("Mary", "John", "Daniel", "Sandra")
VERBS = ("moved", "went", "went back", "journeyed", "travelled")
OPPOSITE = {"north": "south", "south": "north", "east": "west", "west": "east"}


@dataclass(frozen=True)
class Task:
    """A story with its questions; `at_start`: the text begins with its facts."""

    story: Story
    at_start: bool

    @property
    def label(self) -> int:
        """Index in PLACES of the answer to the first question."""
        return PLACES.index(self.story.questions[0].answer)


def memorize(rng: Random, questions: int = 1) -> Task:
    """One fact about where a person went, to be put at the very start of the text."""
    return _located(rng, at_start=True)


def detect(rng: Random, questions: int = 1) -> Task:
    """The same kind of fact as `memorize`, to be put anywhere in the text."""
    return _located(rng, at_start=False)


def stranger(rng: Random, questions: int = 1) -> Task:
    """The fact of `detect` with a question about another of the four people, whom the text does not mention."""
    facts = detect(rng).story.statements
    another = rng.choice([name for name in NAMES if name != facts[0]["person"]])
    return Task(Story(facts, (_whereabouts(facts, another),)), at_start=False)


def reasoning(rng: Random, questions: int = 1, turn_facts: bool = True, turn_questions: bool = True) -> Task:
    """Three places in a row: two facts relate the outer ones to the middle one, and up to four questions ask about the
    neighbours of the middle one. As in bAbI, no question is about the neighbours of an outer place: both other places
    lie on the same side of it, so there would be two answers.

    Args:
        rng: the source of randomness.
        questions: at most how many.
        turn_facts: state each fact from a random one of its two places, and not always from the outer one.
        turn_questions: ask for either side of the relation ("What is the garden north of?"), and not only for its
            subject ("What is north of the garden?").
    """
    middle, *ends = rng.sample(PLACES, 3)
    direction = rng.choice(tuple(OPPOSITE))
    ways = (direction, OPPOSITE[direction])
    facts = tuple(_relation(rng, end, way, middle, turn_facts) for end, way in zip(ends, ways, strict=True))
    asked = []
    for way in ways:
        query = Query("lies", (("direction", way), ("reference", middle)), "subject")
        asked.append(Question(f"What is {way} of the {middle}?", lies_oracle(facts, query), "single", query))
        if not turn_questions:
            continue
        query = Query("lies", (("subject", middle), ("direction", way)), "reference")
        asked.append(Question(f"What is the {middle} {way} of?", lies_oracle(facts, query), "single", query))
    told, asked = rng.sample(facts, 2), rng.sample(asked, min(questions, len(asked)))
    return Task(Story(tuple(told), tuple(asked)), at_start=False)


def compass(rng: Random, questions: int = 1) -> Task:
    """The story of `reasoning` without turned facts or questions, plus questions about the directions themselves."""
    task = reasoning(rng, 2, turn_facts=False, turn_questions=False)
    asked = list(task.story.questions)
    for fact in task.story.statements:
        query = Query("lies", tuple(pair for pair in fact.slots if pair[0] != "direction"), "direction")
        text = f"Which way is the {fact['subject']} from the {fact['reference']}?"
        asked.append(Question(text, lies_oracle(task.story.statements, query), "single", query))
    return Task(Story(task.story.statements, tuple(rng.sample(asked, min(questions, len(asked))))), at_start=False)


TASKS: dict[str, Callable[..., Task]] = {"memorize": memorize, "detect": detect, "reasoning": reasoning}
# Which of the two places is the answer depends on three turns at once. It is a parity, and a model learns it much
# sooner if it first sees the cases with no turn and with one kind of turn.
EASIER: dict[str, Callable[..., Task]] = {
    "compass": compass,
    "direct": partial(reasoning, turn_facts=False, turn_questions=False),
    "turned": partial(reasoning, turn_facts=False),
}
EVAL_ONLY: dict[str, Callable[..., Task]] = {"stranger": stranger}


def lies_oracle(facts: Iterable[Statement], query: Query) -> str:
    """Answer a query from facts like "the garden is north of the office", each of which also holds in reverse.

    Raises:
        ValueError: if nothing fits, or several words do.
    """
    lying = [(fact["subject"], fact["direction"], fact["reference"]) for fact in facts]
    lying += [(reference, OPPOSITE[direction], subject) for subject, direction, reference in lying]
    views = [dict(zip(("subject", "direction", "reference"), triple, strict=True)) for triple in lying]
    found = {view[query.ask] for view in views if set(query.known) <= set(view.items())}
    if len(found) != 1:
        raise ValueError(f"{query} has {len(found)} answers; ask about a relation that exactly one fact gives.")
    return found.pop()


def _located(rng: Random, at_start: bool) -> Task:
    name, place = rng.choice(NAMES), rng.choice(PLACES)
    facts = (Statement("go", (("person", name), ("site", place)), f"{name} {rng.choice(VERBS)} to the {place}."),)
    return Task(Story(facts, (_whereabouts(facts, name),)), at_start)


def _whereabouts(facts: tuple[Statement, ...], name: str) -> Question:
    query = Query("go", (("person", name),), "site")
    place = oracle(facts, query)
    return Question(f"Where is {name}?", place, UNKNOWN if place == UNKNOWN else "single", query)


def _relation(rng: Random, subject: str, direction: str, reference: str, turn: bool) -> Statement:
    """The relation of two places; with `turn`, stated from a random one of them."""
    if turn and rng.random() < 0.5:
        subject, direction, reference = reference, OPPOSITE[direction], subject
    slots = (("subject", subject), ("direction", direction), ("reference", reference))
    return Statement("lies", slots, f"The {subject} is {direction} of the {reference}.")
