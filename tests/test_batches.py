"""Batches, decoded and read: what is asked must really stand where the model will read it."""

import random
import string
from dataclasses import replace

import pytest
import torch

from rmt_demo import RMTConfig
from rmt_demo.data import noise
from rmt_demo.data.batches import BatchMaker
from rmt_demo.data.corpora import Background
from rmt_demo.data.families import FAMILIES
from rmt_demo.data.noise import echo, lure
from rmt_demo.data.samples import Mixture
from rmt_demo.data.tasks import PLACES
from rmt_demo.data.words import side
from rmt_demo.questions import THEREFORE, UNKNOWN, question_ids
from rmt_demo.segments import token_ids
from rmt_demo.training.recipes import RECIPES

OPEN = Mixture(8, segments=(1, 5), facts=(1, 4), task_rate=0.0, background=4)
KINDS = {
    "memory": Mixture(8, segments=(1, 5), facts=(1, 4), task_rate=0.0, background=4, tail_rate=0.0),
    "tail": Mixture(8, segments=(0, 3), facts=(1, 2), task_rate=0.0, background=4, tail_rate=1.0),
}


@pytest.fixture(scope="module")
def make(words):
    """make(split="train"): a BatchMaker whose background is nonsense, so that no answer stands there by chance."""
    rng = random.Random(0)
    syllables = ["".join(rng.sample("bcdfgqxz", 3)) for _ in range(50)]
    background = Background("nonsense", "all", [" ".join(rng.sample(syllables, 6)) + "." for _ in range(200)])

    def maker(split="train", length=128):
        return BatchMaker(RMTConfig(segment_length=length), words, background, split)

    return maker


def recorded(maker):
    """The stories that `maker` draws from now on, in order."""
    stories, draw = [], maker.stories.story
    maker.stories.story = lambda *args: stories.append(draw(*args)) or stories[-1]
    return stories


def tokens(ids, mask):
    return ids[mask][1:-1].tolist()  # without the frame


def find(part: list[int], whole: list[int], start: int = 0) -> int:
    return next((i for i in range(start, len(whole)) if whole[i : i + len(part)] == part), -1)


def read(batch, question: int) -> list[int]:
    """What the sample of a question reads before it is asked, the background left out; and the tail."""
    inputs = batch.inputs
    sample = inputs["query_of"][question]
    rows = inputs["order"][sample][batch.has_fact[sample]]
    facts = [t for row in rows for t in tokens(inputs["input_ids"][row], inputs["attention_mask"][row])]
    return facts + tokens(inputs["query_ids"][question], inputs["query_mask"][question])


@pytest.mark.parametrize("mixture", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("split", ["train", "eval"])
def test_facts_stand_whole_and_in_order_in_what_is_read(make, words, mixture, split):
    maker = make(split)
    stories = recorded(maker)
    for seed in range(5):
        stories.clear()
        batch = maker.batch(mixture, str(seed))
        asked = question_texts(stories)
        assert [q.text for q in batch.questions] == asked, "every question of every story is asked, in order"
        for number, question in enumerate(batch.questions):
            story = stories[batch.inputs["query_of"][number]]
            text, place = read(batch, number), -1
            for sentence in token_ids(words, list(story.sentences)):
                place = find(sentence, text, place + 1)
                assert place >= 0, (
                    f"{words.decode(sentence)!r} is not whole, or not in its place, in {words.decode(text)!r}: "
                    "with another order of facts the oracle's answer is wrong"
                )
            if question.answer != UNKNOWN:
                assert find(token_ids(words, [question.answer])[0], text) >= 0, "the answer must be there to find"


def question_texts(stories) -> list[str]:
    return [question.text for story in stories for question in story.questions]


@pytest.mark.parametrize("mixture", KINDS.values(), ids=KINDS)
def test_has_fact_marks_the_rows_with_facts(make, words, mixture):
    maker = make()
    nonsense = {t for sentence in maker.sentences for t in sentence}
    for seed in range(5):
        batch = maker.batch(mixture, str(seed))
        order, inputs = batch.inputs["order"], batch.inputs
        assert batch.has_fact.shape == order.shape and not batch.has_fact[order < 0].any()
        for row in range(len(inputs["input_ids"])):
            text = tokens(inputs["input_ids"][row], inputs["attention_mask"][row])
            has_fact = not set(text) <= nonsense
            assert has_fact == (row < inputs["num_trained"]), "table: first the rows with facts, then background"
            assert (batch.has_fact[order == row] == has_fact).all()
        facts = order[batch.has_fact]
        assert len(set(facts.tolist())) == len(facts), "a row with a fact belongs to one sample"


@pytest.mark.parametrize("mixture", KINDS.values(), ids=KINDS)
def test_questions_and_answers_decode_back(make, words, mixture):
    config = make().config
    batch = make().batch(mixture, "seed")
    for number, question in enumerate(batch.questions):
        query = tokens(batch.inputs["query_ids"][number], batch.inputs["query_mask"][number])
        asked = question_ids(words, config, question.text)
        assert query[-len(asked) :] == asked, "the question and its slots end the last segment"
        assert query.count(config.mask_token_id) == config.num_answer_slots
        label = [t for t in batch.inputs["labels"][number].tolist() if t != config.sep_token_id]
        assert letters(words.decode(label)) == letters(question.answer)


def letters(text: str) -> str:
    return "".join(c for c in text.lower() if c not in string.whitespace)


def test_the_same_seed_gives_the_same_batch(make):
    maker = make()
    first, other = maker.batch(OPEN, "a"), maker.batch(OPEN, "b")
    for again in (maker.batch(OPEN, "a"), make().batch(OPEN, "a")):
        assert again.questions == first.questions, "what was drawn before must not matter"
        for name, value in first.inputs.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(again.inputs[name])), name
    assert other.questions != first.questions


