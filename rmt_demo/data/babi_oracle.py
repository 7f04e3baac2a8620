"""The oracle for bAbI stories: the answer to a query, and the thought that leads to it."""

from collections.abc import Iterable, Sequence

from ..questions import UNKNOWN
from .tasks import lies_oracle
from .world import Query, Statement, oracle


def answer(statements: Iterable[Statement], query: Query) -> str:
    """Answer a query of any bAbI task by replaying the facts.

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
        raise ValueError(f"{query} has {len(found)} answers; ask a question with exactly one.")
    return found.pop()


def _just_before(facts: Iterable[Statement], object: str, site: str) -> set[str]:
    """Where an object was right before it came to a site, if it came there exactly once."""
    route = [place for place, _ in _route(facts, object)]
    return {route[route.index(site) - 1]} if route.count(site) == 1 and route[0] != site else set()


def _route(facts: Iterable[Statement], object: str) -> list[tuple[str, str]]:
    """The sites an object was at, in order, each with the person who had it on arrival."""
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
    """The intermediate step before an answer that is a site; empty for other queries.

    For an object's site it is who moved the object last, and how ("mary took"); for an earlier site, who brought the
    object ("mary"); for a person's site, the person ("mary went"). The last step is then always to follow that person.
    """
    known = dict(query.known)
    if query.family == "carried":
        last = [f for f in facts if f.family in ("take", "drop") and f["object"] == known["object"]][-1]
        return f"{last['person']} {'took' if last.family == 'take' else 'dropped'}"
    if query.family == "before":
        return dict(_route(facts, known["object"]))[known["site"]]
    return f"{known['person']} went" if query.family == "go" else ""
