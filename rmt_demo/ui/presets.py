"""Ready-made facts and questions. Their answers come from the oracles of `data/`, never from a hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ..data.facts import StoryGenerator
from ..data.tasks import TASKS, lies_oracle
from ..data.world import Query, Statement, oracle
from ..heads import RMTForSequenceClassification
from ..modeling import RMTPreTrainedModel
from ..questions import UNKNOWN

FIRST = "first"
PRESETS = [
    ("A first example", FIRST),
    ("Memorize: one fact at the very beginning", "memorize"),
    ("Detect & memorize: one fact anywhere", "detect"),
    ("Reasoning: two facts have to meet", "reasoning"),
    ("Several facts", "several"),
    ("An override: a later fact replaces an earlier one", "override"),
    ("Two hops: who carried what where", "two_hop"),
    ("An unanswerable question", UNKNOWN),
]
# Sentences in a story, and what kind its first question is of.
STORIES = {"several": (3, "single"), "override": (3, "override"), "two_hop": (3, "two_hop"), UNKNOWN: (2, UNKNOWN)}


@dataclass(frozen=True)
class Preset:
    """Facts with their positions, and questions about them.

    statements  what the sentences say, in the order of the text
    positions   of the sentences, 0 to 1, in the same order
    queries     question -> what it means
    """

    statements: tuple[Statement, ...]
    positions: tuple[float, ...]
    queries: dict[str, Query]

    @property
    def rows(self) -> list[list]:
        """[sentence, position], as the page's table has them."""
        return [[s.text, position] for s, position in zip(self.statements, self.positions, strict=True)]

    def answer(self, question: str, facts_read: int) -> str | None:
        """The right answer to whoever has read the first so many facts; None if it is none of these questions."""
        known = {_folded(text): query for text, query in self.queries.items()}
        query, told = known.get(_folded(question)), self.statements[:facts_read]
        if query is None:
            return None
        if query.family != "lies":
            return oracle(told, query)
        try:
            return lies_oracle(told, query)
        except ValueError:  # the fact that says so is still to come
            return UNKNOWN


def opening(model: RMTPreTrainedModel) -> str:
    """The name of the preset that the page opens with, one that this model has the answers to."""
    return "memorize" if isinstance(model, RMTForSequenceClassification) else FIRST


def draw(name: str, seed: int) -> Preset:
    """A preset by its name; the same seed draws the same.

    Raises:
        ValueError: if there is no such preset.
    """
    rng = Random(f"{name}/{seed}")
    if name == FIRST:
        return _first()
    if name in TASKS:
        task = TASKS[name](rng)
        positions = (0.0,) if task.at_start else _positions(rng, len(task.story.statements))
        return Preset(task.story.statements, positions, {q.text: q.query for q in task.story.questions})
    if name not in STORIES:
        raise ValueError(f"There is no preset {str(name)[:40]!r}: choose one of the list.")
    sentences, kind = STORIES[name]
    stories = StoryGenerator("eval", rng.randrange(10**9))
    while True:  # until a story has a question of that kind; no preset needs more than some dozens
        story = stories.story(sentences, 3, unknown_rate=0.5 if kind == UNKNOWN else 0.0)
        asked = sorted(story.questions, key=lambda question: question.kind != kind)
        if asked and asked[0].kind == kind:
            positions = _positions(rng, len(story.statements))
            return Preset(story.statements, positions, {q.text: q.query for q in asked})


def matching(name: str, seed: int, rows: Sequence) -> Preset | None:
    """The preset if these are its facts in its order, so that its answers hold; None if somebody has edited them."""
    try:
        preset = draw(name, seed)
        told = [str(row[0]) for row in sorted((row for row in rows if row[0]), key=lambda row: float(row[1]))]
    except (ValueError, TypeError, IndexError):
        return None
    return preset if told == [statement.text for statement in preset.statements] else None


def _folded(question: str) -> str:
    """A question as whoever types it in a hurry means it: "where is daniel" is "Where is Daniel?"."""
    return " ".join(question.casefold().rstrip("? ").split())


def _first() -> Preset:
    """The same two facts every time; nobody says where Olga is."""
    daniel, maria = (("person", "Daniel"), ("site", "garden")), (("person", "Maria"), ("job", "nurse"))
    statements = (
        Statement("go", daniel, "Daniel went to the garden."),
        Statement("job", maria, "Maria works as a nurse."),
    )
    queries = {
        "Where is Daniel?": Query("go", daniel[:1], "site"),
        "What is the job of Maria?": Query("job", maria[:1], "job"),
        "Where is Olga?": Query("go", (("person", "Olga"),), "site"),
    }
    return Preset(statements, (0.2, 0.7), queries)


def _positions(rng: Random, count: int) -> tuple[float, ...]:
    return tuple(sorted(round(rng.uniform(0.05, 0.9), 2) for _ in range(count)))
