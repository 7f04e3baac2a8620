import base64
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny import tiny_model, tiny_text

gr = pytest.importorskip("gradio")

import app  # noqa: E402
from rmt_demo import Reader  # noqa: E402
from rmt_demo.answers import Answer  # noqa: E402
from rmt_demo.ui import inputs, layout  # noqa: E402
from rmt_demo.ui.handlers import Handlers  # noqa: E402
from rmt_demo.ui.live_view import COLUMNS, LiveView  # noqa: E402

TEXT = tiny_text(400)


@pytest.fixture
def handlers(reader):
    return Handlers(reader)


ME, YOU = SimpleNamespace(session_hash="me"), SimpleNamespace(session_hash="you")
FACT = ["The key is in the kitchen.", 0.5]


def start(handlers, who=ME, text=TEXT, facts=(FACT,), length=1000, pins=(), name=inputs.PASTED, upload=None, seed=0):
    return handlers.read(name, text, upload, length, list(facts), seed, "first", list(pins), who)


def read(handlers, *args, **kwargs):
    return list(start(handlers, *args, **kwargs))


def step(norms, tokens=10):
    memory, norms = torch.randn(len(norms), 8), torch.tensor(norms)
    return SimpleNamespace(tokens=["a"] * tokens, memory=memory, update_norm=norms, gate=norms > 0)


# -- reading and asking


def test_reading_ends_with_everything_read_and_the_tail_kept(handlers):
    _, first, *_, last = read(handlers)
    assert first["rows"] == 0 and first["facts"], "the facts are shown before the first segment is read"
    assert "done" in last["line"] and last["head"] == 1
    assert f"{handlers.visit(ME).reader.state.tokens_read:,} of" in last["line"]


def test_frames_keep_their_size_however_long_the_text(handlers):
    short, long = (read(handlers, length=length)[-1] for length in (1000, 5000))
    packed = ("timeline", "writes", "norms", "memory")
    assert {name: len(short[name]) for name in packed} == {name: len(long[name]) for name in packed}


def test_large_frames_come_less_often(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 1e-9)
    segments = len(read(handlers)) - 3
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_ROWS", 1e-12)
    assert segments > 30 and len(read(handlers)) == 3, "the beginning, the first frame and the last"


def test_each_visitor_has_a_memory_of_their_own(handlers, reader):
    read(handlers), read(handlers, YOU, text=tiny_text(400, seed=9))
    mine, yours = handlers.visit(ME).reader, handlers.visit(YOU).reader
    assert not torch.equal(mine.state.memory, yours.state.memory)
    assert reader.state.tokens_read == 0, "a visitor read into the reader that all of them share"
    assert mine.model is yours.model is reader.model, "the model must not be copied per visitor"


def test_reading_again_starts_afresh(handlers):
    read(handlers)
    first = handlers.visit(ME).reader.state.memory
    read(handlers)
    assert torch.equal(handlers.visit(ME).reader.state.memory, first)