@pytest.mark.parametrize("stage", RECIPES["open"].stages + RECIPES["more"].stages)
def test_every_segment_of_the_recipe_fits(words, make, stage):
    maker = make(length=512)
    frame = 2  # [CLS] and [SEP]
    for seed, length in enumerate(2 * stage.segment_lengths):
        limit = length - maker.config.num_memory_tokens - 3 + frame
        batch = maker.batch(stage.mixture, str(seed), length)
        inputs = batch.inputs
        assert inputs["order"].shape[1] <= max(stage.mixture.segments[1], 1)
        assert (inputs["order"] < len(inputs["input_ids"])).all()
        background = inputs["attention_mask"][inputs["num_trained"] :].sum(1)
        assert background.max() <= limit, f"background of {background.max()} tokens, {limit} fit"
        # In a short stage, facts are kept whole even if a segment gets a little longer; the model has room for it.
        assert max(inputs["input_ids"].shape[1], inputs["query_ids"].shape[1]) <= maker.config.text_capacity + frame


def test_a_story_that_does_not_fit_is_drawn_again_in_training(make):
    """Up to twelve facts, all of them in one segment as often as not: some that are drawn are too long for it."""
    mixture = Mixture(64, segments=(1, 2), facts=(1, 12), task_rate=0.0, tail_rate=0.0, background=4)
    batch = make().batch(mixture, "long")
    assert len(batch.questions) == 64 * 4 and batch.inputs["input_ids"].shape[1] <= 128
    with pytest.raises(ValueError, match=r"too few for \d+ facts that need"):
        make("eval").batch(replace(mixture, segments=(1, 1), facts=(12, 12)), "long")


def test_memorize_puts_the_fact_into_the_first_segment(make, words):
    for tail in (0.0, 1.0):
        mixture = Mixture(8, (2, 4), task_rate=1.0, tasks=("memorize",), background=4, tail_rate=tail)
        batch = make().batch(mixture, "seed")
        assert batch.has_fact[:, 0].all() and not batch.has_fact[:, 1:].any()
        assert {q.answer for q in batch.questions} <= set(PLACES)


def test_a_fact_stands_anywhere(make):
    """In every segment, and in the question's own, where the mixture says so."""
    mixture = Mixture(64, (3, 3), facts=(1, 1), task_rate=0.0, background=4, tail_rate=1.0)
    places = make().batch(mixture, "seed").has_fact.float().mean(0)
    assert places.shape == (3,) and (places > 0.1).all() and places.sum() < 0.95, "and about a quarter in the tail"


