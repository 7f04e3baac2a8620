"""What stands behind the page's panels: presets, links, beliefs, time travel, surgery, race, the zip."""

import json
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

import pytest
import torch
from tiny import tiny_model, tiny_text

gr = pytest.importorskip("gradio")

from starlette.datastructures import QueryParams  # noqa: E402

from rmt_demo import Reader, Trace, backbones  # noqa: E402
from rmt_demo.answers import Answer  # noqa: E402
from rmt_demo.questions import PLACES  # noqa: E402
from rmt_demo.replay import Erase, rerun  # noqa: E402
from rmt_demo.ui import inputs, layout, links, presets, takehome, words  # noqa: E402
from rmt_demo.ui.beliefs import CHANGED, FORGOT, LEARNED, MISSED, Beliefs  # noqa: E402
from rmt_demo.ui.explore import Explore, _line  # noqa: E402
from rmt_demo.ui.handlers import Handlers  # noqa: E402

ME = SimpleNamespace(session_hash="me")
QUESTION = "where is daniel?"


@pytest.fixture(scope="module")
def reader(backbone, tokenizer):
    config = {"memory_update": "gated", "text_attends_memory": False, "spread_memory": True, "num_stored_tokens": 3}
    return Reader(tiny_model(backbone, **config), tokenizer)


@pytest.fixture(scope="module")
def explore(reader):
    """Of a visitor who has read a text with one fact in it."""
    handlers = Handlers(reader)
    facts = [["daniel went to the garden.", 0.5]]
    list(handlers.read(inputs.PASTED, tiny_text(400), None, 600, facts, 0, "first", [QUESTION], ME))
    return Explore(handlers)


# -- presets


@pytest.mark.parametrize("name", [name for _, name in presets.PRESETS])
def test_a_preset_knows_its_answers_and_when_they_hold(name):
    for seed in range(5):
        preset = presets.draw(name, seed)
        inputs.parse_facts(preset.rows)
        first = next(iter(preset.queries))
        answers = [preset.answer(first, read) for read in range(len(preset.statements) + 1)]
        assert answers[0] == "unknown", "nobody knows before the first fact"
        assert (answers[-1] == "unknown") == (name == "unknown")
        assert preset.answer("Who?", 1) is None
        assert presets.draw(name, seed) == preset, "the same seed draws the same"


def test_an_override_changes_the_right_answer_on_the_way():
    preset = presets.draw("override", 3)
    first = next(iter(preset.queries))
    told = {preset.answer(first, read) for read in range(len(preset.statements) + 1)}
    assert len(told - {"unknown"}) == 2


def test_a_question_typed_in_a_hurry_is_the_same_question():
    preset = presets.draw("first", 0)
    assert {preset.answer(asked, 2) for asked in ("Where is Daniel?", " where is  daniel", "WHERE IS DANIEL ?")} == {
        "garden"
    }


def test_memorize_starts_with_its_fact():
    assert presets.draw("memorize", 0).positions == (0.0,)


def test_no_preset_knows_what_a_text_of_ones_own_says(reader):
    rows, known = presets.draw("first", 0).rows, []
    for source in ("kjv", inputs.PASTED):
        handlers = Handlers(reader)
        next(frames := handlers.read(source, "olga went to the kitchen.", None, 300, rows, 0, "first", [], ME))
        list(frames)
        known.append(handlers.visit(ME).truth("Where is Olga?", 300))
    assert known == ["unknown", None]


def test_the_page_opens_on_what_the_checkpoint_can_answer(backbone, tokenizer):
    places = Reader(tiny_model(backbone, "classification"), tokenizer)
    page = layout.build(places, "tiny")
    opened = next(b for b in page.blocks.values() if isinstance(b, gr.Dropdown) and b.label == "Preset").value
    assert links.restore(places, [("seed", "0")]).preset == opened
    assert Handlers(places).visit(ME).drawn == presets.draw(opened, 0).rows
    preset = presets.draw(opened, 0)
    assert all(preset.answer(question, 9) in PLACES for question in preset.queries)


def test_edited_facts_are_no_preset_any_more():
    rows = presets.draw("several", 4).rows
    assert presets.matching("several", 4, rows)
    assert presets.matching("several", 4, [*rows, ["", None]]), "an empty row is no fact"
    assert presets.matching("several", 4, rows[:-1]) is None
    assert presets.matching("several", 4, [[text, 1 - at] for text, at in rows]) is None, "the order counts"
    assert presets.matching("nothing", 4, rows) is None


