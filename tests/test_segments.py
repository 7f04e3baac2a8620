import random

import pytest
from tiny import tiny_tokenizer

from rmt_demo.segments import SegmentBuffer, cut, split_last_full, stream_tokens, token_ids


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_tokenizer(["##ing"])


@pytest.fixture(scope="module")
def text():
    rng = random.Random(0)
    words = [
        "the",
        "reading",
        "naïve",
        "中文",
        "it's",
        "a.b",
        "tab\there",
        "e\u0301",
        "x" * 50 + "\x1c" + "x" * 50,
    ]
    return "".join(rng.choice(words) + rng.choice([" ", "  ", "\n\n", ". ", "\u3000 "]) for _ in range(3000))


def chunked(text, sizes):
    start = 0
    while start < len(text):
        size = next(sizes)
        yield text[start : start + size]
        start += size


def random_sizes(largest):
    rng = random.Random(largest)
    while True:
        yield rng.randint(1, largest)


def joined(blocks):
    return [i for block in blocks for i in block]


@pytest.mark.parametrize("largest", [1, 7, 5000, 10**6])
def test_streaming_equals_tokenizing_the_whole_text(tokenizer, text, largest):
    whole = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    streamed = list(stream_tokens(tokenizer, chunked(text, random_sizes(largest))))
    assert len(streamed) > 10, "a long text has to come in many blocks, or it is all in memory"
    assert joined(streamed) == whole, "a word was torn: blocks may only end at a space"
    assert streamed == list(stream_tokens(tokenizer, [text])), "where blocks end must not depend on the chunks"


def test_byte_pairs_keep_the_space_before_a_word(text):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    model = models.BPE(vocab={c: i for i, c in enumerate([*alphabet, "Ġt"])}, merges=[("Ġ", "t")])
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend)
    whole = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert joined(stream_tokens(tokenizer, [text])) == whole, "cut before a space, never after it"


def test_a_stream_is_read_only_as_far_as_needed(tokenizer):
    def endless():
        while True:
            yield "the reading goes on. "

    blocks = stream_tokens(tokenizer, endless())
    assert [len(next(blocks)) > 100 for _ in range(3)] == [True] * 3


def test_one_huge_line_with_spaces_is_text(tokenizer):
    assert len(joined(stream_tokens(tokenizer, ["the " * 50_000]))) == 50_000


def test_a_long_run_of_spaces_is_not_a_word(tokenizer):
    assert joined(stream_tokens(tokenizer, ["the", " " * 100_000, "the"])) == 2 * token_ids(tokenizer, ["the"])[0]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_no_text_gives_no_tokens(tokenizer, text):
    assert joined(stream_tokens(tokenizer, [text])) == []


@pytest.mark.parametrize("before", ["", "the ", "the " * 3000])
def test_a_word_of_over_10000_characters_is_refused(tokenizer, before):
    assert joined(stream_tokens(tokenizer, [before + "x" * 10_000 + " the"]))
    with pytest.raises(ValueError, match="characters without a space"):
        list(stream_tokens(tokenizer, chunked(before + "x" * 10_001 + " the", random_sizes(999))))


@pytest.mark.parametrize("junk", ["\0", "\x07", "\ufffd", "\udc80"])
def test_binary_junk_is_refused_and_a_stray_character_is_not(tokenizer, junk):
    assert joined(stream_tokens(tokenizer, ["the " * 100 + junk]))
    with pytest.raises(ValueError, match="looks like binary data"):
        list(stream_tokens(tokenizer, ["the " * 100 + junk * 20]))


def test_special_tokens_in_a_text_are_plain_characters(tokenizer):
    ids = token_ids(tokenizer, ["the [MASK] and [SEP]."])[0]
    assert not set(ids) & set(tokenizer.all_special_ids), "text must not be able to forge special tokens"
    assert tokenizer("[MASK]", add_special_tokens=False)["input_ids"] == [tokenizer.mask_token_id]


def test_long_blocks_raise_no_length_warning(tokenizer, text, monkeypatch):
    said = []
    monkeypatch.setattr("transformers.tokenization_utils_base.logger.warning", lambda *args: said.append(args))
    tokenizer.deprecation_warnings.clear()  # transformers warns only once
    list(stream_tokens(tokenizer, [text]))
    assert not said, "a reader of endless text must not be told that it is too long"


@pytest.mark.parametrize("stops", [frozenset(), frozenset({0}), frozenset({1, 2})])
@pytest.mark.parametrize("capacity", [1, 3, 16, 50])
def test_segments_join_to_the_stream_whatever_its_blocks(stops, capacity):
    ids = random.Random(1).choices(range(20), k=1000)
    segments = list(cut([ids], capacity, stops))
    assert joined(segments) == ids, "cutting must neither lose nor invent a token"
    assert all(1 <= len(segment) <= capacity for segment in segments)
    for largest in (1, 10, 300):
        assert list(cut(chunked(ids, random_sizes(largest)), capacity, stops)) == segments


def test_without_stops_all_segments_but_the_last_are_full():
    assert [len(s) for s in cut([list(range(10))], 4)] == [4, 4, 2]


def test_a_segment_ends_after_the_last_stop_in_its_final_quarter():
    ids, stops = [5] * 20, frozenset({0})
    ids[8] = 0
    assert len(next(cut([ids], 12, stops))) == 12, "a stop before the final quarter does not count"
    ids[9] = 0
    assert len(next(cut([ids], 12, stops))) == 10
    ids[10] = 0
    assert len(next(cut([ids], 12, stops))) == 11


def test_a_segment_is_finished_only_when_its_end_is_certain():
    buffer = SegmentBuffer(8, frozenset({0}))
    assert buffer.push([5, 5, 5, 5, 5, 5, 0]) == [], "the next token may be a later stop"
    assert buffer.tail == [5, 5, 5, 5, 5, 5, 0]
    assert buffer.push([5]) == [[5, 5, 5, 5, 5, 5, 0]]
    assert buffer.tail == [5]


def test_the_papers_split_makes_the_first_segment_short():
    assert split_last_full([1, 2, 3, 4, 5], 2) == [[1], [2, 3], [4, 5]]
    assert split_last_full([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]
    assert split_last_full([], 2) == []


def test_a_segment_without_room_is_refused():
    with pytest.raises(ValueError, match="at least 1 text token"):
        SegmentBuffer(0)
    with pytest.raises(ValueError, match="at least 1 text token"):
        split_last_full([1], 0)
