"""The first five tasks of bAbI (arXiv 1502.05698), made anew, to be hidden in long texts as in BABILong (2406.10149).

    qa1   one supporting fact     people move about; where is one of them?
    qa2   two supporting facts    people carry things about; where is one of the things?
    qa3   three supporting facts  ... and where was it before the kitchen?
    qa4   two-argument relations  places lie around places; what is north of the garden?
    qa5   three-argument ones     people give each other things; who gave what to whom?

To practise on there are "routes", stories as of qa2 and qa3 with the questions of both, and of qa1, and "gifts", those
of qa5 with nothing but the questions that it seldom asks. Questions of the first three tasks have a thought to answer
them by: whose way to follow.

Three things differ from the original. Its generator had wrong answers (facebookarchive/bAbI-tasks #7, #8); here
every answer comes from `answer`, which replays the facts of the finished story, and a question with no or several
answers is never asked. Words and paraphrases are divided into training and evaluation (only the four directions are
in both): the paraphrases stand in `tables/babi.txt`, one a line, and the last of each kind is kept for evaluation. And
nothing happens that what was said before rules out (`scene.py`).
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

KIND_OF = {
    "giver": "person",
    "receiver": "person",
    "subject": "site",
    "reference": "site",
}  # where a slot is not its words' kind
LEAST = {"qa1": 1, "qa2": 2, "qa3": 3, "qa4": 1, "qa5": 1, "routes": 3, "gifts": 1}  # sentences
LONGEST = 20  # sentences: the evaluation split's 25 places make no larger map


def story(
    task: str,
    rng: Random,
    split: str = "train",
    sentences: int | None = None,
    questions: int = 1,
    extra_words: Sequence[str] = (),
    unknown_rate: float = 0.0,
) -> Story:
    """A story of one of the tasks, with its questions.

    Args:
        task: one of `QA` or `PRACTICE`.
        rng: the source of all chance; the same state gives the same story.
        split: "train" or "eval": which words and paraphrases.
        sentences: facts in the story, the needless ones included, up to 20, and no fewer than `LEAST` has; by default a
            random 2 to 12.
        questions: different questions to ask, or fewer if the story has no more with exactly one answer.
        extra_words: further words of that split; they stand in for half of all people, things and places.
        unknown_rate: share of the questions that are about somebody or something in no fact, with the answer "unknown".
            bAbI has none; a model trained without learns that whoever is asked for is where another is.

    Raises:
        ValueError: for an unknown task or split, or a number out of range.
    """
    if task not in _TELL:
        raise ValueError(f"There is no task {task!r}: choose from {', '.join(_TELL)}.")
    length = _length(rng, sentences, questions, LEAST[task])
    while True:  # drawn again until there is a question, of the same length
        facts, queries = _TELL[task](rng, split, length, extra_words)
        if asked := _ask(rng, facts, queries, split, questions, unknown_rate):
            return Story(tuple(facts), tuple(asked))


def asked_again(
    task: str, rng: Random, facts: Sequence[Statement], split: str, questions: int, unknown_rate: float
) -> list[Question]:
    """Questions of one of the tasks in `REREAD`, with their answers, about facts that were told before: some of them,
    or, for qa1, all in another order. Arguments as in `story`."""
    return _ask(rng, facts, REREAD[task](facts), split, questions, unknown_rate)


QA: dict[str, Callable[..., Story]] = {task: partial(story, task) for task in ("qa1", "qa2", "qa3", "qa4", "qa5")}
PRACTICE = {task: partial(story, task) for task in ("routes", "gifts")}


# -- what can be asked


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
    """The words in a slot, in reading order (a set's order would change from run to run)."""
    return list(dict.fromkeys(word for fact in facts for name, word in fact.slots if name == slot))


# What is asked in tasks whose answers change while a story is read.
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
    """What people do, and what can be asked about it; `acts` are families of facts with their weights."""
    scene = Scene(rng, split, length, extra_words)
    facts = [scene.act(acts) for _ in range(length)]
    return facts, ask(facts)


def _maps(rng: Random, split: str, length: int, extra_words: Sequence[str]) -> tuple[list[Statement], list[Query]]:
    """One or more maps with no place in common, each a middle and the places on up to four sides of it.

    Questions are asked from the middle only: from the outside, several places may lie on the same side.
    """
    sites = some_words(rng, "site", split, len(pool("site", split)), extra_words)
    maps = rng.randint(-(-length // len(OPPOSITE)), min(length, len(sites) - length))
    middles, around = sites[:maps], sites[maps:]
    sides = rng.sample(list(product(middles, OPPOSITE)), length)
    facts, queries = [], []
    for (middle, way), site in zip(sides, around, strict=False):
        back = OPPOSITE[way]
        triple = (site, way, middle) if rng.random() < 0.5 else (middle, back, site)  # said from either end
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
    """Up to so many questions in random order; queries without exactly one answer are passed over."""
    asked = []
    queries = rng.sample(queries, len(queries))
    if rng.random() < 0.3:  # "Who received the cup?" seldom has one answer, and would seldom be asked
        queries.sort(key=lambda query: len(query.known))
    for query in queries:
        if len(asked) == questions:
            break
        try:
            reply = answer(facts, query)
        except ValueError:
            continue
        kind, by = _kind(facts, query), thought(facts, query)
        if unknown_rate and rng.random() < unknown_rate:
            query, reply, kind, by = _of_another(rng, split, facts, query), UNKNOWN, UNKNOWN, ""
        key = (query.family, *(slot for slot, _ in query.known), query.ask)
        asked.append(Question(say(rng, split, QUESTIONS[key], query.known), reply, kind, query, by))
    return asked


def _of_another(rng: Random, split: str, facts: Sequence[Statement], query: Query) -> Query:
    """The same about a person, a thing or a place that no fact is about."""
    slot = rng.choice([slot for slot, _ in query.known if slot != "direction"])
    said = {word for fact in facts for _, word in fact.slots}
    word = rng.choice([word for word in pool(KIND_OF.get(slot, slot), split) if word not in said])
    return replace(query, known=tuple((name, word if name == slot else known) for name, known in query.known))


def _kind(facts: Sequence[Statement], query: Query) -> str:
    if query.family in ("carried", "before"):
        return "two_hop"
    moves = [fact for fact in facts if query.family == "go" and set(query.known) <= set(fact.slots)]
    return "override" if len(moves) > 1 else "single"
