"""The paper's tasks: the right vocabulary, and answers that a second, textual oracle confirms."""

import re
from collections import Counter
from random import Random

import pytest

from rmt_demo.data.tasks import EASIER, NAMES, PLACES, TASKS, VERBS, lies_oracle, stranger
from rmt_demo.data.world import Query, Statement
from rmt_demo.questions import UNKNOWN

COMPASS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}


def draw(name, count=1000, seed=0):
    rng = Random(seed)
    return [TASKS[name](rng) for _ in range(count)]


@pytest.mark.parametrize("name", TASKS)
def test_labels_are_answers_and_all_six_occur(name):
    tasks = draw(name)
    labels = Counter(task.label for task in tasks)
    assert set(labels) == set(range(6)) and min(labels.values()) > 100, f"unbalanced classes: {labels}"
    for task in tasks:
        (question,) = task.story.questions
        assert PLACES[task.label] == question.answer
        assert any(question.answer in sentence for sentence in task.story.sentences)
        assert task.at_start == (name == "memorize")
    assert tasks == draw(name) and tasks != draw(name, seed=1), "the seed decides, and it alone"


@pytest.mark.parametrize("name", ["memorize", "detect"])
def test_one_fact_about_the_person_asked_for(name):
    seen = set()
    for task in draw(name):
        (sentence,) = task.story.sentences
        person, verb, place = re.fullmatch(r"(\w+) ([\w ]+) to the (\w+)\.", sentence).groups()
        assert task.story.questions[0].text == f"Where is {person}?"
        assert task.story.questions[0].answer == place
        seen |= {person, verb, place}
    assert seen == {*NAMES, *VERBS, *PLACES}


def test_a_stranger_is_not_in_the_text():
    tasks = [stranger(Random(seed)) for seed in range(200)]
    for task in tasks:
        (question,) = task.story.questions
        person = re.fullmatch(r"Where is (\w+)\?", question.text)[1]
        assert person not in task.story.sentences[0] and question.answer == question.kind == UNKNOWN
    assert {task.story.statements[0]["person"] for task in tasks} == set(NAMES)


def test_reasoning_answer_is_the_only_one_on_a_map():
    """Put the places on a map; a place counts as north of another if it is anywhere further up."""
    forms = Counter()
    for task in draw("reasoning"):
        facts = [re.fullmatch(r"The (\w+) is (\w+) of the (\w+)\.", s).groups() for s in task.story.sentences]
        position = {facts[0][2]: (0, 0)}
        for subject, direction, reference in (*facts, *facts):  # twice: a fact may need the one after it
            dx, dy = COMPASS[direction]
            if reference in position:
                x, y = position[reference]
                position[subject] = (x + dx, y + dy)
            elif subject in position:
                x, y = position[subject]
                position[reference] = (x - dx, y - dy)
        assert len(set(position.values())) == 3, f"two places in one spot: {task.story.sentences}"

        def is_so(subject, direction, reference, position=position):
            (x, y), (a, b), (dx, dy) = position[subject], position[reference], COMPASS[direction]
            return (x - a) * dx + (y - b) * dy > 0

        text = task.story.questions[0].text
        if match := re.fullmatch(r"What is the (\w+) (\w+) of\?", text):
            answers = [p for p in position if is_so(match[1], match[2], p)]
        else:
            match = re.fullmatch(r"What is (\w+) of the (\w+)\?", text)
            answers = [p for p in position if is_so(p, match[1], match[2])]
        forms[text.startswith("What is the")] += 1
        assert answers == [PLACES[task.label]], f"{task.story.sentences} {text} has the answers {answers}"
    assert min(forms.values()) > 400, "both forms of the question"


def test_lies_oracle_reads_a_fact_from_both_ends():
    slots = (("subject", "garden"), ("direction", "north"), ("reference", "office"))
    facts = [Statement("lies", slots, "The garden is north of the office.")]
    assert lies_oracle(facts, Query("lies", (("subject", "office"), ("direction", "south")), "reference")) == "garden"
    with pytest.raises(ValueError, match="0 answers"):
        lies_oracle(facts, Query("lies", (("subject", "office"), ("direction", "east")), "reference"))


@pytest.mark.parametrize("name", EASIER)
def test_easier_forms_ask_what_their_facts_say(name):
    for seed in range(200):
        story = EASIER[name](Random(seed), 4).story
        facts = [re.fullmatch(r"The (\w+) is (\w+) of the (\w+)\.", sentence).groups() for sentence in story.sentences]
        for question in story.questions:
            subject, direction, reference = next(fact for fact in facts if question.answer in fact)
            words = set(question.text.rstrip("?").split())
            if question.text.startswith("Which way"):
                assert question.answer == direction and {subject, reference} <= words
            elif name != "turned":  # the words of the fact itself
                assert question.answer == subject and {direction, reference} <= words
    with_directions = [
        q for seed in range(50) for q in EASIER[name](Random(seed), 4).story.questions if "Which way" in q.text
    ]
    assert bool(with_directions) == (name == "compass")