def test_stop_ends_the_reading_and_what_was_read_can_be_asked_about(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    frames = start(handlers, length=10_000_000, facts=[])
    next(frames), next(frames), next(frames)
    handlers.stop(ME)
    began = time.perf_counter()
    rest = list(frames)
    assert time.perf_counter() - began < 1, "Stop takes effect at the next segment"
    assert "stopped" in rest[-1]["line"] and len(rest) == 1
    assert handlers.ask("Where is the key?", ME)["value"]
    with pytest.raises(gr.Error, match="paused"):
        list(handlers.resume(ME))


def test_a_paused_reading_goes_on_to_the_same_memory(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    read(handlers, YOU)
    frames = start(handlers)
    for _ in range(5):
        next(frames)
    handlers.pause(ME)
    assert "paused" in list(frames)[-1]["line"]
    assert handlers.visit(ME).reader.state.tokens_read < handlers.visit(YOU).reader.state.tokens_read
    assert "done" in list(handlers.resume(ME))[-1]["line"]
    mine, yours = (handlers.visit(who) for who in (ME, YOU))
    assert torch.equal(mine.reader.state.memory, yours.reader.state.memory), "was a segment lost or read twice?"
    assert len(mine.trace) == len(yours.trace)


def read_in_a_thread(visit, frames, hold):
    """The thread of a reading that holds in every segment, when it has come to the first one."""
    inside = threading.Event()

    def slowly(steps):
        for step in steps:
            inside.set()
            hold()
            yield step

    visit.steps = slowly(visit.steps)
    thread = threading.Thread(target=list, args=(frames,))
    thread.start()
    inside.wait()
    return thread


def test_resume_takes_over_while_the_paused_loop_is_still_in_its_segment(handlers):
    """Nobody waits for a segment's end between two clicks."""
    read(handlers, YOU)
    frames, visit = start(handlers), handlers.visit(ME)
    next(frames), next(frames)
    old = read_in_a_thread(visit, frames, lambda: time.sleep(0.1))
    handlers.pause(ME)
    assert "done" in list(handlers.resume(ME))[-1]["line"]
    old.join()
    assert visit.finished and visit.view.paused, "the clock stands once all is read"
    assert len(visit.trace) == len(handlers.visit(YOU).trace), "was a segment lost or read twice?"
    assert torch.equal(visit.reader.state.memory, handlers.visit(YOU).reader.state.memory)


def test_a_reading_anew_gets_no_segment_of_the_old_one(handlers):
    read(handlers, YOU)
    frames = start(handlers, length=10_000_000, text=tiny_text(400, seed=9))
    visit, go_on = handlers.visit(ME), threading.Event()
    next(frames), next(frames)
    old = read_in_a_thread(visit, frames, go_on.wait)
    threading.Timer(0.2, go_on.set).start()
    read(handlers)
    old.join()
    assert torch.equal(visit.trace.token_ids, handlers.visit(YOU).trace.token_ids)


@pytest.mark.parametrize("halt", [Handlers.stop, Handlers.pause])
def test_stop_and_pause_call_off_a_reading_whose_turn_has_not_come(handlers, halt):
    read(handlers)
    before = handlers.visit(ME).trace
    handlers.make_way(ME)
    halt(handlers, ME)
    [frame] = start(handlers)
    assert frame == {"line": "Stopped before the reading began."} and handlers.visit(ME).trace is before
    handlers.make_way(ME)
    assert "done" in read(handlers)[-1]["line"], "the next one is read"


def test_whoever_presses_read_sees_that_their_turn_may_have_to_come(reader):
    make_way = next(fn.fn for fn in layout.build(reader, "tiny").fns.values() if fn.name == "make_way")
    for _ in range(2):
        cleared = make_way(ME)
        assert {"line": "Waiting in the queue …"} in cleared
        assert [update.pop("value") for update in cleared if update and "label" in update] == [None, None], "used up"


def test_stop_says_so_of_a_paused_reading(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    frames = start(handlers)
    next(frames), next(frames), next(frames)
    handlers.pause(ME)
    list(frames)
    assert "stopped after" in handlers.stop(ME)["line"]
    for nothing_read in (YOU, ME):
        handlers.pause(nothing_read)
        assert "line" not in (handlers.stop(nothing_read) or {}), "nothing was being read"
        read(handlers)


def test_a_set_up_that_cannot_be_read_leaves_what_was_read_before_at_rest(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    frames = start(handlers, length=10_000_000)
    next(frames), next(frames), next(frames)
    with pytest.raises(gr.Error):
        read(handlers, length=-5)
    handlers.visit(ME).check_rest()
    assert handlers.ask("Where is the key?", ME)["value"]


def test_reading_anew_ends_a_reading_that_is_still_going_on(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    old = start(handlers, length=10_000_000)
    next(old), next(old), next(old)
    read(handlers)
    memory = handlers.visit(ME).reader.state.memory
    assert not list(old), "the old reading must not paint over the new one"
    assert torch.equal(handlers.visit(ME).reader.state.memory, memory)


def test_whoever_leaves_is_forgotten(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    frames = start(handlers, length=10_000_000)
    next(frames), next(frames), next(frames)
    handlers.leave(ME)
    assert not list(frames) and len(handlers.visits) == 0


def test_asking_leaves_the_memory_alone_and_shows_the_best_five(handlers):
    read(handlers)
    before = handlers.visit(ME).reader.state
    update = handlers.ask("Where is the key?", ME)
    assert len(update["value"]) == 5 and all(0 <= p <= 1 for p in update["value"].values())
    after = handlers.visit(ME).reader.state
    assert torch.equal(before.memory, after.memory) and before.tail == after.tail
    assert update["label"] == f"“Where is the key?” after {after.tokens_read:,} tokens"
    assert len(handlers.ask("Where is the " + "bathroom " * 12, ME)["label"]) < 100


def test_candidates_that_would_be_told_as_0_percent_are_left_out(handlers):
    read(handlers)
    for scores, shown in (([0.9, 0.006, 0.004], 2), ([0.004, 0.003, 0.002], 3)):
        candidates = [(str(number), score) for number, score in enumerate(scores)]
        sure = SimpleNamespace(state=handlers.visit(ME).reader.state, ask=lambda _, c=candidates: Answer("0", 0.9, c))
        assert len(handlers.answer(handlers.visit(ME), sure, "Who?")["value"]) == shown


def test_a_fact_of_ones_own_joins_the_table(handlers):
    rows, box = handlers.add_fact([["", None]], "Anna keeps the lamp in the attic.", 0.4)
    assert rows == [["Anna keeps the lamp in the attic.", 0.4]] and box == ""
    with pytest.raises(gr.Error, match="sentence"):
        handlers.add_fact(rows, " ", 0.4)


# -- bad input: one sentence each


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"text": ""}, "no sentence"),
        ({"text": "word. " * 200_000}, "characters"),
        ({"length": 1e300}, "10,000,000 tokens"),
        ({"length": -5}, "one segment"),
        ({"length": None}, "whole number"),
        ({"seed": 12345678901234567890}, "Choose a seed from 0 to 4,294,967,295"),
        ({"facts": [["The key is in the kitchen.", 1.5]]}, "position"),
        ({"facts": [["The key is in the kitchen.", ""]]}, "position"),
        ({"facts": [["The key is in the kitchen.", "nan"]]}, "position"),
        ({"facts": [["The key is in the kitchen. " * 30, 0.5]]}, "fit into a segment"),
        ({"facts": ["The key"]}, "pair"),
        ({"facts": [["The key.", 0.5]] * 101}, "101 facts"),
        ({"pins": ["a?", "b?", "c?", "d?"]}, "3 questions"),
        ({"pins": ["Where is the key? " * 100]}, "shorter"),
    ],
)
def test_bad_input_is_said_in_one_sentence(handlers, arguments, sentence):
    with pytest.raises(gr.Error, match=sentence) as error:
        read(handlers, **arguments)
    assert "\n" not in error.value.message


def test_a_text_in_a_script_that_the_model_has_no_words_for_is_read_with_a_warning(handlers, monkeypatch):
    said = []
    monkeypatch.setattr(gr, "Warning", said.append)
    read(handlers), read(handlers, name="kjv")
    assert not said
    read(handlers, text="ใน ปฐมกาล พระเจ้า ทรง เนรมิต ฟ้า และ แผ่นดิน. where was the king. " * 20)
    assert len(said) == 1 and "vocabulary is English" in said[0]


def test_bad_input_leaves_what_was_read(handlers):
    read(handlers)
    frames = start(handlers, length=7)
    assert [list(next(frames)) for _ in range(2)] == [["line"], ["line"]], "a notice changes the line alone"
    with pytest.raises(gr.Error):
        next(frames)
    assert handlers.ask("Where is the key?", ME)["value"]


@pytest.mark.parametrize("content, sentence", [(b"", "empty"), (b"\xff\xfe\x00", "UTF-8"), (b"a b c\0. d", "binary")])
def test_a_bad_upload_is_named_as_the_visitor_knows_it(handlers, tmp_path, content, sentence):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(gr.Error, match=f"mine.txt.*{sentence}") as error:
        read(handlers, name=inputs.UPLOADED, upload=str(path))
    assert str(tmp_path) not in error.value.message, "a path of the server is nobody's business"


def test_no_upload_no_text_no_question_nothing_read(handlers):
    with pytest.raises(gr.Error, match="Choose a text file"):
        read(handlers, name=inputs.UPLOADED)
    with pytest.raises(gr.Error, match="no text"):
        read(handlers, name="/etc/passwd")
    with pytest.raises(gr.Error, match="press Read"):
        handlers.ask("Where is the key?", ME)
    read(handlers)
    for question in ("", None, "  "):
        with pytest.raises(gr.Error, match="empty"):
            handlers.ask(question, ME)
    with pytest.raises(gr.Error, match="shorter"):
        handlers.ask("Where is the key? " * 100, ME)


def test_a_message_quotes_what_was_typed_as_text(handlers):
    with pytest.raises(gr.Error) as error:
        read(handlers, facts=[["<img src=x onerror=alert(1)>", 7]])
    assert "<img" not in error.value.message and "&lt;img" in error.value.message


def test_empty_rows_are_no_facts_and_a_sentence_gets_its_end():
    facts = inputs.parse_facts([["", None], [None, ""], ["The key is red", "0.5"]])
    assert [(fact.text, fact.position) for fact in facts] == [("The key is red.", 0.5)]


# -- the picture


def test_the_timeline_shows_each_change_where_it_happened(reader):
    view = LiveView(100, [50], reader.config)
    for number in range(10):
        view.add(step([0.0, 4.0 if number == 5 else 0.0]))
    frame = view.frame()
    rows = torch.frombuffer(bytearray(base64.b64decode(frame["timeline"])), dtype=torch.uint8).view(2, COLUMNS)
    assert frame["facts"] == [0.5] and not rows[0].any()
    changed = rows[1].nonzero().flatten() / COLUMNS
    assert changed.min() == 0.5 and changed.max() < 0.6, "the write must stand under the fact's marker"
    assert rows[1].max() == 255, "the largest change has the brightest colour"


def test_stored_tokens_come_into_the_picture_as_they_are_filled(reader):
    view, memory = LiveView(100, [], reader.config), torch.zeros(2 + 40, 3)
    for stored, rows in ((0, 2 + 16), (16, 2 + 16), (17, 2 + 32), (0, 2 + 32), (40, 2 + 40)):
        memory[2:] = 0
        memory[2 : 2 + stored] = 1
        view.add(SimpleNamespace(memory=memory, update_norm=torch.ones(42), gate=torch.ones(2), tokens=["a"]))
        frame = view.frame()
        assert (frame["rows"], frame["working"]) == (rows, 2)
        assert len(base64.b64decode(frame["memory"])) == 3 * rows and len(base64.b64decode(frame["norms"])) == rows


def test_the_line_tells_what_is_left(reader):
    times = iter([0.0, 2.0])
    view = LiveView(100, [], reader.config, clock=lambda: next(times))
    view.add(step([1.0], tokens=20))
    assert view.frame()["line"] == "20 of 100 tokens · 1 segment · 10 tokens/s · 2.0 s so far · 8.0 s left"


def test_no_script_makes_html_of_words():
    for script in Path(layout.__file__).parent.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(", script.read_text()), script.name


def test_every_view_is_a_fixed_page(reader):
    pages = [block for block in layout.build(reader, "tiny").blocks.values() if isinstance(block, gr.HTML)]
    assert len(pages) >= 5
    for block in pages:
        for template in (block.html_template, block.css_template):
            assert "${" not in template and "{{" not in template, f"{block.elem_id}: gr.HTML would evaluate it"


def test_the_meter_compares_the_whole_text_with_one_segment(reader):
    view = LiveView(1_000_000, [], reader.config)
    own, full = view.frame()["meter"]["shares"]
    assert 0 < own <= 1 and "any length" in view.frame()["meter"]["own"]
    view.add(step([1.0], tokens=900_000))
    after = view.frame()["meter"]
    assert after["shares"][0] == own and after["shares"][1] > full, "one stays flat, the other grows with the text"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "words, ground",
    [
        ("block_label_text_color", "block_label_background_fill"),
        ("block_title_text_color", "block_title_background_fill"),
        ("block_info_text_color", "block_background_fill"),
        ("body_text_color_subdued", "body_background_fill"),
        ("input_placeholder_color", "input_background_fill"),
        ("link_text_color", "block_background_fill"),
        ("button_primary_text_color", "button_primary_background_fill"),
        ("button_primary_text_color", "button_primary_background_fill_hover"),
    ],
)
def test_words_stand_out_from_their_ground(words, ground, dark):
    def light(name: str) -> float:
        value = (dark and getattr(theme, f"{name}_dark", None)) or getattr(theme, name)
        if value.startswith("*"):
            return light(value[1:])
        shares = [int({"white": "#ffffff"}.get(value, value)[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [share / 12.92 if share <= 0.04 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    theme = layout.theme()
    low, high = sorted((light(words), light(ground)))
    assert high / low >= 4.5, f"{words} on {ground}: {high / low:.1f} to 1"


def test_the_title_tells_what_the_checkpoint_is(backbone, tokenizer):
    model = tiny_model(backbone, num_memory_tokens=16, segment_length=48)
    text = next(
        b.value for b in layout.build(Reader(model, tokenizer), "tiny").blocks.values() if isinstance(b, gr.Markdown)
    )
    for words in ("2-layer", "48 tokens at a time", "16 memory tokens"):
        assert words in " ".join(text.split())


@pytest.mark.parametrize("head, told", [("classification", True), ("masked_lm", False)])
def test_the_page_says_where_a_checkpoint_knows_six_places_only(backbone, tokenizer, head, told):
    blocks = layout.build(Reader(tiny_model(backbone, head), tokenizer), "tiny").blocks.values()
    text = next(block.value for block in blocks if isinstance(block, gr.Markdown))
    assert ("one of six places, bathroom" in text) == told


# -- the server


def test_the_page_is_served_and_answers_over_the_network(reader):
    from gradio_client import Client

    page = layout.build(reader, "tiny")
    _, url, _ = layout.launch(page, "127.0.0.1", None, prevent_thread_lock=True, quiet=True)
    try:
        client = Client(url, verbose=False)
        facts, questions = [["The key is in the kitchen.", 0.3]], ["Where is the key?", "Where is Daniel?"]
        answers = client.predict(TEXT, facts, questions, 1000, api_name="/read_and_ask")
        assert [answer["question"] for answer in answers] == questions
        assert all(answer["answer"] == answer["candidates"][0][0] for answer in answers)
        with pytest.raises(Exception, match="position"):
            client.predict(TEXT, [["The key.", 2]], questions, 1000, api_name="/read_and_ask")
        assert not {name for name in client.view_api(return_format="dict")["named_endpoints"]} - {"/read_and_ask"}
    finally:
        page.close()


def test_a_missing_checkpoint_ends_the_app_with_one_line(tmp_path, capsys):
    assert app.main(["--checkpoint", str(tmp_path / "nowhere")]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and "nowhere" in error[0]


def test_a_missing_package_for_mcp_is_named(reader, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install"):
        layout.launch(layout.build(reader, "tiny"), "127.0.0.1", None, mcp=True)


def test_help_does_not_wait_for_torch():
    path = Path(app.__file__)
    code = (
        f"import sys; sys.argv = ['app.py', '--help']; import runpy\n"
        f"try: runpy.run_path({str(path)!r}, run_name='__main__')\n"
        "except SystemExit: assert not {'torch', 'gradio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
