"""Read a user's text file or standard input in chunks, inserting facts along the way."""

import contextlib
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

from .corpora import decoded
from .haystack import Fact

SENTENCE_END = re.compile(r"[.!?][\"'”’)]*(?=\s)|\n")
UNKNOWN_LENGTH = sys.maxsize  # of a stream


def file_text(path: str, facts: Iterable[Fact]) -> Iterator[str]:
    """Yield the text of a file, or of standard input for "-", in chunks. Each fact is inserted after the first sentence
    end or line end at or after its position, a fraction of the file's bytes.

    Raises:
        ValueError: if the file is unreadable, empty or not UTF-8, or a fact has a position inside a stream.
    """
    name = "standard input" if path == "-" else path
    try:
        file = contextlib.nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb")
        with file as opened:
            # Pipes and devices, like /dev/stdin or a shell's <(...), report a size of 0 bytes.
            size = Path(path).stat().st_size if path != "-" and Path(path).is_file() else UNKNOWN_LENGTH
            if size == UNKNOWN_LENGTH and any(0 < fact.position < 1 for fact in facts):
                raise ValueError(
                    f"The length of {name} is not known in advance: put facts at 0 (start) or 1 (end), or give a file."
                )
            yield from with_facts(decoded(opened, name), facts, size)
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror}): give a readable text file.") from error


def with_facts(chunks: Iterable[tuple[int, str]], facts: Iterable[Fact], size: int) -> Iterator[str]:
    """Insert facts into a text of `size` bytes that comes in chunks of (number of bytes, text)."""
    waiting = deque(sorted(facts, key=lambda fact: fact.position))
    while waiting and waiting[0].position == 0:
        yield waiting.popleft().text + " "
    before = 0
    for count, text in chunks:
        start = 0
        while waiting:
            # Within a chunk, assume that every character has the same number of bytes.
            at = int((waiting[0].position * size - before) / count * len(text))
            end = SENTENCE_END.search(text, max(at, start)) if at < len(text) else None
            if not end:
                break
            yield text[start : end.end()]
            yield f" {waiting.popleft().text} "
            start = end.end()
        yield text[start:]
        before += count
    for fact in waiting:
        yield " " + fact.text
