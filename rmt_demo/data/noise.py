"""Background as tokens: sentences in a row, and what makes them harder to tell from facts or to read facts in."""

from itertools import cycle, islice
from random import Random

MOST_LURES = 8  # in one segment
ECHO = (2, 4)  # fewest and most tokens of what is said over and over


def lure(rng: Random, row: list[int], facts: list[list[int]]) -> list[int]:
    """A background segment in which pieces of facts, at most half of one each, stand in place of some of its words: to
    name a place or a person says nothing yet of who is where."""
    row = list(row)
    for _ in range(rng.randint(1, MOST_LURES)):
        fact = rng.choice(facts)
        size = rng.randint(1, max(1, min(len(fact) // 2, len(row))))
        start, at = rng.randint(0, len(fact) - size), rng.randint(0, len(row) - size)
        row[at : at + size] = fact[start : start + size]
    return row


def echo(rng: Random, sentences: list[list[int]]) -> list[list[int]]:
    """Sentences of the same lengths that say a few words of one of them over and over, up to their last token."""
    said = rng.choice(sentences)
    start = rng.randrange(max(1, len(said) - ECHO[0]))
    words = said[start : start + rng.randint(*ECHO)]
    return [[*islice(cycle(words), len(sentence) - 1), sentence[-1]] for sentence in sentences]


def consecutive(sentences: list[list[int]], room: int, rng: Random) -> list[list[int]]:
    """Sentences in a row, from any on, of `room` tokens in all: the last one is cut off."""
    at, taken = rng.randrange(len(sentences)), []
    while room > 0:
        taken.append(sentences[at % len(sentences)][:room])
        room, at = room - len(taken[-1]), at + 1
    return taken
