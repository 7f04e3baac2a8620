"""A haystack: background text of any length with facts hidden in it (after BABILong, arXiv 2402.10790).

Only the background is held in memory: the layout is computed from token counts, and the text is produced lazily.
"""

import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from ..config import BACKBONE
from ..segments import token_ids
from .corpora import PACKAGED, SENTENCE_CLOSERS, Background, load


@dataclass(frozen=True)
class Fact:
    """A sentence to hide, and its position: 0.0 is the very beginning of the haystack, 1.0 its end.

    A full stop is added to a text that ends in no punctuation mark, so that it does not run into the next sentence.

    Raises:
        ValueError: if there is no text, or the position is outside the haystack.
    """

    text: str
    position: float

    def __post_init__(self):
        text = " ".join(self.text.split())
        if not text:
            raise ValueError("A fact needs some text.")
        if not 0 <= self.position <= 1:
            raise ValueError(f"Give the fact {text[:40]!r} a position from 0 (beginning) to 1 (end).")
        object.__setattr__(self, "text", text if text[-1] in SENTENCE_CLOSERS else text + ".")  # the class is frozen


def check_size(facts: Sequence[Fact], tokenizer, capacity: int) -> None:
    """Raise ValueError if a fact has more tokens than a segment's `capacity`."""
    for fact, ids in zip(facts, token_ids(tokenizer, [fact.text for fact in facts]), strict=True):
        if len(ids) > capacity:
            raise ValueError(
                f"The fact {fact.text[:40]!r}... has {len(ids)} tokens, but {capacity} fit into a segment: shorten it."
            )


class Haystack:
    """An iterable of text chunks that, joined, make one long text with every fact in it.

    The background starts at a random sentence, continues in order and wraps around at its end. Each fact is inserted
    whole at the first sentence boundary at or after `position * length` tokens, or at the end if there is none.
    The same arguments give the same text, every time it is iterated.

    Args:
        background: a `Background`, or a name for `corpora.load`, of which the evaluation part ("kjv", "pydoc") or the
            whole text (a file, a Hub dataset) is used.
        facts: the facts to hide; those with equal positions keep their order.
        length: total number of tokens, facts included. The text ends before the first sentence that does not fit.
        seed: chooses where the background starts.
        tokenizer: counts the tokens; by default that of the packaged MiniLM.

    Attributes:
        tokens: the exact number of tokens in the text, at most `length`.
        placements: each fact with the offset of its first token, in the order of the text.

    Raises:
        ValueError: if the facts do not fit into the length, or not even one sentence does.
    """

    def __init__(
        self,
        background: Background | str,
        facts: Sequence[Fact] = (),
        length: int = 4096,
        seed: int = 0,
        tokenizer=None,
    ):
        if tokenizer is None:
            from ..backbones import load_tokenizer

            tokenizer = load_tokenizer(BACKBONE)
        self.background = background if isinstance(background, Background) else _load(background)
        self.facts = sorted(facts, key=lambda fact: fact.position)
        self.length = int(length)
        self.seed = seed
        self._plan(tokenizer)

    def _plan(self, tokenizer) -> None:
        """Compute the number of sentences, and the sentence before which each fact goes."""
        sizes = [len(ids) for ids in token_ids(tokenizer, [fact.text for fact in self.facts])]
        room = self.length - sum(sizes)
        if room < 0:
            raise ValueError(
                f"The facts take {sum(sizes)} tokens, more than the length of {self.length}: make it longer."
            )
        counts = _token_counts(self.background, tokenizer)
        self._start = random.Random(self.seed).randrange(len(counts))
        # ends[k]: tokens in the first k sentences of one pass through the background
        ends = [0, *accumulate(counts[self._start :] + counts[: self._start])]
        self._sentences = _sentences_within(ends, room)
        self._fact_at: list[int] = []  # fact i comes before background sentence _fact_at[i]
        self.placements: list[tuple[Fact, int]] = []
        hidden = 0  # tokens of the facts so far
        for fact, size in zip(self.facts, sizes, strict=True):
            earliest = _sentences_until(ends, fact.position * self.length - hidden)
            previous = self._fact_at[-1] if self._fact_at else 0
            self._fact_at.append(min(max(earliest, previous), self._sentences))
            self.placements.append((fact, _tokens_in(ends, self._fact_at[-1]) + hidden))
            hidden += size
        self.tokens = _tokens_in(ends, self._sentences) + hidden
        if not self.tokens:
            raise ValueError(f"Not one sentence fits into a length of {self.length}: make it longer.")

    def __iter__(self) -> Iterator[str]:
        """Yield one sentence at a time, with a space before each except the first."""
        space = ""
        for sentence in self._in_order():
            yield space + sentence
            space = " "

    def _in_order(self) -> Iterator[str]:
        hay, first = self.background.sentences, 0
        for fact, at in zip(self.facts, self._fact_at, strict=True):
            yield from (hay[(self._start + i) % len(hay)] for i in range(first, at))
            yield fact.text
            first = at
        yield from (hay[(self._start + i) % len(hay)] for i in range(first, self._sentences))


# The background repeats every len(ends) - 1 sentences, that is every ends[-1] tokens.


def _tokens_in(ends: list[int], sentences: int) -> int:
    rounds, rest = divmod(sentences, len(ends) - 1)
    return rounds * ends[-1] + ends[rest]


def _sentences_within(ends: list[int], tokens: int) -> int:
    """The largest number of sentences with at most `tokens` tokens."""
    rounds, rest = divmod(tokens, ends[-1])
    return rounds * (len(ends) - 1) + bisect_right(ends, rest) - 1


def _sentences_until(ends: list[int], tokens: float) -> int:
    """The smallest number of sentences with at least `tokens` tokens."""
    rounds, rest = divmod(max(tokens, 0), ends[-1])
    return int(rounds) * (len(ends) - 1) + bisect_left(ends, rest)


@lru_cache(maxsize=8)
def _token_counts(background: Background, tokenizer) -> list[int]:
    return [len(ids) for ids in token_ids(tokenizer, background.sentences)]


def _load(name: str) -> Background:
    return _load_packaged(name, "eval") if name in PACKAGED else load(name, "all")


_load_packaged = lru_cache(load)  # returns the same object each time, so that its token counts are computed once
