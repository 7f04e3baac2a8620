"""Fact families: each is one relation with paraphrases of its statements and questions, defined in `tables/`.

The header `kept: person object -> room` says that a person and an object together determine a room. Each line below it
has a mark for the kind of sentence, and paraphrases separated by a bar:

    +  statements                            ?  questions about the value (the slot after the arrow)
    !  facts that override an earlier one    <  inverse questions, about the one slot they leave out

A slot is named after its word pool, with a digit where one pool is used twice. There are three tables:

    trained.txt     the LAST paraphrase of every mark is kept for evaluation
    practised.txt   more families, for training only
    held_out.txt    families for evaluation only

Families of one topic (after the tilde) could answer each other's questions, so a story never uses the same word in two
of them. `own` reads a table of your own.
"""

import re
from dataclasses import dataclass

from .words import KINDS, table_text


@dataclass(frozen=True)
class Family:
    """One relation: the `keys` together determine the `value`. Templates mention slots as {slot}. `split` says which
    split uses it: "train", "eval", or "both" (each with its own paraphrases)."""

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
    """The paraphrases that belong to a split: the last one is "eval", the others are "train"."""
    return templates[-1:] if split == "eval" else templates[:-1]


def own(table: str) -> tuple[Family, ...]:
    """Parse and register your own families, so that stories and the oracle can use them.

    As in trained.txt, the last paraphrase of every mark is kept for evaluation. A family registered earlier under the
    same name is replaced.

    Args:
        table: one block per family, in the format described above, separated by empty lines.

    Raises:
        ValueError: for the first error in the table.
    """
    families = _parse(table, "both")
    for family in families.values():
        _check(family)
    FAMILIES.update(families)
    return tuple(families.values())


def _check(family: Family) -> None:
    """Raise ValueError unless the family can make stories, and questions with exactly one answer."""
    name, slots = family.name, set(family.slots)
    if name in SHIPPED:
        raise ValueError(f"There is a family {name!r} already: choose another name.")
    for slot in family.slots:
        if slot_kind(slot) not in KINDS:
            raise ValueError(f"There is no word pool for the slot {slot!r}: choose from {', '.join(KINDS)}.")
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


# Where somebody has carried an object: asked like a single fact, answered in two steps.
CARRIED = (
    "Where is the {object}?",
    "Where is the {object} now?",
    "Which place is the {object} in?",
    "Where is the {object} by now?",
)

TRAINED = _parse(table_text("trained.txt"), "both")
PRACTISED = _parse(table_text("practised.txt"), "train")
HELD_OUT = _parse(table_text("held_out.txt"), "eval")
FAMILIES = TRAINED | PRACTISED | HELD_OUT  # `own` adds to these
SHIPPED = frozenset(FAMILIES) | {"carried"}
