"""What visitors typed, turned into what the library takes; whatever is wrong with it is said in one sentence."""

import math
from collections.abc import Sequence
from pathlib import Path

from ..data import corpora
from ..data.haystack import Fact, Haystack, check_size
from ..reader import Reader

SHORTEST, LONGEST = 1_000, 10_000_000  # tokens of a haystack
MOST_CHARACTERS = 1_000_000  # of pasted text
MOST_FACTS = 100
PASTED, UPLOADED = "pasted", "uploaded"


def haystack(
    reader: Reader, name: str, pasted: str, upload: str | None, facts: Sequence, length: float, seed: float
) -> Haystack:
    """The text to read.

    Args:
        reader: its tokenizer counts the tokens, its segments limit the facts.
        name: a packaged text, or PASTED or UPLOADED for a text of the visitor's own.
        pasted, upload: that text, or the path of a file with it.
        facts: rows of [sentence, position], as `parse_facts` takes them.
        length: tokens in all.
        seed: where in the background the text starts.

    Raises:
        ValueError: in one sentence, if anything is missing, out of range or unreadable.
    """
    length = _whole(length, "length")
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"The length is from {SHORTEST:,} to {LONGEST:,} tokens: choose another one.")
    parsed = parse_facts(facts)
    check_size(parsed, reader.tokenizer, reader.config.text_capacity)
    text = background(name, pasted, upload)
    return Haystack(text, parsed, length, _whole(seed, "seed"), reader.tokenizer)


def parse_facts(rows: Sequence) -> list[Fact]:
    """Rows of [sentence, position] as facts; rows without a sentence are left out.

    Raises:
        ValueError: if a row is no such pair, or a position is no number from 0 to 1.
    """
    facts = []
    for row in rows or ():
        if not isinstance(row, list | tuple) or len(row) != 2:
            raise ValueError("Each fact is a pair: a sentence, and a position from 0 to 1.")
        sentence, position = str(row[0] or ""), row[1]
        if not sentence.strip():
            continue
        try:
            position = float(position)
        except (TypeError, ValueError):
            position = math.nan
        facts.append(Fact(sentence, position))
    if len(facts) > MOST_FACTS:
        raise ValueError(f"There are {len(facts)} facts, {MOST_FACTS} is the most: take some out.")
    return facts


def background(name: str, pasted: str = "", upload: str | None = None) -> corpora.Background | str:
    """The text to hide facts in: a packaged one by name, or the visitor's own.

    Raises:
        ValueError: if there is no such text, or nothing in it to read.
    """
    if name in corpora.PACKAGED:
        return name
    if name == UPLOADED:
        if not upload:
            raise ValueError("Choose a text file first.")
        try:
            return corpora.load(upload, "all")
        except ValueError as error:  # names the file as the visitor knows it
            raise ValueError(str(error).replace(str(upload), Path(upload).name)) from error
    if name != PASTED:
        raise ValueError(f"There is no text {name!r}: choose one of the list.")
    if len(pasted) > MOST_CHARACTERS:
        raise ValueError(f"The text has over {MOST_CHARACTERS:,} characters: upload it as a file.")
    sentences = list(corpora.split_sentences(pasted))
    if not sentences:
        raise ValueError("There is no sentence in the text: paste some plain English.")
    return corpora.Background("your text", "all", sentences)


def _whole(number: float | str | None, what: str) -> int:
    try:
        return int(number)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"The {what} is a whole number, such as {20_000 if what == 'length' else 1}.") from None
