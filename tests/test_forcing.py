"""Teacher forcing: the beginnings of some answers, in their slots and out of the labels."""

from collections import Counter
from random import Random

import pytest
import torch

from rmt_demo import RMTConfig
from rmt_demo.questions import slots
from rmt_demo.training.forcing import GIVEN, IGNORED, JUST, THOUGHT, by_piece, force

CONFIG = RMTConfig(segment_length=128)
SEP, MASK = CONFIG.sep_token_id, CONFIG.mask_token_id
LABELS = ([7, SEP, SEP], [7, 8, SEP], [7, 8, 9])


def questions(count: int) -> dict:
    return {
        "query_ids": torch.tensor([[CONFIG.cls_token_id, 50, MASK, MASK, MASK, SEP, CONFIG.pad_token_id]] * count),
        "labels": torch.tensor([LABELS[n % 3] for n in range(count)]),
        "num_trained": 3,
    }


def test_what_is_given_away_is_in_the_question_and_not_in_the_labels():
    before, seen = questions(900), set()
    after = force(before, CONFIG, Random(0), torch.zeros(900, dtype=torch.long))
    where = slots(before["query_ids"], CONFIG)
    for n, label in enumerate(after["labels"].tolist()):
        filled = after["query_ids"][n][where[n]].tolist()
        given = label.count(IGNORED)
        assert label == [IGNORED] * given + LABELS[n % 3][given:]
        assert filled == LABELS[n % 3][:given] + [MASK] * (3 - given)
        seen.add((n % 3, given))
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)}, "a slot is left, no [SEP] given"
    share = (after["labels"][:, 0] == IGNORED).float().mean().item()
    assert abs(share - GIVEN) < 0.05
    assert torch.equal(after["query_ids"][:, [0, 1, 5, 6]], before["query_ids"][:, [0, 1, 5, 6]])
    assert after["num_trained"] == 3 and torch.equal(before["labels"], questions(900)["labels"]), "a copy is changed"


def test_a_thought_is_often_given_away_and_mostly_as_a_whole():
    labels = torch.tensor([[7, 8, 9, 5, SEP]] * 900)  # two pieces, what stands between, and the answer
    config = RMTConfig(segment_length=128, num_answer_slots=5)
    query = torch.tensor([[config.cls_token_id, 50, *[MASK] * 5, SEP]] * 900)
    after = force({"query_ids": query, "labels": labels}, config, Random(0), torch.full((900,), 3))
    given = (after["labels"] == IGNORED).sum(1).bincount(minlength=6) / 900
    assert given[1:].sum() == pytest.approx(THOUGHT, abs=0.05)
    assert given[3] / given[1:].sum() == pytest.approx(JUST + (1 - JUST) / 4, abs=0.05)
    assert given[1] > 0 and given[2] > 0 and given[4] > 0 and given[5] == 0


def test_one_slot_is_never_filled():
    config = RMTConfig(segment_length=128, num_answer_slots=1)
    only = {"query_ids": torch.tensor([[config.cls_token_id, 50, MASK, SEP]] * 50), "labels": torch.full((50, 1), 7)}
    assert torch.equal(force(only, config, Random(0), torch.zeros(50))["query_ids"], only["query_ids"])


def test_piece_by_piece_each_question_is_asked_for_the_next_piece_alone():
    labels = torch.tensor([[7, 8, 9, 5, SEP], [7, 8, SEP, SEP, SEP], [4, 5, 6, 7, 8], [7, SEP, SEP, SEP, SEP]] * 300)
    thoughts = torch.tensor([3, 0, 2, 0] * 300)
    config = RMTConfig(segment_length=128, num_answer_slots=5)
    query = torch.tensor([[config.cls_token_id, 50, *[MASK] * 5, SEP]] * 1200)
    before = {"query_ids": query, "query_mask": query > 0, "query_of": torch.arange(1200), "labels": labels}
    after = by_piece(before, config, Random(0), thoughts)
    asked = Counter()
    for ids, mask, of, label in zip(*(after[name] for name in before), strict=True):
        (given,) = (label != IGNORED).nonzero()[0]
        assert label[given] == labels[of][given] and mask.all()
        assert ids[2:7].tolist() == labels[of][:given].tolist() + [MASK] * (5 - int(given))
        asked[int(of) % 4, int(given)] += 1
    always = {(0, 0), (0, 3), (1, 0), (2, 0), (2, 2), (3, 0)}
    assert {key for key in asked if asked[key] == 300} == always, "nothing, and all of a thought"
    further = {(0, 1), (0, 2), (0, 4), (1, 1), (1, 2), (2, 1), (2, 3), (2, 4), (3, 1)}
    assert set(asked) - always == further, "a slot is always left"
    assert asked[1, 1] + asked[1, 2] == asked[2, 3] + asked[2, 4] == 300, "what comes after a first piece"
    assert 90 < asked[0, 4] < 150 and 90 < asked[3, 1] < 150, "an end right after it less often"
    assert 120 < asked[0, 1] + asked[0, 2] < 180 and 120 < asked[2, 1] < 180, "half of the thoughts"
    assert 0 < asked[0, 2] < asked[0, 1], "mostly what comes after who, seldom the arrow"
    assert torch.equal(before["query_ids"], query), "a copy is changed"


def test_piece_by_piece_a_thought_that_fills_all_slots_leaves_the_last_one():
    config = RMTConfig(segment_length=128, num_answer_slots=3)
    query = torch.tensor([[config.cls_token_id, 50, MASK, MASK, MASK, SEP]])
    one = {
        "query_ids": query,
        "query_mask": query > 0,
        "query_of": torch.tensor([0]),
        "labels": torch.tensor([[7, 8, 9]]),
    }
    after = by_piece(one, config, Random(0), torch.tensor([3]))
    assert after["labels"][-1].tolist() == [IGNORED, IGNORED, 9]
