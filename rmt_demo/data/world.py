"""Facts, questions about them, and an oracle that derives the answers.

The facts are replayed in order; a later fact with the same keys overrides an earlier one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..questions import UNKNOWN
from .families import FAMILIES

Slots = tuple[tuple[str, str], ...]  # (slot, word) pairs


@dataclass(frozen=True)
class Statement:
    """One fact: its family, the word in each slot, and the sentence that states it."""

    family: str
    slots: Slots
    text: str

    def __getitem__(self, slot: str) -> str:
        return dict(self.slots)[slot]


@dataclass(frozen=True)
class Query:
    """The meaning of a question: which word fills the slot `ask` in the fact of this family with the `known` words."""

    family: str
    known: Slots
    ask: str


@dataclass(frozen=True)
class Question:
    """A question and its answer, worded as in the text.

    `kind` is "single", "override" (a later fact replaced the first), "inverse" (asks for a key), "two_hop" (where a
    carried object is) or "unknown" (no fact answers it). `thought` is an intermediate step that leads to the answer,
    or empty: a model with enough answer slots is trained to output it first (a chain of thought, arXiv 2201.11903).
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
        """The sentence of each fact."""
        return tuple(fact.text for fact in self.statements)


def oracle(statements: Iterable[Statement], query: Query) -> str:
    """Answer a query from the facts alone; the family "carried" asks where an object is that somebody took.

    Returns:
        The one word that fits, or "unknown" if no fact answers the query.

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
    """Where the holder of an object is, or was when putting it down."""
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
    """The family and key words of a fact; a later fact with the same ones overrides it."""
    return (fact.family, *(fact[key] for key in FAMILIES[fact.family].keys))


def render(template: str, slots: Slots) -> str:
    """Fill a template's slots, change "a" to "an" before a vowel, and capitalise the first letter."""
    text = re.sub(r"\b([Aa]) (?=[aeioAEIO]|u(?!ni|[ks]))", r"\1n ", template.format_map(dict(slots)))
    return text[:1].upper() + text[1:]
