"""bAbI's tasks, checked from outside: stories are read back from their text alone and answered a second time."""

import re
from collections import Counter
from functools import cache
from itertools import groupby
from random import Random

import pytest

from rmt_demo.data import babi
from rmt_demo.data.babi import LEAST, LONGEST, PRACTICE, QA
from rmt_demo.data.babi_oracle import answer, thought
from rmt_demo.data.families import FAMILIES, paraphrases
from rmt_demo.data.scene import QUESTIONS, SENTENCES
from rmt_demo.data.words import pool, side
from rmt_demo.data.world import Query, Statement

WAY = "north|south|east|west"
COMPASS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
WORDS = {word for kind in ("object", "site") for split in ("train", "eval") for word in pool(kind, split)}
THINGS, PEOPLE = "|".join((*WORDS, r"zz\w\w")), r"(?!Somebody\b)[A-Z]\w+"
SLOTS = {
    "go": ("person", "site"),
    "take": ("person", "object"),
    "drop": ("person", "object"),
    "give": ("giver", "object", "receiver"),
    "lies": ("subject", "direction", "reference"),
}


def form(template):
    """What a paraphrase looks like, with a group for each slot."""
    parts = re.split(r"{(\w+)}", template)
    words = {"direction": WAY} | dict.fromkeys(("person", "giver", "receiver"), PEOPLE)
    forms = [f"(?P<{part}>{words.get(part, THINGS)})" if i % 2 else re.escape(part) for i, part in enumerate(parts)]
    return re.compile("".join(forms), re.IGNORECASE if template.startswith("{direction}") else 0)


ACTS = [(kind, form(line)) for kind, templates in SENTENCES.items() for line in templates]
ASKED = [(key, form(line)) for key, templates in QUESTIONS.items() for line in templates]


@cache
def draw(name, split="train", count=1000, seed=0, **kwargs):
    rng = Random(seed)
    return [QA[name](rng, split, **kwargs) for _ in range(count)]


def read(sentences):
    """(kind, words) of each sentence, each of which must fit exactly one kind."""
    for sentence in sentences:
        ((kind, words),) = {
            (kind, tuple(match[slot].lower() if slot == "direction" else match[slot] for slot in SLOTS[kind]))
            for kind, shape in ACTS
            if (match := shape.fullmatch(sentence))
        }
        yield kind, words


def films(acts):
    """Where everybody and everything is after each sentence, as far as it is known; nothing impossible happens."""
    at, holder, frames = {}, {}, []
    for kind, (who, *what) in acts:
        if kind == "go":
            assert at.get(who) != what[0], f"{who} goes where {who} is"
            at[who] = what[0]
        elif kind == "take":
            assert what[0] not in holder, f"{who} takes the {what[0]} from somebody"
            assert at.get(what[0]) in (None, at.get(who)), f"{who} takes the {what[0]} from another place"
            holder[what[0]] = who
        elif kind == "drop":
            assert holder.pop(what[0]) == who and who in at, f"{who} puts down the {what[0]}"
        else:
            assert holder.get(what[0], who) == who, f"{who} gives away what somebody else has"
            assert who != what[1] and len({at.get(who), at.get(what[1])} - {None}) < 2, f"{who} and {what[1]} are apart"
            holder[what[0]] = what[1]
            at |= {person: at[other] for person, other in ((who, what[1]), (what[1], who)) if other in at}  # they meet
        at |= {thing: at[person] for thing, person in holder.items() if person in at}
        frames.append(dict(at))
    return frames


def on_a_map(acts, subject, way, reference):
    """The places that fit the one None, where anything further up counts as north; maps not joined don't compare."""
    spots = {}
    for number, (_, (start, _, _)) in enumerate(acts):
        spots.setdefault(start, (number, 0, 0))
        for _ in acts:  # as often as a map may need to fill up
            for _, (a, direction, b) in acts:
                dx, dy = COMPASS[direction]
                if b in spots:
                    island, x, y = spots[b]
                    spots.setdefault(a, (island, x + dx, y + dy))
                if a in spots:
                    island, x, y = spots[a]
                    spots.setdefault(b, (island, x - dx, y - dy))
    assert len(set(spots.values())) == len(spots), "two places in one spot"

    def so(a, b):
        (here, x, y), (there, u, v), (dx, dy) = spots[a], spots[b], COMPASS[way]
        return here == there and (x - u) * dx + (y - v) * dy > 0

    return {place for place in spots if (so(place, reference) if subject is None else so(subject, place))}


