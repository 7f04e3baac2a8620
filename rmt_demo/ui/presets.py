"""Ready-made facts and questions. The right answers come from the oracles in `data/`; none is written by hand."""

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
# preset -> (sentences in the story, kind of its first question)
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
        """The facts as rows [sentence, position] of the page's table."""
        return [[s.text, position] for s, position in zip(self.statements, self.positions, strict=True)]

    def answer(self, question: str, facts_read: int) -> str | None:
        """The right answer after the first `facts_read` facts; None if the question is not one of the preset's."""
        known = {_folded(text): query for text, query in self.queries.items()}
        query, told = known.get(_folded(question)), self.statements[:facts_read]
        if query is None:
            return None
        if query.family != "lies":
            return oracle(told, query)
        try:
            return lies_oracle(told, query)
        except ValueError:  # the fact that says who lies has not been read yet
            return UNKNOWN


def opening(model: RMTPreTrainedModel) -> str:
    """The name of the preset that the page opens with: one whose answers this model can give."""
    return "memorize" if isinstance(model, RMTForSequenceClassification) else FIRST


def draw(name: str, seed: int) -> Preset:
    """Draw a preset by name; the same seed gives the same facts and questions.

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
    while True:  # until a story has a question of that kind: a few dozen tries at most
        story = stories.story(sentences, 3, unknown_rate=0.5 if kind == UNKNOWN else 0.0)
        asked = sorted(story.questions, key=lambda question: question.kind != kind)
        if asked and asked[0].kind == kind:
            positions = _positions(rng, len(story.statements))
            return Preset(story.statements, positions, {q.text: q.query for q in asked})


def matching(name: str, seed: int, rows: Sequence) -> Preset | None:
    """The preset if `rows` are its facts in its order, so that its answers hold; None if they were edited."""
    try:
        preset = draw(name, seed)
        told = [str(row[0]) for row in sorted((row for row in rows if row[0]), key=lambda row: float(row[1]))]
    except (ValueError, TypeError, IndexError):
        return None
    return preset if told == [statement.text for statement in preset.statements] else None


def _folded(question: str) -> str:
    """A question without differences in case, spacing and "?": "where is daniel" equals "Where is Daniel?"."""
    return " ".join(question.casefold().rstrip("? ").split())


def _first() -> Preset:
    """The same two facts for every seed; no fact says where Olga is."""
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
