"""Everyday facts: every family is one relation, with its paraphrases and its questions. They stand in `tables/`.

A family reads like this: `kept: person object -> room` says that a person and a thing together determine a
room. Below it, one kind of sentence per mark, paraphrases separated by a bar:

    +  statements                            ?  questions for the value (the slot behind the arrow)
    !  facts that override an earlier one    <  inverse questions, for the one slot they leave out

A slot is named after its word pool, with a digit where one pool is used twice. There are three tables:

    trained.txt     the LAST paraphrase of every mark is kept for evaluation
    practised.txt   more families, for training alone
    held_out.txt    families for evaluation alone

Families of one topic (behind the tilde) could answer each other's questions, so a story never has two of them about
the same thing. `own` takes a table of your own.
"""

import re
from dataclasses import dataclass

from .words import KINDS, table_text


@dataclass(frozen=True)
class Family:
    """One relation: the `keys` together determine the `value`. Templates mention slots as {slot}. `split` says who uses
    it: "train", "eval", or "both" (each with its own paraphrases)."""

    name: str
    topic: str
    keys: tuple[str, ...]
    value: str
    split: str
    statements: tuple[str, ...]
    questions: tuple[str, ...]
    updates: tuple[str, ...] = ()
    inverse: tuple[str, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        """All slots, the value last."""
        return (*self.keys, self.value)


def slot_kind(slot: str) -> str:
    """The word pool of a slot: its name without the digit ("person2" -> "person")."""
    return slot.rstrip("0123456789")


def slots_of(template: str) -> list[str]:
    """The slots a template mentions, in reading order."""
    return re.findall(r"{(\w+)}", template)


def paraphrases(templates: tuple[str, ...], split: str) -> tuple[str, ...]:
    """What of a paraphrase list belongs to a split: the last one is "eval", the others are "train"."""
    return templates[-1:] if split == "eval" else templates[:-1]


def own(table: str) -> tuple[Family, ...]:
    """Families of your own, written like those above: from then on stories and their oracle know them.

    As in trained.txt the last paraphrase of every mark is kept for evaluation. A family that came in here before under
    the same name is replaced.

    Args:
        table: one block for each family, with an empty line between two.

    Raises:
        ValueError: in one sentence, for the first thing that is wrong with the table.
    """
    families = _parse(table, "both")
    for family in families.values():
        _check(family)
    FAMILIES.update(families)
    return tuple(families.values())


def _check(family: Family) -> None:
    """Can stories be made of this family, and questions that have one answer?"""
    name, slots = family.name, set(family.slots)
    if name in SHIPPED:
        raise ValueError(f"There is a family {name!r} already: choose another name.")
    for slot in family.slots:
        if slot_kind(slot) not in KINDS:
            raise ValueError(f"There is no word pool for the slot {slot!r}: choose of {', '.join(KINDS)}.")
    every, all_but_one_key = [slots], [slots - {key} for key in family.keys]
    for mark, templates, mentions in (
        ("+", family.statements, every),
        ("?", family.questions, [slots - {family.value}]),
        ("!", family.updates, every),
        ("<", family.inverse, all_but_one_key),
    ):
        if len(templates) == 1 or (mark in "+?" and not templates):
            raise ValueError(f"Family {name!r} needs two or more sentences marked {mark}: the last is for evaluation.")
        for text in templates:
            if set(slots_of(text)) not in mentions:
                wanted = " or ".join(" ".join(f"{{{s}}}" for s in family.slots if s in these) for these in mentions)
                raise ValueError(f"{text!r} of the family {name!r} should mention {wanted} and nothing else.")


def _parse(table: str, split: str) -> dict[str, Family]:
    families = {}
    for block in re.split(r"\n\s*\n", table.strip()):
        head, *lines = block.splitlines() or [""]
        match = re.fullmatch(r"(\w+): (\w+(?: \w+)*) -> (\w+)(?: ~ (\w+))?", head)
        if not match:
            raise ValueError(f"{head!r} does not begin a family: write 'name: key key -> value'.")
        name, keys, value, topic = match.groups()
        groups: dict[str, tuple[str, ...]] = {mark: () for mark in "+?!<"}
        for line in lines:
            if line[:1] not in groups or line[1:2] != " ":
                raise ValueError(f"{line!r} should begin with one of + ? ! < and a space.")
            groups[line[0]] += tuple(line[2:].split(" | "))
        families[name] = Family(name, topic or name, tuple(keys.split()), value, split, *groups.values())
    return families


# Where somebody who took a thing has carried it: asked like a fact, answered in two steps.
CARRIED = (
    "Where is the {object}?",
    "Where is the {object} now?",
    "Which place is the {object} in?",
    "Where is the {object} by now?",
)

TRAINED = _parse(table_text("trained.txt"), "both")
PRACTISED = _parse(table_text("practised.txt"), "train")
HELD_OUT = _parse(table_text("held_out.txt"), "eval")
FAMILIES = TRAINED | PRACTISED | HELD_OUT  # and those of `own`
SHIPPED = frozenset(FAMILIES) | {"carried"}
