"""Samples: stories as long as asked for, and read again with answers that are right for that reading."""

import random

import pytest

from rmt_demo import RMTConfig
from rmt_demo.data.babi_oracle import answer
from rmt_demo.data.facts import StoryGenerator
from rmt_demo.data.samples import Mixture, Sampler

STORIES = {"task_rate": 1.0, "questions": 3, "readings": 3}


@pytest.fixture(scope="module")
def sampler(words):
    return Sampler(RMTConfig(segment_length=256), words, StoryGenerator())


def test_stories_of_babis_kind_are_as_long_as_asked_and_never_shorter_than_their_task_needs(sampler):
    mixture = Mixture(1, (1, 1), sentences=(1, 2), tasks=("qa1", "qa3"), **STORIES)
    drawn = [sampler.draw(random.Random(seed), mixture, (), False) for seed in range(60)]
    assert {len(sample.facts) for sample in drawn} == {1, 2, 3}


@pytest.mark.parametrize("task", ["qa1", "routes"])
def test_a_story_read_again_is_asked_what_that_reading_says(sampler, task):
    rng, changed = random.Random(0), 0
    mixture = Mixture(1, (2, 6), sentences=(3, 8), tasks=(task,), unknown_rate=0.0, **STORIES)
    for _ in range(30):
        sample = sampler.draw(rng, mixture, (), False)
        first = {question.query: question.answer for question, _ in sample.questions}
        readings = list(sampler.read_again(rng, mixture, sample))
        assert len(readings) == 2
        for steps, questions in readings:
            if task == "qa1":
                assert sorted(steps) == list(range(sample.steps)), "all of it, in any order"
            else:
                assert steps == list(range(len(steps))), "up to some segment"
            facts = list(zip(sample.story.statements, sample.places, strict=True))
            told = [fact for step in steps for fact, place in facts if place == step]
            assert all(question.answer == answer(told, question.query) for question, _ in questions)
            changed += any(first.get(question.query, question.answer) != question.answer for question, _ in questions)
    assert changed


def test_what_says_the_same_in_any_order_is_read_once(sampler):
    mixture = Mixture(1, (2, 6), tasks=("qa4", "qa5"), **STORIES)
    sample = sampler.draw(random.Random(0), mixture, (), False)
    assert not list(sampler.read_again(random.Random(0), mixture, sample))
