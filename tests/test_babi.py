"""bAbI's tasks, checked from outside: stories are read back from their text alone and answered a second time."""

import re
from collections import Counter
from functools import cache
from itertools import groupby
from random import Random

import pytest

from rmt_demo.data.babi import LONGEST, QA, QUESTIONS, SENTENCES, answer
from rmt_demo.data.families import FAMILIES, paraphrases
from rmt_demo.data.words import pool, side
from rmt_demo.data.world import Query, Statement

WAY = "(north|south|east|west)"
COMPASS = {"north": (0, 1), "south": (0, -1), "east": (1, 0), "west": (-1, 0)}
ACTS = {
    "go": r"(\w+) (?:went|moved|travelled|journeyed|wandered) to the (.+)\.",
    "take": r"(\w+) (?:picked up|took|grabbed|collected) the (.+)\.",
    "drop": r"(\w+) (?:dropped|put down|discarded|set down) the (.+)\.",
    "give": r"(\w+) (?:gave|handed|passed|presented) the (.+) to (\w+)\.",
    "lies": rf"The (.+?) (?:is|can be found)(?: to the)? {WAY} of the (.+)\.",
}
# What is asked for (0 the giver, 1 the thing, 2 the receiver), and how: g, o and r are what is known of the three.
GIFTS = (
    (0, r"Who (?:gave|handed) the (?P<o>.+) to (?P<r>\w+)\?"),
    (0, r"From whom did (?P<r>\w+) get the (?P<o>.+)\?"),
    (0, r"(?:Who gave|By whom was) the (?P<o>.+?)(?: away| given away)?\?"),
    (1, r"What did (?P<g>\w+) (?:give|hand) to (?P<r>\w+)\?"),
    (1, r"What did (?P<r>\w+) receive from (?P<g>\w+)\?"),
    (2, r"(?:Who|To whom) did (?P<g>\w+) give the (?P<o>.+?)(?: to)?\?"),
    (2, r"Who received the (?P<o>.+) from (?P<g>\w+)\?"),
    (2, r"(?:Who received|Who was given|To whom was) the (?P<o>.+?)(?: given)?\?"),
)


@cache
def draw(name, split="train", count=1000, seed=0, **kwargs):
    rng = Random(seed)
    return [QA[name](rng, split, **kwargs) for _ in range(count)]


def read(sentences):
    """(kind, words) of each sentence, each of which must fit exactly one kind."""
    for sentence in sentences:
        (act,) = [(kind, m.groups()) for kind, form in ACTS.items() if (m := re.fullmatch(form, sentence))]
        yield act


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
    if acts[0][0] == "lies":
        if match := re.fullmatch(rf"(?:What|Which place) is (?:to the )?{WAY} of the (.+)\?", text):
            return on_a_map(acts, None, match[1], match[2])
        match = re.fullmatch(rf"(?:What|Which place) is the (.+?) (?:to the )?{WAY} of\?", text)
        return on_a_map(acts, match[1], match[2], None)
    frames = films(acts)
    if match := re.fullmatch(r"Where (?:was|had) the (.+?)(?: been)? before (?:it was in )?the (.+)\?", text):
        seen = [site for site, _ in groupby(frame.get(match[1]) for frame in frames) if site]
        return {seen[i - 1] if i else None for i, site in enumerate(seen) if site == match[2]}
    if match := re.fullmatch(r"(?:Where|In which place) is (?:the )?(.+?)(?: now)?\?", text):
        return {frames[-1].get(match[1])}
    asked, match = next((slot, m) for slot, form in GIFTS if (m := re.fullmatch(form, text)))
    known = {"gor".index(letter): word for letter, word in match.groupdict().items()}
    gifts = [words for kind, words in acts if kind == "give"]
    return {words[asked] for words in gifts if all(words[slot] == word for slot, word in known.items())}


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


# -- training and evaluation


@pytest.mark.parametrize("name", QA)
def test_words_are_of_the_split(name):
    for split in ("train", "eval"):
        for story in draw(name, split, count=200):
            words = {word for fact in story.statements for slot, word in fact.slots if slot != "direction"}
            assert all(side(word) == split for word in words), f"words of the other split in {story.sentences}"


def shapes(templates):
    """Templates with all slots alike."""
    return {re.sub(r"{\w+}", "{}", template.replace("{direction}", "north")) for template in templates}


def test_no_evaluation_paraphrase_is_in_training():
    """Neither in these tasks' own, nor in that of the everyday facts, which may be trained on together with them."""
    mine = {"train": set(), "eval": set()}
    for templates in (*SENTENCES.values(), *QUESTIONS.values()):
        for split, seen in mine.items():
            seen |= shapes(paraphrases(tuple(templates.split(" | ")), split))
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