# -- links


def test_a_link_restores_the_whole_set_up(reader):
    facts = [["the key & the lamp = é 'quoted'.", 0.25], ["daniel went home.", 1.0]]
    for setup in (
        links.SetUp("detect", "pydoc", 5000, 7, facts, ["where is daniel?", "who?"]),
        links.SetUp("detect", "pydoc", 5000, inputs.LARGEST_SEED, [], []),
    ):
        query = links.query(reader, setup)
        assert links.restore(reader, parse_qsl(query, keep_blank_values=True)) == setup


def test_what_a_link_leaves_out_is_as_the_preset_has_it(reader):
    setup, preset = links.restore(reader, [("seed", "3"), ("preset", "reasoning")]), presets.draw("reasoning", 3)
    assert (setup.facts, setup.pins) == (preset.rows, list(preset.queries)[: inputs.MOST_PINS])


def test_facts_that_came_by_a_link_are_ones_own(reader):
    handlers, facts = Handlers(reader), [["the key is here.", 0.25]]
    query = QueryParams(links.query(reader, links.SetUp("detect", "kjv", 5000, 7, facts, [])))
    restored = handlers.restore(SimpleNamespace(session_hash="me", query_params=query))
    assert restored[4] == facts
    assert all("value" not in update for update in handlers.redraw("detect", 8, facts, ME)), "another seed took them"
    preset = presets.draw("detect", 7).rows
    assert handlers.redraw("detect", 8, preset, ME)[0] == presets.draw("detect", 8).rows


def test_a_page_without_a_link_is_left_alone(reader):
    assert links.restore(reader, [("__theme", "dark"), ("view", "api")]) is None


@pytest.mark.parametrize(
    "query, sentence",
    [
        ("length=-1", "one segment"),
        ("length=many", "whole number"),
        ("text=/etc/passwd", "no text"),
        ("text=pasted", "no text"),
        ("preset=<b>", "no preset"),
        ("fact=a b c", "damaged"),
        ("fact=a&at=2", "position"),
        ("seed=x", "seed"),
        ("seed=-1", "Choose a seed from 0"),
        ("seed=12345678901234567890", "Choose a seed from 0 to 4,294,967,295"),
        ("follow=a&follow=b&follow=c&follow=d", "3 questions"),
    ],
)
def test_a_link_is_checked_like_everything_typed(reader, query, sentence):
    with pytest.raises(ValueError, match=sentence):
        links.restore(reader, parse_qsl(query))


def test_a_text_of_ones_own_fits_into_no_link(reader):
    with pytest.raises(ValueError, match="your own text"):
        links.query(reader, links.SetUp("first", inputs.PASTED, 5000, 0, [], []))


# -- beliefs


def scripted(answers):
    """A reader that gives these answers, one after the other, and counts how often it was asked."""
    said = SimpleNamespace(asked=0, state=SimpleNamespace(tokens_read=0, segments_read=0, tail=()))

    def ask_many(questions):
        said.asked += 1
        return [Answer(answers[said.state.segments_read - 1], 0.5, []) for _ in questions]

    said.ask_many = ask_many
    return said


def follow(answers, truths, changes, segments=1):
    reader = scripted(answers)
    beliefs = Beliefs(["q"], segments, lambda question, tokens: truths[tokens - 1])
    for number, change in enumerate(changes, 1):
        reader.state = SimpleNamespace(tokens_read=number, segments_read=number, tail=())
        beliefs.after(SimpleNamespace(update_norm=torch.tensor([float(change)])), reader)
    return beliefs, reader


def test_learning_and_forgetting_are_noted_where_they_happen():
    answers = ["unknown", "garden", "garden", "office", "garden"]
    beliefs, _ = follow(answers, ["unknown", "garden", "garden", "garden", "garden"], [1] * 5)
    assert [(e["segment"], e["kind"]) for e in beliefs.questions["q"].events] == [
        (0, CHANGED),
        (1, LEARNED),
        (3, FORGOT),
        (4, LEARNED),
    ]


def test_a_kept_answer_that_is_right_no_more_has_missed_what_the_facts_say():
    for changes in ([1] * 3, [1, 0, 0]):  # asked again or not
        beliefs, _ = follow(["garden"] * 3, ["garden", "kitchen", "kitchen"], changes)
        events = [(e["segment"], e["kind"], e["text"]) for e in beliefs.questions["q"].events]
        assert events == [(0, LEARNED, "garden"), (1, MISSED, "kitchen")]


