"""What the facts of a story of bAbI's kind say: the answer to a query, and the thought that leads to it."""

from collections.abc import Iterable, Sequence

from ..questions import UNKNOWN
from .tasks import lies_oracle
from .world import Query, Statement, oracle


def answer(statements: Iterable[Statement], query: Query) -> str:
    """Answer a query of any of the five tasks by replaying the facts.

    Raises:
        ValueError: if the facts give no answer, or several.
    """
    facts = tuple(statements)
    if query.family == "lies":
        return lies_oracle(facts, query)
    if query.family == "before":
        found = _just_before(facts, **dict(query.known))
    elif query.family == "give":
        gifts = (fact for fact in facts if fact.family == "give" and set(query.known) <= set(fact.slots))
        found = {fact[query.ask] for fact in gifts}
    else:
        found = {oracle(facts, query)} - {UNKNOWN}
    if len(found) != 1:
        raise ValueError(f"{query} has {len(found)} answers; ask what the facts say exactly once.")
    return found.pop()


def _just_before(facts: Iterable[Statement], object: str, site: str) -> set[str]:
    """Where a thing was right before it came to a site, if it came there just once."""
    route = [place for place, _ in _route(facts, object)]
    return {route[route.index(site) - 1]} if route.count(site) == 1 and route[0] != site else set()


def _route(facts: Iterable[Statement], object: str) -> list[tuple[str, str]]:
    """The sites a thing was at, one after the other, and who had it when it came there."""
    whereabouts: dict[str, str] = {}
    holder, route = None, []
    for fact in facts:
        if fact.family == "go":
            whereabouts[fact["person"]] = fact["site"]
        elif fact.family in ("take", "drop") and fact["object"] == object:
            holder = fact["person"] if fact.family == "take" else None
        if holder in whereabouts and (not route or route[-1][0] != whereabouts[holder]):
            route.append((whereabouts[holder], holder))
    return route


def thought(facts: Sequence[Statement], query: Query) -> str:
    """What the answer to a question goes by, if it is where somebody or something is or was: who moved the thing last,
    and how, or who brought it, or just the person, so that the last step is the same in all of them."""
    known = dict(query.known)
    if query.family == "carried":
        last = [f for f in facts if f.family in ("take", "drop") and f["object"] == known["object"]][-1]
        return f"{last['person']} {'took' if last.family == 'take' else 'dropped'}"
    if query.family == "before":
        return dict(_route(facts, known["object"]))[known["site"]]
    return f"{known['person']} went" if query.family == "go" else ""
