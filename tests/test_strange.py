"""Strange backgrounds: of the size asked for, reproducible, and each of its own kind."""

import re
import sysconfig
from pathlib import Path

import pytest

from rmt_demo.data import strange as module
from rmt_demo.data.corpora import MAX_WORDS
from rmt_demo.data.haystack import Fact, Haystack
from rmt_demo.data.strange import KINDS, strange


@pytest.mark.parametrize("kind", KINDS)
def test_size_and_seed(kind):
    text = strange(kind, 500, seed=1)
    assert (text.name, text.part, len(text.sentences)) == (kind, "eval", 500)
    assert text.sentences == strange(kind, 500, seed=1).sentences, "the same seed must give the same text"
    assert text.sentences[:100] == strange(kind, 100, seed=1).sentences, "a shorter text is the longer one's beginning"
    others = [strange(kind, 500, seed=seed).sentences for seed in (2, 3, 4)]
    assert any(other != text.sentences for other in others), "the seed has no effect"
    for sentence in text.sentences:
        assert sentence and sentence == " ".join(sentence.split()), f"empty or not single-spaced: {sentence!r}"
        assert len(sentence.split()) <= MAX_WORDS, f"too long: {sentence!r}"
    assert len(strange(kind).sentences) == 2000


def test_code_is_lines_of_the_standard_library_and_starts_again_at_its_end(monkeypatch, tmp_path):
    source = "".join(file.read_text(errors="replace") for file in Path(sysconfig.get_path("stdlib")).glob("*.py"))
    lines = {" ".join(line.split()) for line in source.splitlines()}
    assert set(strange("code", 300).sentences) <= lines
    (tmp_path / "a.py").write_text("import b\n\n    x  =  1\n")
    (tmp_path / "b.py").write_text("pass\n")
    monkeypatch.setattr(module.sysconfig, "get_path", lambda name: str(tmp_path))
    text = strange("code", 9).sentences
    assert sorted(text) == sorted(["import b", "x = 1", "pass"] * 3)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("german", r"[A-ZÄÖÜ][A-Za-zäöüß, ]+\."),
        ("logs", r"\d\d:\d\d:\d\d\.\d{3} (INFO|DEBUG|WARN|ERROR) \[[\w.]+\] [^{}]+"),
        ("tables", r"-?\d+(\.\d+)?( \| -?\d+(\.\d+)?){3,9}"),
        ("random", r"[a-z]{2,9}( [a-z]{2,9}){4,24}\."),
        ("repeat", r"(\w+)( \1){4,24}\."),
    ],
)
def test_every_line_is_of_its_kind(kind, form):
    odd = [line for line in strange(kind, 500).sentences if not re.fullmatch(form, line)]
    assert not odd, f"not like {kind}: {odd[:3]}"


def test_german_articles_fit_noun_and_case():
    nouns = {noun: articles for articles, group in module._NOUNS.items() for noun in group}
    for sentence in strange("german", 500).sentences:
        phrases = re.findall(r"\b([Dd]er|[Dd]ie|[Dd]as|[Dd]en)(?: \w+?(en|e))? ([A-ZÄÖÜ]\w+)", sentence)
        assert len(phrases) == (4 if "," in sentence else 2), sentence
        for place, (article, ending, noun) in enumerate(phrases):  # subject, object, subject, object
            assert article.lower() == nouns[noun][place % 2], f"{article} {noun} in {sentence}"
            assert ending in ("", "en" if article.lower() == "den" else "e"), sentence


def test_facts_can_be_hidden_in_every_kind(tokenizer):
    for kind in KINDS:
        hay = "".join(Haystack(strange(kind, 50), [Fact("John is in the garden.", 0.5)], 500, tokenizer=tokenizer))
        assert hay.count("John is in the garden.") == 1, kind


def test_bad_input_is_one_clear_sentence(monkeypatch, tmp_path):
    with pytest.raises(ValueError, match="no strange text 'latin': choose one of code, german"):
        strange("latin")
    with pytest.raises(ValueError, match="one or more sentences, not 0"):
        strange("logs", 0)
    monkeypatch.setattr(module.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(ValueError, match="no Python source"):
        strange("code", 10)