def answers(story, text):
    """All answers the sentences of a story give to a question."""
    acts = list(read(story.sentences))
    found = {(key, tuple(match.groupdict().items())) for key, shape in ASKED if (match := shape.fullmatch(text))}
    ((family, *_, wanted), known), *others = found
    assert not others, f"{text} can be understood in {len(found)} ways"
    known = dict(known)
    if family == "lies":
        return on_a_map(acts, known.get("subject"), known["direction"].lower(), known.get("reference"))
    if family == "give":
        gifts = [dict(zip(SLOTS["give"], words, strict=True)) for kind, words in acts if kind == "give"]
        return {gift[wanted] for gift in gifts if known.items() <= gift.items()}
    frames = films(acts)
    if family == "before":
        seen = [site for site, _ in groupby(frame.get(known["object"]) for frame in frames) if site]
        return {seen[i - 1] if i else None for i, site in enumerate(seen) if site == known["site"]}
    (who_or_what,) = known.values()
    return {frames[-1].get(who_or_what)}


@pytest.mark.parametrize("name", QA)
def test_text_alone_gives_the_one_answer(name):
    stories = [*draw(name), *draw(name, "eval", count=200, seed=1, questions=3)]
    for story in stories:
        assert 2 <= len(story.sentences) == len(story.statements) <= 12 and story.questions
        assert len({q.query for q in story.questions}) == len(story.questions), "the same question twice"
        for question in story.questions:
            found = answers(story, question.text)
            assert found == {question.answer}, (
                f"{' '.join(story.sentences)} {question.text} The text says {found}, the oracle {question.answer}."
            )
    assert {len(story.sentences) for story in stories} >= set(range(3, 13))


@pytest.mark.parametrize("name", QA)
def test_answers_are_balanced_and_have_no_easy_shortcut(name):
    stories = draw(name)
    said = Counter(story.questions[0].answer for story in stories)
    words = {word for kind in ("site", "person", "object") for word in pool(kind, "train")}
    assert said.keys() <= words and len(said) > 80, "many answers"
    assert max(said.values()) < 40, f"an answer given too often: {said.most_common(3)}"
    last = sum(s.questions[0].answer in s.sentences[-1] for s in stories)
    first = sum(s.questions[0].answer in s.sentences[0] for s in stories)
    assert max(first, last) < 700, f"the answer stands in the first sentence of {first}, in the last of {last}"
    forms = Counter(
        (q.query.family, *(slot for slot, _ in q.query.known), q.query.ask) for s in stories for q in s.questions
    )
    assert min(forms.values()) > 50 and len(forms) == {"qa4": 2, "qa5": 5}.get(name, 1), forms


@pytest.mark.parametrize("name", QA)
def test_the_seed_decides_and_it_alone(name):
    again = [QA[name](rng) for rng in [Random(0)] for _ in range(50)]
    assert again == draw(name)[:50] != draw(name, count=50, seed=1)


@pytest.mark.parametrize("name", QA)
def test_length_and_questions_are_as_asked(name):
    for length in ({"qa2": 2, "qa3": 3}.get(name, 1), 7, LONGEST):
        for split in ("train", "eval"):
            for story in draw(name, split, count=5, sentences=length, questions=2):
                assert len(story.sentences) == length and 1 <= len(story.questions) <= 2
    with pytest.raises(ValueError, match="to 20 sentences, not 21"):
        QA[name](Random(0), sentences=21)
    with pytest.raises(ValueError, match="sentences, not 0"):
        QA[name](Random(0), sentences=0)
    with pytest.raises(ValueError, match="one or more questions, not 0"):
        QA[name](Random(0), questions=0)
    with pytest.raises(ValueError, match="train"):
        QA[name](Random(0), split="test")


