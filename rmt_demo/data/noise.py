"""Background segments as token ids, plain or made harder: with fragments of facts in them, or with repeated words."""

from itertools import cycle, islice
from random import Random

MOST_LURES = 8  # in one segment
ECHO = (2, 4)  # fewest and most tokens in a repeated phrase


def lure(rng: Random, row: list[int], facts: list[list[int]]) -> list[int]:
    """Overwrite parts of a background segment with fragments of facts, each at most half of a fact: a hard negative,
    since a place or person named without the rest of the sentence is no fact."""
    row = list(row)
    for _ in range(rng.randint(1, MOST_LURES)):
        fact = rng.choice(facts)
        size = rng.randint(1, max(1, min(len(fact) // 2, len(row))))
        start, at = rng.randint(0, len(fact) - size), rng.randint(0, len(row) - size)
        row[at : at + size] = fact[start : start + size]
    return row


def echo(rng: Random, sentences: list[list[int]]) -> list[list[int]]:
    """Replace the sentences by ones of the same lengths that repeat a phrase from one of them; last tokens stay."""
    said = rng.choice(sentences)
    start = rng.randrange(max(1, len(said) - ECHO[0]))
    words = said[start : start + rng.randint(*ECHO)]
    return [[*islice(cycle(words), len(sentence) - 1), sentence[-1]] for sentence in sentences]


def consecutive(sentences: list[list[int]], room: int, rng: Random) -> list[list[int]]:
    """Consecutive sentences from a random start, `room` tokens in all; the last sentence may be cut off."""
    at, taken = rng.randrange(len(sentences)), []
    while room > 0:
        taken.append(sentences[at % len(sentences)][:room])
        room, at = room - len(taken[-1]), at + 1
    return taken
