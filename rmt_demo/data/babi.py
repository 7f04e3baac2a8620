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
from dataclasses import dataclass, replace
from itertools import product
from random import Random

from .babi_oracle import answer, thought
from .scene import QUESTIONS, Scene, say, some_words, tell
from .tasks import OPPOSITE
from .words import pool
from .world import UNKNOWN, Query, Question, Statement, Story

KIND_OF = {
    "giver": "person",
    "receiver": "person",
    "subject": "site",
    "reference": "site",
}  # where a slot is not its words' kind
LEAST = {"qa1": 1, "qa2": 2, "qa3": 3, "qa4": 1, "qa5": 1, "routes": 3, "gifts": 1}  # sentences
LONGEST = 20  # sentences: the evaluation split's 25 places make no larger map


@dataclass(frozen=True)
class _Telling:
    """How a story is told and what is asked of it: the arguments of `qa1` but its length."""

    rng: Random
    split: str
    questions: int
    extra_words: Sequence[str]
    unknown_rate: float


def qa1(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """People move about; where is one of them? That person's last move counts.

    Args:
        rng: the source of all chance; the same state gives the same story.
        split: "train" or "eval": which words and paraphrases.
        sentences: facts in the story, the needless ones included, up to 20; by default a random 2 to 12.
        questions: different questions to ask, or fewer if the story has no more with exactly one answer.
        extra_words: further words of that split; they stand in for half of all people, things and places.
        unknown_rate: share of the questions that are about somebody or something in no fact, with the answer "unknown".
            bAbI has none; a model trained without learns that whoever is asked for is where another is.

    Raises:
        ValueError: for an unknown split, or a number out of range.
    """
    return _play(
        _Telling(rng, split, questions, extra_words, unknown_rate), sentences, LEAST["qa1"], {"go": 1}, _whereabouts
    )


def qa2(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """People move about and carry things; where is one of the things? Arguments as in `qa1`, from 2 sentences."""
    return _play(
        _Telling(rng, split, questions, extra_words, unknown_rate), sentences, LEAST["qa2"], _CARRYING, _things
    )


def qa3(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """As `qa2`, but where was the thing just before it came to a place? From 3 sentences."""
    return _play(_Telling(rng, split, questions, extra_words, unknown_rate), sentences, LEAST["qa3"], _CARRYING, _moves)


def qa4(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """Places lie around places; what is north of one? Arguments as in `qa1`.

    A story has one or more maps with no place in common, each a middle and the places on up to four sides of it.
    Questions are asked from the middle only: from the outside, several places may lie on the same side.
    """
    length = _length(rng, sentences, questions, LEAST["qa4"])
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
    return _story(facts, _ask(_Telling(rng, split, questions, extra_words, unknown_rate), facts, queries))


def qa5(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """People give each other things, and move about; who gave what to whom? Arguments as in `qa1`."""
    return _play(_Telling(rng, split, questions, extra_words, unknown_rate), sentences, LEAST["qa5"], _GIVING, _gifts)


def routes(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """Stories as of `qa2`, with the questions of `qa1`, `qa2` and `qa3`, to practise on. Arguments as in `qa3`."""
    how = _Telling(rng, split, questions, extra_words, unknown_rate)
    return _play(how, sentences, LEAST["routes"], _CARRYING, _routes)


def gifts(
    rng: Random, split="train", sentences: int | None = None, questions=1, extra_words=(), unknown_rate=0.0
) -> Story:
    """Stories as of `qa5`, with the questions that name just the thing: nothing but who is the giver in a sentence and
    who the receiver answers them. Arguments as in `qa1`."""
    how = _Telling(rng, split, questions, extra_words, unknown_rate)
    return _play(how, sentences, LEAST["gifts"], _GIVING, _lone_gifts)


def asked_again(
    task: str, rng: Random, facts: Sequence[Statement], split="train", questions=1, unknown_rate=0.0
) -> list[Question]:
    """Questions of one of the tasks in `REREAD`, with their answers, about facts that were told before: some of them,
    or, for qa1, all in another order. Arguments as in `qa1`."""
    return _ask(_Telling(rng, split, questions, (), unknown_rate), list(facts), REREAD[task](facts))


QA: dict[str, Callable[..., Story]] = {"qa1": qa1, "qa2": qa2, "qa3": qa3, "qa4": qa4, "qa5": qa5}
PRACTICE = {"routes": routes, "gifts": gifts}
_CARRYING = {"go": 3, "take": 2, "drop": 1}
_GIVING = {"give": 4, "go": 1, "take": 1, "drop": 1}


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
    how: _Telling, sentences: int | None, least: int, acts: dict[str, int], queries: Callable[..., list[Query]]
) -> Story:
    """Let people do things until something can be asked about them; `acts` are families with their weights."""
    length = _length(how.rng, sentences, how.questions, least)
    while True:  # drawn again until there is a question, of the same length
        scene = Scene(how.rng, how.split, length, how.extra_words)
        facts = [scene.act(acts) for _ in range(length)]
        if asked := _ask(how, facts, queries(facts)):
            return _story(facts, asked)


def _ask(how: _Telling, facts: list[Statement], queries: list[Query]) -> list[Question]:
    """Up to `how.questions` questions in random order; queries without exactly one answer are passed over."""
    rng, asked = how.rng, []
    queries = rng.sample(queries, len(queries))
    if rng.random() < 0.3:  # "Who received the cup?" seldom has one answer, and would seldom be asked
        queries.sort(key=lambda query: len(query.known))
    for query in queries:
        if len(asked) == how.questions:
            break
        try:
            reply = answer(facts, query)
        except ValueError:
            continue
        kind, by = _kind(facts, query), thought(facts, query)
        if how.unknown_rate and rng.random() < how.unknown_rate:
            query, reply, kind, by = _of_another(rng, how.split, facts, query), UNKNOWN, UNKNOWN, ""
        key = (query.family, *(slot for slot, _ in query.known), query.ask)
        asked.append(Question(say(rng, how.split, QUESTIONS[key], query.known), reply, kind, query, by))
    return asked


def _of_another(rng: Random, split: str, facts: list[Statement], query: Query) -> Query:
    """The same about a person, a thing or a place that no fact is about."""
    slot = rng.choice([slot for slot, _ in query.known if slot != "direction"])
    said = {word for fact in facts for _, word in fact.slots}
    word = rng.choice([word for word in pool(KIND_OF.get(slot, slot), split) if word not in said])
    return replace(query, known=tuple((name, word if name == slot else known) for name, known in query.known))


def _kind(facts: list[Statement], query: Query) -> str:
    if query.family in ("carried", "before"):
        return "two_hop"
    moves = [fact for fact in facts if query.family == "go" and set(query.known) <= set(fact.slots)]
    return "override" if len(moves) > 1 else "single"


def _story(facts: Sequence[Statement], questions: Sequence[Question]) -> Story:
    return Story(tuple(fact.text for fact in facts), tuple(questions), tuple(facts))