def test_steps_reach_both_ends_of_their_range(make):
    steps = (make().batch(Mixture(200, (1, 5), (1, 1), background=1, tail_rate=0), "s").inputs["order"] >= 0).sum(1)
    counts = torch.bincount(steps, minlength=6).tolist()
    assert counts[0] == 0 and min(counts[1:]) > 5 and counts[1] > counts[5], f"segments read: {counts}"


@pytest.mark.parametrize("split", ["train", "eval"])
def test_answers_are_words_of_the_split(make, split):
    questions = [q for seed in range(5) for q in make(split).batch(OPEN, str(seed)).questions]
    known = [q.answer for q in questions if q.answer != UNKNOWN]
    assert len(known) > 20 and all(side(word) == split for word in known)
    assert len(questions) / 2 < len(known) < len(questions)


def test_shorter_segments_early_in_a_curriculum(make):
    mixture = Mixture(4, (1, 2), facts=(1, 1), task_rate=1.0, background=32, tail_rate=0.0)
    short, full = (make().batch(mixture, "s", length).inputs["input_ids"].shape[1] for length in (48, None))
    assert short <= 48 - 10 - 1 < 128 * 3 // 4 < full <= 128 - 10 - 1


def test_a_text_ends_anywhere(make):
    """The last segment is of any size, the others are full; so are some of the background's."""
    inputs = make().batch(Mixture(64, (2, 2), facts=(2, 2), task_rate=0.0, background=64, tail_rate=0.0), "s").inputs
    sizes = inputs["attention_mask"].sum(1)
    before, last = (sizes[rows[rows < inputs["num_trained"]]] for rows in inputs["order"].T)
    assert (before == 128 - 10 - 1).all() and last.min() < 60 < 110 < last.max()
    noise = sizes[inputs["num_trained"] :]
    assert 1 <= (noise < 80).sum() <= 20, f"background of {sorted(noise.tolist())} tokens"


def test_tokens_of_facts_are_marked_and_no_others(make, words):
    maker = make()
    known = {token for sentence in maker.sentences for token in sentence} | set(words.all_special_ids)
    batch = maker.batch(Mixture(16, (1, 3), facts=(1, 3), task_rate=0.0, background=4, tail_rate=0.0), "s")
    ids, rows = batch.inputs["input_ids"], batch.inputs["order"][batch.has_fact]
    assert batch.in_fact.shape == ids.shape and batch.in_fact[rows].any(1).all(), "a segment with a fact has it marked"
    assert not batch.in_fact[batch.inputs["num_trained"] :].any(), "background has no facts"
    assert not {*ids[~batch.in_fact].tolist()} - known, "a word of a fact is not marked"
    spared = [set(sentence) & known for sentence in ids[batch.in_fact].unsqueeze(1).tolist()]
    assert sum(map(bool, spared)) < len(spared) / 3, "background is marked as a fact"


def test_a_lure_has_words_of_facts_and_never_more_than_half_a_fact(words, monkeypatch):
    facts = token_ids(words, ["Mary went to the garden.", "The garden is north of the office."])
    row, seen = [1] * 40, set()  # a token of no fact
    for seed in range(200):
        lured = lure(random.Random(seed), row, facts)
        assert len(lured) == len(row) and lured != row
        seen |= set(lured)
    assert seen == {1, *facts[0], *facts[1]} and row == [1] * 40
    monkeypatch.setattr(noise, "MOST_LURES", 1)  # two pieces may meet by chance
    longest = max(40 - lure(random.Random(seed), row, facts).count(1) for seed in range(200))
    assert longest == len(facts[1]) // 2


def test_lures_stand_in_their_share_of_the_background_and_change_nothing_else(make):
    plain, lured = (make().batch(replace(KINDS["memory"], lures=lures), "s") for lures in (0.0, 0.5))
    first = plain.inputs["num_trained"]
    changed = (plain.inputs["input_ids"] != lured.inputs["input_ids"]).any(1)
    assert changed.shape[0] == first + 4
    assert plain.questions == lured.questions and not changed[:first].any()
    assert changed[first:].sum() >= 2


