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
the same thing.
"""

import re
from dataclasses import dataclass
from pathlib import Path


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


def _load(table: str, split: str) -> dict[str, Family]:
    families = {}
    for block in (Path(__file__).parent / "tables" / table).read_text().strip().split("\n\n"):
        head, *lines = block.splitlines()
        name, keys, value, topic = re.fullmatch(r"(\w+): ([\w ]+) -> (\w+)(?: ~ (\w+))?", head).groups()
        groups: dict[str, tuple[str, ...]] = {mark: () for mark in "+?!<"}
        for line in lines:
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

TRAINED = _load("trained.txt", "both")
PRACTISED = _load("practised.txt", "train")
HELD_OUT = _load("held_out.txt", "eval")
FAMILIES = TRAINED | PRACTISED | HELD_OUT