def test_there_is_no_sixth_task():
    with pytest.raises(ValueError, match="no task 'qa6': choose from qa1"):
        babi.story("qa6", Random(0))


# -- training and evaluation


@pytest.mark.parametrize("name", QA)
def test_words_are_of_the_split(name):
    for split in ("train", "eval"):
        for story in draw(name, split, count=200):
            words = {word for fact in story.statements for slot, word in fact.slots if slot != "direction"}
            assert all(side(word) == split for word in words), f"words of the other split in {story.sentences}"


@pytest.mark.parametrize("name", QA)
def test_further_words_stand_in_for_half_and_change_nothing_else(name):
    further = [f"zz{letter}{other}" for letter in "abcdefghij" for other in "abcdefghij"]
    stories = draw(name, count=200, extra_words=tuple(further))
    words = [word for s in stories for fact in s.statements for slot, word in fact.slots if slot != "direction"]
    assert 0.4 < sum(word.lower() in further for word in words) / len(words) < 0.6
    for story in stories:
        for question in story.questions:
            assert answers(story, question.text) == {question.answer}


@pytest.mark.parametrize("name", QA)
def test_one_further_word_will_do(name):
    stories = draw(name, count=100, extra_words=("zzone",))
    assert any("zzone" in sentence.lower() for story in stories for sentence in story.sentences)


@pytest.mark.parametrize("name", QA)
def test_some_questions_are_of_what_no_fact_is_about(name):
    questions = [(s, q) for s in draw(name, count=500, questions=3, unknown_rate=0.3) for q in s.questions]
    assert 0.2 < sum(q.answer == "unknown" for _, q in questions) / len(questions) < 0.4
    for story, question in questions:
        said = {word for fact in story.statements for _, word in fact.slots}
        strangers = [word for slot, word in question.query.known if slot != "direction" and word not in said]
        assert len(strangers) == (question.answer == "unknown"), f"{' '.join(story.sentences)} {question.text}"
        assert question.answer in said or question.answer == question.kind == "unknown"


def shapes(templates):
    """Templates with all slots alike."""
    return {re.sub(r"{\w+}", "{}", template.replace("{direction}", "north")) for template in templates}


def test_no_evaluation_paraphrase_is_in_training():
    """Neither in these tasks' own, nor in that of the everyday facts, which may be trained on together with them."""
    mine = {"train": set(), "eval": set()}
    for templates in (*SENTENCES.values(), *QUESTIONS.values()):
        for split, seen in mine.items():
            seen |= shapes(paraphrases(templates, split))
    assert not mine["train"] & mine["eval"]
    other = {"train": set(), "eval": set()}
    for family in FAMILIES.values():
        for group in (family.statements, family.questions, family.updates, family.inverse):
            for split, seen in other.items():
                if family.split == "both":
                    seen |= shapes(paraphrases(group, split))
                elif family.split == split:
                    seen |= shapes(group)
    assert not mine["eval"] & other["train"], "trained on with the everyday facts"
    assert not mine["train"] & other["eval"], "would spoil the evaluation of the everyday facts"


# -- the oracle by hand


def act(family, *pairs):
    return Statement(family, pairs, "")


def gave(giver, thing, receiver):
    return act("give", ("giver", giver), ("object", thing), ("receiver", receiver))


ANNA, BEN = ("person", "Anna"), ("person", "Ben")
CUP = ("object", "cup")
TRIP = (
    act("take", CUP, ANNA),
    act("go", ANNA, ("site", "attic")),
    act("go", BEN, ("site", "lobby")),
    act("go", ANNA, ("site", "lobby")),
    act("drop", CUP, ANNA),
    act("go", ANNA, ("site", "porch")),
    act("take", CUP, BEN),
    act("go", BEN, ("site", "study")),
)


@pytest.mark.parametrize(("site", "earlier"), [("lobby", "attic"), ("study", "lobby")])
def test_a_thing_was_where_it_was_carried_and_put_down(site, earlier):
    assert answer(TRIP, Query("before", (CUP, ("site", site)), "earlier")) == earlier


