"""A new generator for the first five bAbI tasks (arXiv 1502.05698), whose stories can be hidden in long texts as in
BABILong (arXiv 2406.10149).

    qa1   one supporting fact       people move; where is one of them?
    qa2   two supporting facts      people carry objects; where is one of the objects?
    qa3   three supporting facts    ... and where was it before the kitchen?
    qa4   two-argument relations    places lie around places; what is north of the garden?
    qa5   three-argument relations  people give each other objects; who gave what to whom?

Two more tasks are for training only: "routes" has the stories of qa2 and qa3 with the questions of qa1, qa2 and qa3;
"gifts" has the stories of qa5 with only those questions that qa5 seldom asks. Questions of qa1, qa2 and qa3 come with
a thought, which says whose route leads to the answer (see `babi_oracle.thought`).

Three things differ from the original. Its generator had wrong answers (facebookarchive/bAbI-tasks #7, #8); here
`answer` derives every answer by replaying the facts of the finished story, and a question with no answer or several
answers is never asked. Words and paraphrases are divided into training and evaluation (only the four directions are
in both): `tables/babi.txt` has one paraphrase per line, and the last of each kind is kept for evaluation. And every
event is consistent with those before it (`scene.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from random import Random

from ..questions import UNKNOWN
from .babi_oracle import answer, thought
from .scene import QUESTIONS, Scene, say, some_words, tell
from .tasks import OPPOSITE
from .words import pool
from .world import Query, Question, Statement, Story

# Word pools of the slots that are not named after theirs.
KIND_OF = {"giver": "person", "receiver": "person", "subject": "site", "reference": "site"}
LEAST = {"qa1": 1, "qa2": 2, "qa3": 3, "qa4": 1, "qa5": 1, "routes": 3, "gifts": 1}  # sentences in a story
LONGEST = 20  # sentences; the evaluation split has 25 places, too few for larger maps


def story(
    task: str,
    rng: Random,
    split: str = "train",
    sentences: int | None = None,
    questions: int = 1,
    extra_words: Sequence[str] = (),
    unknown_rate: float = 0.0,
) -> Story:
    """Draw a story of one of the tasks, with its questions.

    Args:
        task: one of `QA` or `PRACTICE`.
        rng: the source of randomness; the same state gives the same story.
        split: "train" or "eval": which words and paraphrases to use.
        sentences: facts in the story, from `LEAST` to 20, distractors included; by default a random 2 to 12.
        questions: how many different questions; fewer if the story has fewer with exactly one answer.
        extra_words: extra words of that split, which replace half of all people, objects and places.
        unknown_rate: share of the questions that are about a word in no fact, with the answer "unknown". bAbI has none,
            but a model trained without them learns to answer with the place of somebody else.

    Raises:
        ValueError: for an unknown task or split, or a number out of range.
    """
    if task not in _TELL:
        raise ValueError(f"There is no task {task!r}: choose from {', '.join(_TELL)}.")
    length = _length(rng, sentences, questions, LEAST[task])
    while True:  # draw again, with the same length, until a question can be asked
        facts, queries = _TELL[task](rng, split, length, extra_words)
        if asked := _ask(rng, facts, queries, split, questions, unknown_rate):
            return Story(tuple(facts), tuple(asked))


def asked_again(
    task: str, rng: Random, facts: Sequence[Statement], split: str, questions: int, unknown_rate: float
) -> list[Question]:
    """New questions of a task in `REREAD` about the given facts of an earlier story: its first facts, or for qa1 all of
    them in another order. The other arguments are as for `story`."""
    return _ask(rng, facts, REREAD[task](facts), split, questions, unknown_rate)


QA: dict[str, Callable[..., Story]] = {task: partial(story, task) for task in ("qa1", "qa2", "qa3", "qa4", "qa5")}
PRACTICE = {task: partial(story, task) for task in ("routes", "gifts")}


# -- the queries that a story allows


def _whereabouts(facts: Sequence[Statement]) -> list[Query]:
    return [Query("go", (("person", person),), "site") for person in _mentioned(facts, "person")]


def _things(facts: Sequence[Statement]) -> list[Query]:
    return [Query("carried", (("object", thing),), "site") for thing in _mentioned(facts, "object")]


def _moves(facts: Sequence[Statement]) -> list[Query]:
    pairs = product(_mentioned(facts, "object"), _mentioned(facts, "site"))
    return [Query("before", (("object", thing), ("site", site)), "earlier") for thing, site in pairs]


def _routes(facts: Sequence[Statement]) -> list[Query]:
    return _things(facts) + _moves(facts) + _whereabouts(facts)


def _gifts(facts: Sequence[Statement]) -> list[Query]:
    gifts = [fact for fact in facts if fact.family == "give"]
    forms = [(known, ask) for family, *known, ask in QUESTIONS if family == "give"]
    asked = (Query("give", tuple((k, gift[k]) for k in known), ask) for gift, (known, ask) in product(gifts, forms))
    return list(dict.fromkeys(asked))


def _lone_gifts(facts: Sequence[Statement]) -> list[Query]:
    return [query for query in _gifts(facts) if len(query.known) == 1]


def _mentioned(facts: Sequence[Statement], slot: str) -> list[str]:
    """The different words in a slot, in reading order (the order of a set would change from run to run)."""
    return list(dict.fromkeys(word for fact in facts for name, word in fact.slots if name == slot))


# The queries of the tasks whose answers change while a story is read.
REREAD = {"qa1": _whereabouts, "qa2": _things, "qa3": _moves, "routes": _routes}


# -- putting a story together


def _length(rng: Random, sentences: int | None, questions: int, least: int) -> int:
    if questions < 1:
        raise ValueError(f"Ask for one or more questions, not {questions}.")
    if sentences is None:
        return rng.randint(max(2, least), 12)
    if not least <= sentences <= LONGEST:
        raise ValueError(f"This task has stories of {least} to {LONGEST} sentences, not {sentences}.")
    return sentences


def _play(
    acts: dict[str, int],
    ask: Callable[..., list[Query]],
    rng: Random,
    split: str,
    length: int,
    extra_words: Sequence[str],
) -> tuple[list[Statement], list[Query]]:
    """Draw the facts of a scene and the queries they allow; `acts` are families of facts with their weights."""
    scene = Scene(rng, split, length, extra_words)
    facts = [scene.act(acts) for _ in range(length)]
    return facts, ask(facts)


def _maps(rng: Random, split: str, length: int, extra_words: Sequence[str]) -> tuple[list[Statement], list[Query]]:
    """Draw one or more maps with no place in common, each a middle place with others on up to four sides of it.

    Queries start from the middle only: seen from an outer place, several places may lie on the same side.
    """
    sites = some_words(rng, "site", split, len(pool("site", split)), extra_words)
    maps = rng.randint(-(-length // len(OPPOSITE)), min(length, len(sites) - length))
    middles, around = sites[:maps], sites[maps:]
    sides = rng.sample(list(product(middles, OPPOSITE)), length)
    facts, queries = [], []
    for (middle, way), site in zip(sides, around, strict=False):
        back = OPPOSITE[way]
        triple = (site, way, middle) if rng.random() < 0.5 else (middle, back, site)
        facts.append(tell(rng, split, "lies", tuple(zip(("subject", "direction", "reference"), triple, strict=True))))
        queries.append(Query("lies", (("direction", way), ("reference", middle)), "subject"))
        queries.append(Query("lies", (("subject", middle), ("direction", back)), "reference"))
    return facts, queries


_CARRYING = {"go": 3, "take": 2, "drop": 1}
_GIVING = {"give": 4, "go": 1, "take": 1, "drop": 1}
_TELL = {
    "qa1": partial(_play, {"go": 1}, _whereabouts),
    "qa2": partial(_play, _CARRYING, _things),
    "qa3": partial(_play, _CARRYING, _moves),
    "qa4": _maps,
    "qa5": partial(_play, _GIVING, _gifts),
    "routes": partial(_play, _CARRYING, _routes),
    "gifts": partial(_play, _GIVING, _lone_gifts),
}


def _ask(
    rng: Random, facts: Sequence[Statement], queries: list[Query], split: str, questions: int, unknown_rate: float
) -> list[Question]:
    """Up to `questions` questions in random order; queries without exactly one answer are skipped."""
    asked = []
    queries = rng.sample(queries, len(queries))
    if rng.random() < 0.3:  # queries like "Who received the cup?" seldom have one answer, so try them first
        queries.sort(key=lambda query: len(query.known))
    for query in queries:
        if len(asked) == questions:
            break
        try:
            reply = answer(facts, query)
        except ValueError:
            continue
        kind, step = _kind(facts, query), thought(facts, query)
        if unknown_rate and rng.random() < unknown_rate:
            query, reply, kind, step = _unanswerable(rng, split, facts, query), UNKNOWN, UNKNOWN, ""
        key = (query.family, *(slot for slot, _ in query.known), query.ask)
        asked.append(Question(say(rng, split, QUESTIONS[key], query.known), reply, kind, query, step))
    return asked


def _unanswerable(rng: Random, split: str, facts: Sequence[Statement], query: Query) -> Query:
    """The same query about a person, object or place that is in no fact."""
    slot = rng.choice([slot for slot, _ in query.known if slot != "direction"])
    mentioned = {word for fact in facts for _, word in fact.slots}
    word = rng.choice([word for word in pool(KIND_OF.get(slot, slot), split) if word not in mentioned])
    return replace(query, known=tuple((name, word if name == slot else known) for name, known in query.known))


def _kind(facts: Sequence[Statement], query: Query) -> str:
    if query.family in ("carried", "before"):
        return "two_hop"
    moves = [fact for fact in facts if query.family == "go" and set(query.known) <= set(fact.slots)]
    return "override" if len(moves) > 1 else "single"