def test_an_echo_says_a_few_words_over_and_over_and_keeps_lengths_and_full_stops():
    sentences, sizes = [[*range(10, 22), 1], [*range(30, 45), 1], [50, 1]], set()
    for seed in range(200):
        echoed = echo(random.Random(seed), sentences)
        assert list(map(len, echoed)) == [13, 16, 2] and {said[-1] for said in echoed} == {1}
        said = [said[:-1] for said in echoed]
        size = len(set(said[1]))
        sizes.add(size)
        assert all(words == (said[1][:size] * 8)[: len(words)] for words in said)
        assert any(said[1][:size] == whole[at : at + size] for whole in sentences for at in range(len(whole)))
    assert sizes == {2, 3, 4}


def test_echoes_come_at_their_rate_and_never_in_place_of_a_fact(make):
    def different_tokens(rate):
        batch = make().batch(Mixture(32, (1, 3), tail_rate=0.0, background=64, echoes=rate), "s")
        ids, facts = batch.inputs["input_ids"], batch.in_fact[: batch.inputs["num_trained"]]
        # A fact has words of its own however little is said around it.
        assert all(len(row[marked].unique()) > 3 for row, marked in zip(ids, facts, strict=False))
        return [len(row.unique()) for row in ids[batch.inputs["num_trained"] :]]

    plain, some, all_ = map(different_tokens, (0.0, 0.5, 1.0))
    assert max(all_) < min(plain) + 8 and sum(all_) < sum(plain) / 2
    assert sum(all_) < sum(some) < sum(plain)


def test_stories_of_ones_own_come_at_their_rate_and_change_no_other(make):
    table = "berth: person -> number\n+ {person}: berth {number}. | Berth {number}: {person}.\n"
    table += "? Which berth has {person}? | Where does {person} sleep?"

    def asked(maker, **fields):
        return [
            q.query.family for q in maker.batch(Mixture(32, task_rate=0.0, background=1, **fields), "own").questions
        ]

    maker = make()
    try:
        assert set(asked(maker, own=table, own_rate=1.0)) == {"berth"}
        mixed = asked(maker, own=table, own_rate=0.5)
        assert 0.25 < mixed.count("berth") / len(mixed) < 0.75
        assert "berth" not in asked(maker), "without a table nobody tells of berths"
    finally:
        del FAMILIES["berth"]


def test_labels_begin_with_the_thought(make, words):
    maker = make(length=256)
    maker.config.num_answer_slots = 7
    mixture = Mixture(16, (1, 2), questions=6, tail_rate=0.0, task_rate=1.0, tasks=("qa2", "qa4"), background=2)
    batch = maker.batch(mixture, "s")
    assert len(batch.thoughts) == len(batch.questions) == len(batch.inputs["labels"])
    for question, label, length in zip(batch.questions, batch.inputs["labels"], batch.thoughts.tolist(), strict=True):
        said = words.decode(label[:length])
        assert said == (f"{question.thought.lower()} {THEREFORE}" if question.thought else "")
        assert words.decode(label[length:], skip_special_tokens=True) == question.answer.lower()
    assert 0 < (batch.thoughts > 0).sum() < len(batch.thoughts)


def test_further_words_stand_in_their_share_of_stories(words):
    plain = Background("nonsense", "all", ["Bcd fgq."] * 20)
    maker = BatchMaker(RMTConfig(segment_length=256), words, plain, "train", extra_words=["zebra", "yogurt", "xenon"])
    mixture = Mixture(48, (1, 1), tail_rate=0.0, task_rate=1.0, tasks=("qa4",), background=1)

    def told(rate):
        ids = maker.batch(replace(mixture, extra_rate=rate), "s").inputs["input_ids"]
        return sum(any(word in words.decode(row) for word in ("zebra", "yogurt", "xenon")) for row in ids)

    assert told(0.0) == 0 < told(0.3) < told(1.0)


def test_segments_read_again_are_encoded_once(make):
    maker = make(length=256)
    mixture = Mixture(3, (4, 4), readings=3, tail_rate=0.0, task_rate=1.0, tasks=("qa1",), background=2)
    inputs = maker.batch(mixture, "again").inputs
    assert inputs["order"].shape == (9, 4) and set(inputs["query_of"].tolist()) == set(range(9))
    facts = [{row for row in order if row < inputs["num_trained"]} for order in inputs["order"].tolist()]
    assert facts[0] == facts[1] == facts[2] and facts[0].isdisjoint(facts[3])
