"""Entity words for generated facts: typed pools, each divided into a training and an evaluation split.

The split of a word depends only on a hash of its letters, so a word in several pools is in the same split in all of
them, on every machine. Every entry is at most three WordPieces of BERT's uncased vocabulary (a test checks this).

The pools are in `tables/words.txt` as "kind: word word"; continuation lines are indented, and an underscore stands for
a space.
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

# Numbers and the like are finite pools too, kept short enough for three WordPieces.
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
    """Read a file of the folder `tables`."""
    return (Path(__file__).parent / "tables" / name).read_text()


def _listed() -> dict[str, list[str]]:
    pools = (line.split(": ", 1) for line in re.split(r"\n(?! )", table_text("words.txt").strip()))
    return {kind: [word.replace("_", " ") for word in words.split()] for kind, words in pools}


_POOLS = _listed() | _GENERATED
_POOLS["site"] = _POOLS["room"] + _POOLS["place"]
KINDS = tuple(_POOLS)


def side(word: str) -> str:
    """The split a word belongs to, "train" (four in five) or "eval"; case is ignored."""
    return "eval" if zlib.crc32(word.lower().encode()) % 5 == 0 else "train"


@cache
def pool(kind: str, split: str) -> tuple[str, ...]:
    """The words of one kind in one split.

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