@pytest.mark.parametrize(
    ("site", "why"),
    [("attic", "nobody says where it was first"), ("porch", "it was put down before"), ("cellar", "never there")],
)
def test_there_is_no_before_where_a_thing_never_came_to(site, why):
    with pytest.raises(ValueError, match="0 answers"):
        print(answer(TRIP, Query("before", (CUP, ("site", site)), "earlier")), why)


def test_a_place_visited_twice_has_no_single_before():
    again = (*TRIP, act("go", BEN, ("site", "lobby")))
    with pytest.raises(ValueError, match="0 answers"):
        answer(again, Query("before", (CUP, ("site", "lobby")), "earlier"))


def test_whereabouts_come_from_the_last_move():
    assert answer(TRIP, Query("go", (ANNA,), "site")) == "porch"
    assert answer(TRIP, Query("carried", (CUP,), "site")) == "study"
    with pytest.raises(ValueError, match="0 answers"):
        answer(TRIP, Query("go", (("person", "Carla"),), "site"))


def test_a_gift_is_asked_for_only_if_one_fits():
    gifts = (gave("Anna", "cup", "Ben"), gave("Ben", "cup", "Anna"), gave("Anna", "axe", "Ben"))
    assert answer(gifts, Query("give", (("giver", "Ben"), ("object", "cup")), "receiver")) == "Anna"
    assert answer(gifts, Query("give", (("object", "axe"),), "giver")) == "Anna"
    for known in ((("object", "cup"),), (("giver", "Anna"), ("receiver", "Ben"))):
        with pytest.raises(ValueError, match="2 answers"):
            answer(gifts, Query("give", known, "object" if len(known) == 2 else "giver"))


# -- thoughts


@pytest.mark.parametrize(
    ("query", "by"),
    [
        (Query("carried", (CUP,), "site"), "Ben took"),
        (Query("before", (CUP, ("site", "lobby")), "earlier"), "Anna"),
        (Query("before", (CUP, ("site", "study")), "earlier"), "Ben"),
        (Query("go", (ANNA,), "site"), "Anna went"),
        (Query("give", (("giver", "Anna"), CUP), "receiver"), ""),
    ],
)
def test_a_thought_says_whose_way_to_follow(query, by):
    assert thought(TRIP, query) == by
    assert thought(TRIP[:5], Query("carried", (CUP,), "site")) == "Anna dropped"


def test_a_thought_names_somebody_of_the_story_and_only_where_it_is_about_a_place_one_goes_to():
    asked = [(s, q) for name in QA for s in draw(name, count=200, questions=3, unknown_rate=0.2) for q in s.questions]
    for story, question in asked:
        people = {word for fact in story.statements for slot, word in fact.slots if slot == "person"}
        way = question.query.family in ("go", "carried", "before") and question.answer != "unknown"
        assert bool(question.thought) == way and (not way or question.thought.split()[0] in people)
    assert sum(bool(q.thought) for _, q in asked) > 300


def test_stories_to_practise_on_have_the_questions_of_three_tasks():
    stories = [PRACTICE["routes"](rng, questions=8) for rng in [Random(0)] for _ in range(300)]
    forms = Counter(q.query.family for s in stories for q in s.questions)
    assert set(forms) == {"go", "carried", "before"} and min(forms.values()) > 100
    for story in stories:
        for question in story.questions:
            assert answers(story, question.text) == {question.answer}
    assert set(LEAST) == {*QA, *PRACTICE}


def test_gifts_to_practise_on_name_just_the_thing():
    stories = [PRACTICE["gifts"](rng, questions=3) for rng in [Random(0)] for _ in range(300)]
    asked = Counter((q.query.ask, *(slot for slot, _ in q.query.known)) for s in stories for q in s.questions)
    assert set(asked) == {("giver", "object"), ("receiver", "object")} and min(asked.values()) > 100
    for story in stories:
        for question in story.questions:
            assert answers(story, question.text) == {question.answer}
