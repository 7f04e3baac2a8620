"""Text to tokens to segments, lazily: only one block of the text is in memory at a time, however long it is.

Tokens are plain lists of ids. The result does not depend on how the text was split into chunks.
"""

import re
from collections.abc import Iterable, Iterator

BLOCK_CHARS = 4096  # a block of text is cut at the first space after this many characters
LONGEST_WORD = 10_000  # more characters than this without a space are not text

_SPACE = " \t\n\r"
# Cutting *before* a run of spaces is exact for WordPiece, which drops spaces, and for GPT-2's byte pairs, where
# a space belongs to the word after it. Rarer "spaces" don't count: BERT deletes \x1c and joins the words.
_CUT = re.compile(f"(?<=[^{_SPACE}])[{_SPACE}]")
_NO_SPACE = re.compile(f"[^{_SPACE}]{{{LONGEST_WORD + 1}}}")
_JUNK = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character; tokenizers crash on it


def token_ids(tokenizer, texts: list[str]) -> list[list[int]]:
    """Tokenize each text. No special tokens are added, and "[MASK]" in a text is read as plain characters."""
    if not texts:
        return []
    texts = [_SURROGATE.sub("\ufffd", text) for text in texts]
    # `split_special_tokens=True` would change the state of the tokenizer, which other threads may be using.
    for special in tokenizer.all_special_tokens:
        texts = [text.replace(special, f"{special[0]} {special[1:-1]} {special[-1]}") for text in texts]
    return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]


def text_of(given: object) -> str:
    """Return a text chunk or question unchanged. Raises ValueError if it is not a string."""
    if not isinstance(given, str):
        raise ValueError(f"Texts and questions must be strings, not {type(given).__name__}: open files without 'b'.")
    return given


def stream_tokens(tokenizer, chunks: str | Iterable[str]) -> Iterator[list[int]]:
    """Tokenize a stream of text chunks of any sizes, in constant memory.

    The concatenated ids equal those of the whole text tokenized at once, for every tokenizer whose words never
    cross a space (BERT's WordPiece, GPT-2's byte pairs). The boundaries between the lists do not depend on the chunks.

    Raises:
        ValueError: if the input is not text, looks like binary data, or has more than 10,000 characters without a
            space.
    """
    if not isinstance(chunks, Iterable):
        raise ValueError(f"{chunks!r} is not text: give a string or an open file.")
    for block in _blocks([chunks] if isinstance(chunks, str) else chunks):
        _check(block)
        yield token_ids(tokenizer, [block])[0]


def _blocks(chunks: Iterable[str]) -> Iterator[str]:
    limit = BLOCK_CHARS + LONGEST_WORD
    buffer = ""
    for chunk in map(text_of, chunks):
        for start in range(0, len(chunk), limit):  # a chunk can be a whole book: copy it piece by piece
            buffer += chunk[start : start + limit]
            while len(buffer) > BLOCK_CHARS:
                found = _CUT.search(buffer, BLOCK_CHARS, limit)
                if not found and len(buffer) < limit:
                    break
                end = found.start() if found else limit
                yield buffer[:end]
                buffer = buffer[end:]
    if buffer:
        yield buffer


def _check(block: str) -> None:
    if _NO_SPACE.search(block):
        raise ValueError(
            f"More than {LONGEST_WORD:,} characters without a space: this does not look like text, "
            "give a plain text file."
        )
    junk = sum(1 for _ in _JUNK.finditer(block))
    if junk > 4 and junk * 100 > len(block):
        raise ValueError(
            f"This looks like binary data ({junk} of {len(block)} characters are unprintable): "
            "give a plain UTF-8 text file."
        )


class SegmentBuffer:
    """Collects tokens and returns segments of at most `capacity` tokens as soon as their end is certain.

    A segment ends after the last sentence end (an id in `stops`) in its final quarter, or at `capacity` if there is
    none. Without stops this is the paper's cut into equal lengths (arXiv 2304.11062).

    Args:
        capacity: maximum number of text tokens per segment, at least 1.
        stops: ids of the tokens that end a sentence; empty for cuts at equal lengths.
    """

    def __init__(self, capacity: int, stops: frozenset[int] = frozenset()):
        _check_capacity(capacity)
        self.capacity = capacity
        self.stops = stops
        self.tail: list[int] = []  # the unfinished segment, always shorter than `capacity`

    def push(self, ids: list[int]) -> list[list[int]]:
        """Append tokens and return the segments they complete, oldest first."""
        tokens, start, finished = self.tail + ids, 0, []
        while len(tokens) - start >= self.capacity:
            end = self._end(tokens, start)
            finished.append(tokens[start:end])
            start = end
        self.tail = tokens[start:]
        return finished

    def _end(self, tokens: list[int], start: int) -> int:
        full = start + self.capacity
        for end in range(full, full - self.capacity // 4, -1):
            if tokens[end - 1] in self.stops:
                return end
        return full


def cut(tokens: Iterable[list[int]], capacity: int, stops: frozenset[int] = frozenset()) -> Iterator[list[int]]:
    """Cut a stream of token blocks into segments (see `SegmentBuffer`); the last one may be short."""
    buffer = SegmentBuffer(capacity, stops)
    for ids in tokens:
        yield from buffer.push(ids)
    if buffer.tail:
        yield buffer.tail


def split_last_full(ids: list[int], capacity: int) -> list[list[int]]:
    """Split a whole input as the paper does: full segments counted from the end, so the FIRST one may be short."""
    _check_capacity(capacity)
    first = len(ids) % capacity
    head = [ids[:first]] if first else []
    return head + [ids[start : start + capacity] for start in range(first, len(ids), capacity)]


def _check_capacity(capacity: int) -> None:
    if capacity < 1:
        raise ValueError(f"A segment must hold at least 1 text token, not {capacity}: make segments longer.")