def test_what_was_never_known_is_not_forgotten():
    """Before the fact came, "unknown" was right."""
    beliefs, _ = follow(["unknown", "fire"], ["unknown", "fire station"], [1] * 2)
    assert [e["kind"] for e in beliefs.questions["q"].events] == [CHANGED, CHANGED]


def test_without_a_known_truth_the_first_answer_and_its_changes_are_noted():
    beliefs, _ = follow(["a", "b", "b"], [None] * 3, [1] * 3)
    events = [(e["segment"], e["text"], e["kind"]) for e in beliefs.questions["q"].events]
    assert events == [(0, "a", CHANGED), (1, "b", CHANGED)]


def test_an_unchanged_memory_is_not_asked_again():
    beliefs, reader = follow(["a"] * 6, [None] * 6, [1, 0, 0, 1, 0, 0])
    assert reader.asked == 2, "a shut gate leaves the memory, and so the answers, as they are"


def test_long_texts_are_asked_every_few_segments():
    beliefs, reader = follow(["a"] * 50, [None] * 50, [1] * 50, segments=4000)
    assert reader.asked == 5


def test_questions_that_change_while_they_are_asked_are_asked_next_time():
    """The page may change them in the middle of an answer or of a frame, from another thread."""
    reader = scripted(["a"] * 3)
    beliefs = Beliefs(["q"], 1, lambda question, tokens: None)
    ask_many = reader.ask_many

    def changing(questions):
        beliefs.follow(["other"])
        return ask_many(questions)

    reader.state, reader.ask_many = SimpleNamespace(tokens_read=1, segments_read=1, tail=()), changing
    beliefs.after(SimpleNamespace(update_norm=torch.ones(1)), reader)
    assert list(beliefs.questions) == ["other"] and not beliefs.questions["other"].told
    reader.ask_many = ask_many
    beliefs.after(SimpleNamespace(update_norm=torch.zeros(1)), reader)
    assert [told["text"] for told in beliefs.questions["other"].told] == ["a"]


# -- time travel, surgery, race


def test_time_travel_shows_the_segment_with_its_fact(explore, reader):
    segment = explore.segments(ME)["value"]
    shown = explore.look(segment, 0, 0, 0, ME)
    [(first, end)] = shown["facts"]
    shown_fact = shown["tokens"][max(first, 0) : end]
    assert "daniel" in shown_fact, f"the fact is highlighted wrongly: {shown_fact}"
    assert shown["row"] == -1 and shown["rows"] == reader.config.num_memory_tokens
    assert explore.look(segment, 1, 2, 3, ME)["weights"] != shown["weights"], "a head is not the mean of all"


def test_a_look_during_a_new_reading_is_not_taken_for_one_of_it(reader):
    """Another text is being prepared: the trace is still the old one's."""
    explore = Explore(Handlers(reader))
    list(explore.handlers.read(inputs.PASTED, tiny_text(400), None, 600, [], 0, "first", [], ME))
    frames = explore.handlers.read(inputs.PASTED, tiny_text(400, seed=9), None, 600, [], 0, "first", [], ME)
    next(frames)
    old = explore.look(2, 0, 0, 0, ME)
    list(frames)
    new = explore.look(2, 0, 0, 0, ME)
    assert new["tokens"] != old["tokens"] and new["weights"] != old["weights"]


def test_a_gate_that_opened_a_little_was_open(reader):
    explore = Explore(Handlers(reader))
    list(explore.handlers.read(inputs.PASTED, tiny_text(400), None, 600, [], 0, "first", [], ME))
    visit = explore.handlers.visit(ME)
    visit.trace._gates[1][:] = torch.tensor([0.0, 0.2, 0.6, 1.0])
    assert "for 3 of 4" in explore.look(2, 0, 0, 0, ME)["line"]


def test_time_travel_mentions_the_write_gate_only_if_there_is_one(make_model, tokenizer):
    explore = Explore(Handlers(Reader(make_model(memory_update="replace"), tokenizer)))
    list(explore.handlers.read(inputs.PASTED, tiny_text(400), None, 600, [], 0, "first", [], ME))
    line = explore.look(2, 0, 0, 0, ME)["line"]
    assert "attention" in line and "gate" not in line


