"""Questions with their answer slots, and the labels of these slots."""

import pytest
import torch
from tiny import tiny_tokenizer

from rmt_demo import RMTConfig
from rmt_demo.questions import THEREFORE, answer_ids, question_ids, slots, stop_ids

CONFIG = RMTConfig(segment_length=128)


def test_a_question_ends_in_its_slots(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(["where", "is", "mary", "?"])
    assert question_ids(tokenizer, CONFIG, "Where is Mary?") == ids + [CONFIG.mask_token_id] * 3


def test_slots_are_found_filled_or_not():
    cls, sep, mask, pad = CONFIG.cls_token_id, CONFIG.sep_token_id, CONFIG.mask_token_id, CONFIG.pad_token_id
    ids = torch.tensor([[cls, 7, mask, mask, mask, sep], [cls, 9, sep, mask, sep, pad]])
    assert slots(ids, CONFIG).tolist() == [[2, 3, 4], [1, 2, 3]]


def test_a_question_without_room_for_its_slots_is_refused():
    """Without a check, a negative slot position would index from the end."""
    with pytest.raises(ValueError, match=r"A question ends in 3 \[MASK\] slots: append them to it"):
        slots(torch.tensor([[2, 7, 4, 4, 4, 3], [2, 4, 4, 3, 0, 0]]), CONFIG)


def test_bad_questions_are_refused(tokenizer):
    with pytest.raises(ValueError, match="question is empty"):
        question_ids(tokenizer, CONFIG, "  ")
    with pytest.raises(ValueError, match="has 128 tokens, 115 fit: ask a shorter one"):
        question_ids(tokenizer, CONFIG, "where " * 125)


def test_answers_fill_the_slots(tokenizer):
    garden, sep = tokenizer.convert_tokens_to_ids("garden"), CONFIG.sep_token_id
    assert answer_ids(tokenizer, CONFIG, "garden") == [garden, sep, sep]
    assert answer_ids(tokenizer, CONFIG, "garden " * 5) == [garden] * 3


def test_an_answer_follows_from_its_thought():
    tokenizer = tiny_tokenizer([THEREFORE])
    config, sep = RMTConfig(segment_length=128, num_answer_slots=5), CONFIG.sep_token_id
    mary, garden, therefore = (answer_ids(tokenizer, CONFIG, text)[0] for text in ("mary", "garden", THEREFORE))
    assert answer_ids(tokenizer, config, "garden", "mary") == [mary, therefore, garden, sep, sep]
    assert answer_ids(tokenizer, CONFIG, "garden", "mary") == [mary, therefore, garden]
    assert answer_ids(tokenizer, CONFIG, "garden", "mary mary") == [garden, sep, sep], "no slot left for the answer"


def test_sentence_ends(tokenizer):
    assert tokenizer.convert_ids_to_tokens(sorted(stop_ids(tokenizer))) == ["!", ".", "?"]
