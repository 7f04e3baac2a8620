"""What visitors typed, turned into what the library takes; whatever is wrong with it is said in one sentence."""

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

START, LONGEST = 20_000, 10_000_000  # tokens of a haystack, at first and at most; the shortest is one segment
LARGEST_SEED = 2**32 - 1
MOST_CHARACTERS = 1_000_000  # of pasted text
UPLOAD_MB = 10
MOST_FACTS = 100
MOST_PINS = 3
MOST_QUESTIONS = 100  # of a program at once, and that a visitor takes home
FOREIGN = 0.2  # of a text's tokens unknown to the tokenizer: it is in another script
PASTED, UPLOADED = "pasted", "uploaded"
SOURCES = [
    ("King James Bible", "kjv"),
    ("Python reference", "pydoc"),
    ("Paste a text", PASTED),
    ("Upload a text file", UPLOADED),
]


@contextmanager
def one_sentence():
    """Shows a ValueError to the visitor, as text."""
    try:
        yield
    except ValueError as error:
        # Gradio renders the message as HTML, and it may quote what the visitor typed.
        message = html.escape(str(error), quote=False)
        raise gr.Error(message, print_exception=False) from error


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
    length, parsed = tokens(reader, length), parse_facts(facts)
    check_size(parsed, reader.tokenizer, reader.config.text_capacity)
    text = background(name, pasted, upload)
    return Haystack(text, parsed, length, chosen_seed(seed), reader.tokenizer)


def tokens(reader: Reader, length: float) -> int:
    """The length of a haystack, or a ValueError if it is none that can be read here."""
    length, shortest = whole(length, "length"), reader.config.text_capacity
    if not shortest <= length <= LONGEST:
        raise ValueError(f"The length is from {shortest:,} (one segment) to {LONGEST:,} tokens: choose another one.")
    return length


def parse_facts(rows: Sequence) -> list[Fact]:
    """Rows of [sentence, position] as facts; rows without a sentence are left out.

    Raises:
        ValueError: if a row is no such pair, or a position is no number from 0 to 1.
    """
    facts = []
    if not isinstance(rows or (), list | tuple):
        raise ValueError("The facts are a list of pairs: a sentence, and a position from 0 to 1.")
    for row in rows or ():
        if not isinstance(row, list | tuple) or len(row) != 2:
            raise ValueError("Each fact is a pair: a sentence, and a position from 0 to 1.")
        sentence, position = plain(row[0]), row[1]
        if not sentence.strip():
            continue
        try:
            position = float(position)
        except (TypeError, ValueError, OverflowError):
            position = math.nan
        facts.append(Fact(sentence, position))
    if len(facts) > MOST_FACTS:
        raise ValueError(f"There are {len(facts):,} facts, {MOST_FACTS} is the most: take some out.")
    return facts


def pins(reader: Reader, questions: Sequence[str] | None) -> list[str]:
    """Questions to follow while reading, each of them one that can be asked.

    Raises:
        ValueError: if there are too many, or one is empty or too long for a segment.
    """
    questions = list(dict.fromkeys(plain(question).strip() for question in questions or ()))
    if len(questions) > MOST_PINS:
        raise ValueError(f"{MOST_PINS} questions can be followed at a time, not {len(questions)}: take some out.")
    for question in questions:
        question_ids(reader.tokenizer, reader.config, question)
    return questions


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
        raise ValueError(f"There is no text {str(name)[:40]!r}: choose one of the list.")
    pasted = plain(pasted)
    if len(pasted) > MOST_CHARACTERS:
        raise ValueError(f"The text has over {MOST_CHARACTERS:,} characters: upload it as a file.")
    sentences = list(corpora.split_sentences(pasted))
    if not sentences:
        raise ValueError(
            "There is no sentence in the text, three words or more with spaces between: paste plain English."
        )
    return corpora.Background("your text", "all", sentences)


def foreign(reader: Reader, text: Haystack) -> bool:
    """Whether the beginning of its background is in a script that the model has no words for."""
    [ids] = token_ids(reader.tokenizer, [" ".join(text.background.sentences[:100])[:4_000]])
    return ids.count(reader.tokenizer.unk_token_id) > FOREIGN * len(ids)


def plain(text: str | None) -> str:
    """Whatever was typed as text; halves of characters, on which tokenizers crash, become question marks."""
    return str(text or "").encode("utf-8", "replace").decode()


def whole(number: float | str | None, what: str) -> int:
    """A whole number of something, or a ValueError that names the something."""
    try:
        return int(number)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"The {what} is a whole number, such as {START if what == 'length' else 1}.") from None


def chosen_seed(seed: float | str | None) -> int:
    """A seed, or a ValueError if it is none that every part of the page can carry."""
    seed = whole(seed, "seed")
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"The seed is from 0 to {LARGEST_SEED:,}: choose another one.")
    return seed


def memory_tokens(text: str | None, most: int) -> list[int]:
    """Memory tokens as they are typed, "1-64, 70", numbered from 1 -> their numbers from 0, each once.

    Raises:
        ValueError: if there are none, or something is no number from 1 to `most` or range of such.
    """
    chosen = set()
    for part in filter(None, (part.strip() for part in plain(text).split(","))):
        first, _, last = part.partition("-")
        ends = [int(end) if end.strip().isdecimal() and len(end) < 10 else 0 for end in (first, last or first)]
        if not 1 <= ends[0] <= ends[1] <= most:
            raise ValueError(
                f'Memory tokens are numbers from 1 to {most} and ranges, such as "1-4, 7": not {part[:40]!r}.'
            )
        chosen.update(range(ends[0] - 1, ends[1]))
    if not chosen:
        raise ValueError(f'Say which memory tokens to operate on, from 1 to {most}, such as "1-4, 7".')
    return sorted(chosen)