@pytest.mark.parametrize("typed, shown", [(9999, "last"), (0, "first"), (None, "first"), (-3, "first")])
def test_the_segment_box_takes_whatever_is_typed(explore, typed, shown):
    heard = [fn for fn in layout.build(explore.base, "tiny").fns.values() if fn.name in ("look", "ask", "operate")]
    boxed = [fn for fn in heard if any(getattr(box, "label", "").startswith("Segment") for box in fn.inputs)]
    assert len(boxed) > 4 and not any(fn.preprocess for fn in boxed), "Gradio refuses it before it is heard"
    title = explore.look(typed, 0, 0, 0, ME)["title"]
    assert title.startswith(f"Segment {1 if shown == 'first' else len(explore.handlers.visit(ME).trace)} of")


def test_the_end_of_a_text_is_told_as_what_it_is(reader):
    explore = Explore(Handlers(reader))
    facts = [["daniel went to the garden.", 1]]
    *_, frame = explore.handlers.read(inputs.PASTED, tiny_text(400), None, 600, facts, 0, "first", [QUESTION], ME)
    visit = explore.handlers.visit(ME)
    assert visit.trace.tail, "this text was to end within a segment"
    ends = [explore.look(at, 0, 0, 0, ME)["title"] for at in (len(visit.trace) - 1, len(visit.trace))]
    total = f"to {visit.text.tokens:,} do not fill a segment"
    assert [total in title for title in ends] == [False, True]
    visit.beliefs.questions[QUESTION].events[:] = []
    visit.beliefs.questions[QUESTION].told[:] = []
    visit.beliefs.ask(visit.reader)
    [event] = visit.view.frame("done", 1, visit.beliefs)["beliefs"][0]["events"]
    assert event["where"] == "at the end" and "segment 1" in {e["where"] for b in frame["beliefs"] for e in b["events"]}


def test_a_text_shorter_than_a_segment_is_told_so(reader):
    explore = Explore(Handlers(reader))
    *_, frame = explore.handlers.read(inputs.PASTED, tiny_text(5), None, 26, [], 0, "first", [QUESTION], ME)
    visit = explore.handlers.visit(ME)
    assert visit.finished and not len(visit.trace)
    assert [e["where"] for e in frame["beliefs"][0]["events"]] == ["at the end"]
    assert "shorter than one segment" in explore.look(1, 0, 0, 0, ME)["title"]
    for act in (lambda: explore.ask(1, QUESTION, ME), lambda: next(explore.operate(1, "erase", "1", 1, QUESTION, ME))):
        with pytest.raises(gr.Error, match="shorter than one segment"):
            act()


def test_asking_from_a_moment_is_asking_a_reader_that_stopped_there(explore, reader):
    visit = explore.handlers.visit(ME)
    fork = reader.fork()
    list(fork.read_segments(visit.trace.segment(i) for i in range(5)))
    then = explore.ask(5, QUESTION, ME)["value"]
    assert then == pytest.approx(dict(fork.ask(QUESTION).candidates), abs=1e-4)


def test_surgery_compares_with_the_untouched_run(explore):
    before = explore.handlers.visit(ME).reader.state.memory
    *_, last = explore.operate(3, "erase", "1-4", 1.0, QUESTION, ME)
    assert [answer["name"] for answer in last["answers"]] == ["Untouched", "After surgery"]
    assert last["before"] != last["after"]
    assert torch.equal(explore.handlers.visit(ME).reader.state.memory, before), "surgery is on a copy"


def test_surgery_draws_what_each_segment_changed_in_all_as_the_timeline_does(explore, reader):
    *_, last = explore.operate(3, "erase", "1-4", 1.0, QUESTION, ME)
    trace = explore.handlers.visit(ME).trace
    before, after = trace.update_norms.sum(-1), torch.full((len(trace),), -1.0)
    after[3:] = torch.stack([step.update_norm.sum() for step in rerun(reader.fork(), trace, 3, [Erase(range(4))])])
    for name, sums in (("before", before), ("after", after)):
        assert last[name] == _line(sums, before), f"{name}: one memory token is not all of the change"


