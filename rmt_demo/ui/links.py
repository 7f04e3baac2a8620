"""A set-up as a link, and back: all that defines a haystack, except a visitor's own text."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from ..data import corpora
from ..reader import Reader
from . import inputs, presets

NO_FACT = ["", 0]
KEYS = ("preset", "text", "length", "seed", "fact", "at", "follow")


@dataclass(frozen=True)
class SetUp:
    """The settings in the page's left column.

    preset  the name of the preset that the facts were drawn from
    source  the background text
    length  in tokens
    seed    draws the preset, and chooses where the background starts
    facts   rows of [sentence, position]
    pins    questions followed while reading
    """

    preset: str
    source: str
    length: int
    seed: int
    facts: list[list]
    pins: list[str]


def query(reader: Reader, setup: SetUp) -> str:
    """The query string of a link.

    Raises:
        ValueError: if the set-up is invalid, or the text is the visitor's own.
    """
    if setup.source not in corpora.PACKAGED:
        raise ValueError("A link cannot contain your own text: choose a packaged text first.")
    setup = _checked(reader, setup)
    pairs = [("preset", setup.preset), ("text", setup.source), ("length", setup.length), ("seed", setup.seed)]
    for sentence, position in setup.facts or [NO_FACT]:
        pairs += [("fact", sentence), ("at", f"{position:g}")]
    return urlencode(pairs + [("follow", question) for question in setup.pins or [""]])


def restore(reader: Reader, parameters: Sequence[tuple[str, str]]) -> SetUp | None:
    """The set-up in a page's address, or None if there is none. Missing settings are taken from the preset; an empty
    fact or question means none.

    Args:
        reader: for the limits on facts and questions.
        parameters: the pairs of the query string. Other keys are ignored.

    Raises:
        ValueError: as for input typed into the page.
    """
    found = {key: [value for name, value in parameters if name == key] for key in KEYS}
    if not any(found.values()):
        return None
    if len(found["fact"]) != len(found["at"]):
        raise ValueError("The link is damaged: not every fact has a position. Make a new link.")

    def one(key: str, default):
        return found[key][0] if found[key] else default

    name, seed = one("preset", presets.opening(reader.model)), inputs.chosen_seed(one("seed", 0))
    preset = presets.draw(name, seed)
    facts = [list(pair) for pair in zip(found["fact"], found["at"], strict=True)] or preset.rows
    pins = list(filter(None, found["follow"])) if found["follow"] else list(preset.queries)[: inputs.MOST_PINS]
    return _checked(reader, SetUp(name, one("text", "kjv"), one("length", inputs.START), seed, facts, pins))


def _checked(reader: Reader, setup: SetUp) -> SetUp:
    """The set-up with every field converted and checked; ValueError if a reading could not start from it."""
    if setup.source not in corpora.PACKAGED:
        raise ValueError(f"There is no text {str(setup.source)[:40]!r}: choose one from the list.")
    length, seed = inputs.tokens(reader, setup.length), inputs.chosen_seed(setup.seed)
    presets.draw(setup.preset, seed)  # raises ValueError if there is no such preset
    facts = [[fact.text, fact.position] for fact in inputs.parse_facts(setup.facts)]
    pins = inputs.pins(reader, setup.pins)
    return SetUp(setup.preset, setup.source, length, seed, facts, pins)
