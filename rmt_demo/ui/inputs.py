"""Checks and converts what visitors typed. Every error is one sentence that says what to do."""

import html
import math
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import gradio as gr

from ..data import corpora
from ..data.haystack import Fact, Haystack, check_size
from ..questions import question_ids
from ..reader import Reader
from ..segments import token_ids

START, LONGEST = 20_000, 10_000_000  # tokens of a haystack: initial and maximal; the minimum is one segment
LARGEST_SEED = 2**32 - 1
MOST_CHARACTERS = 1_000_000  # of pasted text
UPLOAD_MB = 10
MOST_FACTS = 100
MOST_PINS = 3
MOST_QUESTIONS = 100  # in one API call, and in a downloaded run
FOREIGN = 0.2  # share of [UNK] tokens above which a text is taken to be in another script
PASTED, UPLOADED = "pasted", "uploaded"
SOURCES = [
    ("King James Bible", "kjv"),
    ("Python reference", "pydoc"),
    ("Paste a text", PASTED),
    ("Upload a text file", UPLOADED),
]


@contextmanager
def errors_shown():
    """Show a ValueError to the visitor, as text."""
    try:
        yield
    except ValueError as error:
        # Gradio renders the message as HTML, and it may quote what the visitor typed.
        message = html.escape(str(error), quote=False)
        raise gr.Error(message, print_exception=False) from error


def haystack(
    reader: Reader, name: str, pasted: str, upload: str | None, facts: Sequence, length: float, seed: float
) -> Haystack:
    """Build the text to read.

    Args:
        reader: its tokenizer counts tokens, and a fact must fit into one of its segments.
        name: a packaged text, or PASTED or UPLOADED for the visitor's own.
        pasted, upload: the visitor's text, or the path of the uploaded file.
        facts: rows of [sentence, position], as `parse_facts` takes them.
        length: total number of tokens.
        seed: where in the background the text starts.

    Raises:
        ValueError: in one sentence, if anything is missing, out of range or unreadable.
    """
    length, parsed = tokens(reader, length), parse_facts(facts)
    check_size(parsed, reader.tokenizer, reader.config.text_capacity)
    text = background(name, pasted, upload)
    return Haystack(text, parsed, length, chosen_seed(seed), reader.tokenizer)


def tokens(reader: Reader, length: float) -> int:
    """The length of a haystack as a checked number of tokens; ValueError if it is out of range."""
    length, shortest = whole(length, "length"), reader.config.text_capacity
    if not shortest <= length <= LONGEST:
        raise ValueError(f"Choose a length from {shortest:,} (one segment) to {LONGEST:,} tokens.")
    return length


def parse_facts(rows: Sequence) -> list[Fact]:
    """Convert rows of [sentence, position] to facts; rows without a sentence are skipped.

    Raises:
        ValueError: if a row is no such pair, or a position is no number from 0 to 1.
    """
    facts = []
    if not isinstance(rows or (), list | tuple):
        raise ValueError("Give the facts as a list of pairs: a sentence, and a position from 0 to 1.")
    for row in rows or ():
        if not isinstance(row, list | tuple) or len(row) != 2:
            raise ValueError("Give each fact as a pair: a sentence, and a position from 0 to 1.")
        sentence, position = plain(row[0]), row[1]
        if not sentence.strip():
            continue
        try:
            position = float(position)
        except (TypeError, ValueError, OverflowError):
            position = math.nan
        facts.append(Fact(sentence, position))
    if len(facts) > MOST_FACTS:
        raise ValueError(f"There are {len(facts):,} facts, but at most {MOST_FACTS} are allowed: remove some.")
    return facts


def pins(reader: Reader, questions: Sequence[str] | None) -> list[str]:
    """The questions to follow while reading, checked.

    Raises:
        ValueError: if there are too many, or one is empty or too long for a segment.
    """
    questions = list(dict.fromkeys(plain(question).strip() for question in questions or ()))
    if len(questions) > MOST_PINS:
        raise ValueError(f"At most {MOST_PINS} questions can be followed, not {len(questions)}: remove some.")
    for question in questions:
        question_ids(reader.tokenizer, reader.config, question)
    return questions


def background(name: str, pasted: str = "", upload: str | None = None) -> corpora.Background | str:
    """The background text: a packaged one by name, or the visitor's own.

    Raises:
        ValueError: if there is no such text, or it contains no sentence.
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
        raise ValueError(f"There is no text {str(name)[:40]!r}: choose one from the list.")
    pasted = plain(pasted)
    if len(pasted) > MOST_CHARACTERS:
        raise ValueError(f"The text has more than {MOST_CHARACTERS:,} characters: upload it as a file.")
    sentences = list(corpora.split_sentences(pasted))
    if not sentences:
        raise ValueError("The text has no sentence of three or more words separated by spaces: paste plain English.")
    return corpora.Background("your text", "all", sentences)


def foreign(reader: Reader, text: Haystack) -> bool:
    """Whether the start of the background is in a script that the tokenizer does not know."""
    [ids] = token_ids(reader.tokenizer, [" ".join(text.background.sentences[:100])[:4_000]])
    return ids.count(reader.tokenizer.unk_token_id) > FOREIGN * len(ids)


def plain(text: str | None) -> str:
    """The input as a string; lone surrogates, on which tokenizers crash, become question marks."""
    return str(text or "").encode("utf-8", "replace").decode()


def whole(number: float | str | None, what: str) -> int:
    """The input as an int; ValueError naming `what` if it is not a whole number."""
    try:
        return int(number)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"The {what} must be a whole number, such as {START if what == 'length' else 1}.") from None


def chosen_seed(seed: float | str | None) -> int:
    """The seed as an int; ValueError if it is out of range."""
    seed = whole(seed, "seed")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"Choose a seed from 0 to {LARGEST_SEED:,}.")
    return seed


def memory_tokens(text: str | None, most: int) -> list[int]:
    """Parse memory tokens like "1-64, 70", numbered from 1, into sorted unique indices from 0.

    Raises:
        ValueError: if there are none, or a part is not a number or range within 1 to `most`.
    """
    chosen = set()
    for part in filter(None, (part.strip() for part in plain(text).split(","))):
        first, _, last = part.partition("-")
        ends = [int(end) if end.strip().isdecimal() and len(end) < 10 else 0 for end in (first, last or first)]
        if not 1 <= ends[0] <= ends[1] <= most:
            raise ValueError(
                f'Give memory tokens as numbers from 1 to {most} or ranges, such as "1-4, 7", not {part[:40]!r}.'
            )
        chosen.update(range(ends[0] - 1, ends[1]))
    if not chosen:
        raise ValueError(f'Choose memory tokens from 1 to {most}, such as "1-4, 7".')
    return sorted(chosen)
