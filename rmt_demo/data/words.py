"""Entity words for generated facts: typed pools, each divided into a training and an evaluation part.

The side of a word is a hash of its letters alone, so a word in several pools is on the same side in all of
them, on every machine. Every entry is at most three WordPieces of BERT's uncased vocabulary (a test checks).

The pools stand in `tables/words.txt`, "kind: word word", further lines indented and an underscore for a space.
"""

import re
import zlib
from functools import cache
from itertools import product
from pathlib import Path

PROPER = frozenset("person surname city country language company title".split())  # capitalised wherever they stand

_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_HOURS = "morning noon afternoon evening night".split()
_ADJECTIVES = """
    Broken Crystal Dark Distant Empty Final Frozen Golden Hidden Iron Last Lost Painted Paper Quiet Red Secret
    Silent""".split()
_NOUNS = """
    Bridge City Crown Dream Empire Fire Forest Garden Horse House Island Journey Moon Mountain Night River
    Road Sea Storm""".split()
_CONSONANTS = "BCDFGHJKLMNPRSTVWXZ"

# Numbers and the like are finite pools too. They stay short, for three pieces have to hold them.
_GENERATED = {
    "number": [str(n) for n in range(3, 1000)],
    "age": [str(n) for n in range(5, 100)],
    "year": [str(n) for n in range(1800, 2031)],
    "price": [f"{n} {unit}" for n, unit in product(range(2, 400), ("dollars", "euros", "pounds"))],
    "date": [f"{month} {day}" for month, day in product(_MONTHS, range(1, 29))],
    "time": [f"{hour}:{minute:02d}" for hour, minute in product(range(1, 13), range(0, 60, 5))],
    "weekday": [f"{day} {hour}" for day, hour in product(_DAYS, _HOURS)],
    "code": [str(n) for n in range(1003, 10000, 7)]
    + [f"{a}{n}{b}" for a, n, b in product(_CONSONANTS, range(2, 10), _CONSONANTS)],
    "title": [f"{adjective} {noun}" for adjective, noun in product(_ADJECTIVES, _NOUNS)],
}


def table_text(name: str) -> str:
    """The text of one of the tables."""
    return (Path(__file__).parent / "tables" / name).read_text()


def _listed() -> dict[str, list[str]]:
    pools = (line.split(": ", 1) for line in re.split(r"\n(?! )", table_text("words.txt").strip()))
    return {kind: [word.replace("_", " ") for word in words.split()] for kind, words in pools}


_POOLS = _listed() | _GENERATED
_POOLS["site"] = _POOLS["room"] + _POOLS["place"]
KINDS = tuple(_POOLS)


def side(word: str) -> str:
    """Which split a word belongs to, "train" (four in five) or "eval"; case makes no difference."""
    return "eval" if zlib.crc32(word.lower().encode()) % 5 == 0 else "train"


@cache
def pool(kind: str, split: str) -> tuple[str, ...]:
    """The words of one kind that belong to one split.

    Args:
        kind: a pool name from `KINDS`.
        split: "train" or "eval"; no word is in both.

    Raises:
        ValueError: for an unknown kind or split.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no word pool {kind!r}: choose one of {', '.join(KINDS)}.")
    if split not in ("train", "eval"):
        raise ValueError(f'The split is "train" or "eval", not {split!r}.')
    return tuple(word for word in dict.fromkeys(_POOLS[kind]) if side(word) == split)