def test_surgery_marks_the_facts_in_their_segments_and_none_that_was_not_read(reader, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    explore = Explore(Handlers(reader))
    facts = [["daniel went to the garden.", 0.1], ["mary went to the office.", 0.9]]
    frames = explore.handlers.read(inputs.PASTED, tiny_text(400), None, 600, facts, 0, "first", [], ME)
    visit = explore.handlers.visit(ME)
    while len(visit.trace) < 8:
        next(frames)
    explore.handlers.pause(ME)
    list(frames)
    *_, last = explore.operate(3, "erase", "1", 1.0, QUESTION, ME)
    [mark] = last["facts"]
    assert "daniel" in explore.look(int(mark * len(visit.trace)) + 1, 0, 0, 0, ME)["tokens"]


def test_memory_tokens_are_typed_as_numbers_and_ranges():
    assert inputs.memory_tokens(" 7, 1-3,2 - 4,", 9) == [0, 1, 2, 3, 6]
    assert inputs.memory_tokens("1-256", 256) == [*range(256)]


@pytest.mark.parametrize(
    "action, tokens, sentence",
    [
        ("erase", "", "Choose memory tokens"),
        ("swap", "1", "choose two"),
        ("erase", "99", "from 1 to 7 .*99"),
        ("erase", "3-1", "not .*3-1"),
        ("erase", "0", "not .*0"),
        ("erase", "1, two", "not .*two"),
        ("erase", "9" * 5000, "not .*999"),
        ("melt", "1", "no operation"),
    ],
)
def test_impossible_surgery_is_said_in_one_sentence(explore, action, tokens, sentence):
    frames = explore.operate(3, action, tokens, 1.0, QUESTION, ME)
    with pytest.raises(gr.Error, match=sentence):
        next(frames)  # before the view has lost what it shows


def test_the_race_says_what_each_one_sees(explore):
    race = explore.race(QUESTION, ME)
    rmt, segment, window = race["lanes"]
    assert rmt["read"] == 1 and segment["read"] == segment["sees"] < window["sees"] < 1


def test_nothing_read_nothing_to_explore(reader):
    nobody = Explore(Handlers(reader))
    for act in (
        lambda: nobody.ask(1, QUESTION, ME),
        lambda: list(nobody.operate(1, "erase", "1", 1.0, QUESTION, ME)),
        lambda: nobody.race(QUESTION, ME),
    ):
        with pytest.raises(gr.Error, match="read.*: press Read first"):
            act()


# -- take it home


def test_the_zip_holds_the_whole_run(explore, tmp_path):
    visit = explore.handlers.visit(ME)
    explore.handlers.ask(QUESTION, ME)
    path = takehome.run_zip(visit, "checkpoints/any")
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == sorted(takehome.FILES)
        assert json.loads(archive.read("settings.json"))["facts"] == [["daniel went to the garden.", 0.5]]
        assert json.loads(archive.read("answers.json"))[-1]["question"] == QUESTION
    trace = Trace.load(path)
    assert len(trace) == len(visit.trace) and trace.beliefs[QUESTION][0].keys() == {"segment", "text", "score"}
    assert trace.model == backbones.checksum(visit.reader.model), "another checkpoint could go on from it unnoticed"


def test_the_snippet_is_python_whatever_the_visitor_typed(reader):
    handlers = Handlers(reader)
    nasty = 'a "b" \\ \'\'\' {x}\n"""; import os'
    list(handlers.read("kjv", "", None, 600, [[nasty, 0.5]], 0, "first", ['where is the "key"?'], ME))
    code = takehome.snippet(handlers.visit(ME), "checkpoints/any")
    compile(code, "snippet", "exec")
    assert "import os" not in [line.strip() for line in code.splitlines()]
    assert "The page had read" not in code


def test_the_snippet_of_a_stopped_reading_says_so(reader, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    handlers = Handlers(reader)
    frames = handlers.read(inputs.PASTED, tiny_text(400), None, 600, [], 0, "first", [], ME)
    for _ in range(4):
        next(frames)
    handlers.stop(ME)
    list(frames)
    code, visit = takehome.snippet(handlers.visit(ME), "checkpoints/any"), handlers.visit(ME)
    assert f"# The page had read {visit.reader.state.tokens_read:,} of {visit.text.tokens:,} tokens" in code
    compile(code, "snippet", "exec")


def test_the_labs_named_on_the_page_exist():
    labs = Path(__file__).parent.parent / "labs"
    if not labs.exists():
        pytest.skip("there are no labs yet")
    named = set(re.findall(r"labs/(\w+\.ipynb)", " ".join(v for v in vars(words).values() if isinstance(v, str))))
    assert named and not {name for name in named if not (labs / name).exists()}
    assert len(words.TOUR) <= 5
