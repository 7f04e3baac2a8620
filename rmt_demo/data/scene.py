"""A simulated scene for bAbI stories: people move, carry objects and give them away.

Every event is consistent with the sentences before it: a person can only pick up an object that is where the person
is. The sentences are in `tables/babi.txt`.
"""

import re
from collections.abc import Sequence
from itertools import product
from random import Random

from .families import paraphrases
from .words import PROPER, pool, table_text
from .world import Slots, Statement, render


def _load(text: str) -> tuple[dict[str, tuple[str, ...]], dict[tuple[str, ...], tuple[str, ...]]]:
    """Parse the paraphrases of each family's sentences, and of each kind of question, whose key is (family, *known
    slots, slot asked for)."""
    sentences, questions = {}, {}
    for block in text.strip().split("\n\n"):
        head, *templates = block.splitlines()
        if "->" in head:
            questions[tuple(re.findall(r"\w+", head))] = tuple(templates)
        else:
            sentences[head] = tuple(templates)
    return sentences, questions


# The families "carried" and "before" only have questions: they are answered from "take", "drop" and "go".
SENTENCES, QUESTIONS = _load(table_text("babi.txt"))


class Scene:
    """A few people, objects and sites, and what is known about where they are."""

    def __init__(self, rng: Random, split: str, length: int, extra_words: Sequence[str]) -> None:
        self.rng, self.split = rng, split
        self.people = some_words(rng, "person", split, min(4, 1 + (length + 1) // 2), extra_words)
        self.things = some_words(rng, "object", split, min(3, 1 + length // 4), extra_words)
        self.sites = some_words(rng, "site", split, 6, extra_words)
        self.at: dict[str, str] = {}  # the site of a person, or of an object that was put down
        self.held: dict[str, str] = {}  # the holder of an object

    def act(self, weights: dict[str, int]) -> Statement:
        """Draw an event that is possible now, from families with these weights, and apply it to the scene."""
        possible = {family: acts for family in weights if (acts := self._possible(family))}
        (family,) = self.rng.choices(list(possible), [weights[family] for family in possible])
        slots = self.rng.choice(possible[family])
        self._happen(family, **dict(slots))
        return tell(self.rng, self.split, family, slots)

    def _possible(self, family: str) -> list[Slots]:
        at, held = self.at, self.held
        if family == "go":
            moves = product(self.people, self.sites)
            return [(("person", who), ("site", site)) for who, site in moves if at.get(who) != site]
        if family == "take":  # an object not mentioned so far may be anywhere
            loose = [(what, who) for what, who in product(self.things, self.people) if what not in held]
            return [(("object", o), ("person", who)) for o, who in loose if o not in at or at[o] == at.get(who)]
        if family == "drop":  # only where the holder's site is known
            return [(("object", what), ("person", who)) for what, who in held.items() if who in at]
        return [
            (("giver", giver), ("object", what), ("receiver", receiver))
            for what, giver, receiver in product(self.things, self.people, self.people)
            if giver != receiver and what not in at and held.get(what, giver) == giver
            if giver not in at or receiver not in at or at[giver] == at[receiver]
        ]

    def _happen(self, family: str, object="", person="", site="", giver="", receiver="") -> None:
        if family == "go":
            self.at[person] = site
        elif family == "take":
            self.held[object] = person
            self.at.pop(object, None)
        elif family == "drop":
            self.at[object] = self.at[self.held.pop(object)]
        else:
            self.held[object] = receiver
            for here, there in ((giver, receiver), (receiver, giver)):  # both are at the same site
                if here in self.at:
                    self.at[there] = self.at[here]


def some_words(rng: Random, kind: str, split: str, count: int, extra_words: Sequence[str]) -> list[str]:
    """Draw `count` different words of a kind; about half are replaced by `extra_words`, if there are any."""
    words = rng.sample(pool(kind, split), count)
    for i, extra in enumerate(rng.sample(extra_words, min(count, len(extra_words)))):
        extra = extra.capitalize() if kind in PROPER else extra
        if extra not in words and rng.random() < 0.5:
            words[i] = extra
    return words


def tell(rng: Random, split: str, family: str, slots: Slots) -> Statement:
    """State a fact in a random paraphrase of its family."""
    return Statement(family, slots, say(rng, split, SENTENCES[family], slots))


def say(rng: Random, split: str, templates: tuple[str, ...], slots: Slots) -> str:
    """Fill the slots of a random paraphrase of the split."""
    return render(rng.choice(paraphrases(templates, split)), slots)
