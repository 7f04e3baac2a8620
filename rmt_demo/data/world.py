"""Facts, questions about them, and the oracle that knows the answers.

The world is what the facts say, replayed in order: a later fact about the same keys overrides an earlier one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..questions import UNKNOWN
from .families import FAMILIES

Slots = tuple[tuple[str, str], ...]  # (slot, word) pairs


@dataclass(frozen=True)
class Statement:
    """One fact: its family, the word in each slot, and the sentence that says so."""

    family: str
    slots: Slots
    text: str

    def __getitem__(self, slot: str) -> str:
        return dict(self.slots)[slot]


@dataclass(frozen=True)
class Query:
    """The meaning of a question: the word in slot `ask` of the fact of this family with the `known` words."""

    family: str
    known: Slots
    ask: str


@dataclass(frozen=True)
class Question:
    """A question and its answer as it stands in the text.

    `kind` is "single", "override" (a later fact replaced the first), "inverse" (asks for a key), "two_hop"
    (where a carried thing is) or "unknown" (no fact says). `thought` is what the answer goes by, if anything: a model
    with slots enough is taught to say it first (a chain of thought, arXiv 2201.11903).
    """

    text: str
    answer: str
    kind: str
    query: Query
    thought: str = ""


@dataclass(frozen=True)
class Story:
    """Facts in reading order, and questions about them."""

    statements: tuple[Statement, ...]
    questions: tuple[Question, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What says the facts, one each."""
        return tuple(fact.text for fact in self.statements)


def oracle(statements: Iterable[Statement], query: Query) -> str:
    """Answer a query from the facts alone; the family "carried" asks where a thing is that somebody took.

    Returns:
        The one word that fits, or "unknown" where no fact says.

    Raises:
        ValueError: if several facts fit, so that the question has no single answer.
    """
    statements = tuple(statements)
    if query.family == "carried":
        return _carried_to(statements, dict(query.known)["object"])
    facts = {key_of(statement): statement for statement in statements if statement.family == query.family}
    found = {fact[query.ask] for fact in facts.values() if set(query.known) <= set(fact.slots)}
    if len(found) > 1:
        raise ValueError(f"{query} has {len(found)} answers; ask about words that only one fact has.")
    return found.pop() if found else UNKNOWN


def _carried_to(statements: Iterable[Statement], thing: str) -> str:
    """Where the holder of a thing is, or was when putting it down."""
    whereabouts: dict[str, str] = {}
    holder, place = None, UNKNOWN
    for fact in statements:
        if fact.family == "go":
            whereabouts[fact["person"]] = fact["site"]
        elif fact.family == "take" and fact["object"] == thing:
            holder = fact["person"]
        elif fact.family == "drop" and fact["object"] == thing and fact["person"] == holder:
            holder, place = None, whereabouts.get(holder, UNKNOWN)
    return whereabouts.get(holder, UNKNOWN) if holder else place


def key_of(fact: Statement) -> tuple[str, ...]:
    """What a later fact must share with this one to override it: the family and the words of its keys."""
    return (fact.family, *(fact[key] for key in FAMILIES[fact.family].keys))


def render(template: str, slots: Slots) -> str:
    """Fill a template's slots; "a" becomes "an" before a vowel, and the first letter a capital."""
    text = re.sub(r"\b([Aa]) (?=[aeioAEIO]|u(?!ni|[ks]))", r"\1n ", template.format_map(dict(slots)))
    return text[:1].upper() + text[1:]
