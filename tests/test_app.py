import base64
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny import tiny_model, tiny_text

gr = pytest.importorskip("gradio")

import app  # noqa: E402
from rmt_demo import Reader  # noqa: E402
from rmt_demo.ui import inputs, layout  # noqa: E402
from rmt_demo.ui.handlers import FACTS, QUESTIONS, Handlers  # noqa: E402
from rmt_demo.ui.live_view import COLUMNS, SCRIPT, TEMPLATE, LiveView  # noqa: E402

TEXT = tiny_text(400)


@pytest.fixture(scope="module")
def reader(backbone, tokenizer):
    return Reader(tiny_model(backbone, memory_update="gated", text_attends_memory=False), tokenizer)


@pytest.fixture
def handlers(reader):
    return Handlers(reader)


def read(handlers, session=None, text=TEXT, facts=(["The key is in the kitchen.", 0.5],), length=1000):
    return list(handlers.read(session, inputs.PASTED, text, None, length, list(facts), 0))


def step(norms, tokens=10):
    return SimpleNamespace(tokens=["a"] * tokens, memory=torch.randn(len(norms), 8), update_norm=torch.tensor(norms))


# -- reading and asking


def test_reading_ends_with_everything_read_and_the_tail_kept(handlers):
    _, (session, first), *_, (_, last) = read(handlers)
    assert first["rows"] == 0 and first["facts"], "the facts are shown before the first segment is read"
    assert "done" in last["line"] and last["head"] == 1
    assert f"{session.reader.state.tokens_read:,} of" in last["line"]


def test_frames_keep_their_size_however_long_the_text(handlers):
    short, long = (read(handlers, length=length)[-1][1] for length in (1000, 5000))
    assert {k: len(v) for k, v in short.items() if isinstance(v, str) and k != "line"} == {
        k: len(v) for k, v in long.items() if isinstance(v, str) and k != "line"
    }


def test_each_visitor_has_a_memory_of_their_own(handlers, reader):
    one, two = read(handlers)[-1][0], read(handlers, text=tiny_text(400, seed=9))[-1][0]
    assert not torch.equal(one.reader.state.memory, two.reader.state.memory)
    assert reader.state.tokens_read == 0, "a visitor read into the reader that all of them share"
    assert one.reader.model is two.reader.model is reader.model, "the model must not be copied per visitor"


def test_reading_again_starts_afresh(handlers):
    session = read(handlers)[-1][0]
    first = session.reader.state.memory
    assert torch.equal(read(handlers, session)[-1][0].reader.state.memory, first)


def test_stop_ends_the_reading_and_what_was_read_can_be_asked_about(handlers, monkeypatch):
    monkeypatch.setattr("rmt_demo.ui.handlers.FRAME_SECONDS", 0)
    frames = handlers.read(None, inputs.PASTED, TEXT, None, 10_000_000, [], 0)
    next(frames)
    session, _ = next(frames)
    handlers.stop(session)
    began = time.perf_counter()
    rest = list(frames)
    assert time.perf_counter() - began < 1, "Stop takes effect at the next segment"
    assert "stopped" in rest[-1][1]["line"] and len(rest) == 1
    assert handlers.ask(session, "Where is the key?")["value"]


def test_asking_leaves_the_memory_alone_and_shows_the_best_five(handlers):
    session = read(handlers)[-1][0]
    before = session.reader.state
    update = handlers.ask(session, "Where is the key?")
    assert len(update["value"]) == 5 and all(0 <= p <= 1 for p in update["value"].values())
    after = session.reader.state
    assert torch.equal(before.memory, after.memory) and before.tail == after.tail
    assert f"{after.tokens_read:,}" in update["label"]


def test_drawn_facts_come_with_questions(handlers):
    facts, update, first = handlers.draw()
    assert len(inputs.parse_facts(facts)) == len(facts) >= 3
    assert first == update["samples"][0][0]
    assert all(question.endswith("?") for [question] in update["samples"])


# -- bad input: one sentence each


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"text": ""}, "no sentence"),
        ({"text": "word. " * 200_000}, "characters"),
        ({"length": 1e300}, "from 1,000 to 10,000,000"),
        ({"length": -5}, "from 1,000 to 10,000,000"),
        ({"length": None}, "whole number"),
        ({"facts": [["The key is in the kitchen.", 1.5]]}, "position"),
        ({"facts": [["The key is in the kitchen.", ""]]}, "position"),
        ({"facts": [["The key is in the kitchen.", "nan"]]}, "position"),
        ({"facts": [["The key is in the kitchen. " * 30, 0.5]]}, "fit into a segment"),
        ({"facts": ["The key"]}, "pair"),
        ({"facts": [["The key.", 0.5]] * 101}, "101 facts"),
    ],
)
def test_bad_input_is_said_in_one_sentence(handlers, arguments, sentence):
    with pytest.raises(gr.Error, match=sentence) as error:
        read(handlers, **arguments)
    assert "\n" not in error.value.message


def test_bad_input_leaves_what_was_read(handlers):
    session = read(handlers)[-1][0]
    frames = handlers.read(session, inputs.PASTED, TEXT, None, 7, [], 0)
    assert [list(next(frames)[1]) for _ in range(2)] == [["line"], ["line"]], "a notice changes the line alone"
    with pytest.raises(gr.Error):
        next(frames)
    assert handlers.ask(session, "Where is the key?")["value"]


@pytest.mark.parametrize("content, sentence", [(b"", "empty"), (b"\xff\xfe\x00", "UTF-8"), (b"a b c\0. d", "binary")])
def test_a_bad_upload_is_named_as_the_visitor_knows_it(handlers, tmp_path, content, sentence):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(gr.Error, match=f"mine.txt.*{sentence}") as error:
        list(handlers.read(None, inputs.UPLOADED, "", str(path), 1000, [], 0))
    assert str(tmp_path) not in error.value.message, "a path of the server is nobody's business"


def test_no_upload_no_text_no_question_nothing_read(handlers):
    with pytest.raises(gr.Error, match="Choose a text file"):
        list(handlers.read(None, inputs.UPLOADED, "", None, 1000, [], 0))
    with pytest.raises(gr.Error, match="no text"):
        list(handlers.read(None, "/etc/passwd", "", None, 1000, [], 0))
    with pytest.raises(gr.Error, match="press Read"):
        handlers.ask(None, "Where is the key?")
    session = read(handlers)[-1][0]
    for question in ("", None, "  "):
        with pytest.raises(gr.Error, match="empty"):
            handlers.ask(session, question)
    with pytest.raises(gr.Error, match="shorter"):
        handlers.ask(session, "Where is the key? " * 100)


def test_a_message_quotes_what_was_typed_as_text(handlers):
    with pytest.raises(gr.Error) as error:
        read(handlers, facts=[["<img src=x onerror=alert(1)>", 7]])
    assert "<img" not in error.value.message and "&lt;img" in error.value.message


def test_empty_rows_are_no_facts_and_a_sentence_gets_its_end():
    facts = inputs.parse_facts([["", None], [None, ""], ["The key is red", "0.5"]])
    assert [(fact.text, fact.position) for fact in facts] == [("The key is red.", 0.5)]


# -- the picture


def test_the_timeline_shows_each_change_where_it_happened():
    view = LiveView(total=100, facts=[50])
    for number in range(10):
        view.add(step([0.0, 4.0 if number == 5 else 0.0]))
    frame = view.frame()
    rows = torch.frombuffer(bytearray(base64.b64decode(frame["timeline"])), dtype=torch.uint8).view(2, COLUMNS)
    assert frame["facts"] == [0.5] and not rows[0].any()
    changed = rows[1].nonzero().flatten() / COLUMNS
    assert changed.min() == 0.5 and changed.max() < 0.6, "the write must stand under the fact's marker"
    assert rows[1].max() == 255, "the largest change has the brightest colour"


def test_the_line_tells_what_is_left():
    times = iter([0.0, 2.0])
    view = LiveView(total=100, facts=[], clock=lambda: next(times))
    view.add(step([1.0], tokens=20))
    assert view.frame()["line"] == "20 of 100 tokens · 1 segment · 10 tokens/s · 2.0 s so far · 8.0 s left"


def test_nothing_is_filled_into_the_page():
    assert "${" not in TEMPLATE and "{{" not in TEMPLATE, "gr.HTML would evaluate it"
    assert "innerHTML" not in SCRIPT and "eval(" not in SCRIPT


def test_the_questions_on_the_page_are_about_its_facts():
    facts = [set(sentence.rstrip(".").split()) for sentence, _ in FACTS]
    names = [{w for w in question.rstrip("?").split()[1:] if w[0].isupper()} for question in QUESTIONS]
    for asked, fact in zip(names[: len(facts)], facts, strict=True):
        assert asked and asked <= fact, f"{asked} is not who {fact} is about"
    assert not names[-1] & set.union(*facts), "the last question is about somebody the text does not mention"


def test_the_title_tells_what_the_checkpoint_is(backbone, tokenizer):
    model = tiny_model(backbone, num_memory_tokens=16, segment_length=48)
    text = next(b.value for b in layout.build(Reader(model, tokenizer)).blocks.values() if isinstance(b, gr.Markdown))
    for words in ("2-layer", "48 tokens at a time", "16 memory tokens"):
        assert words in text


# -- the server


def test_the_page_is_served_and_answers_over_the_network(reader):
    from gradio_client import Client

    page = layout.build(reader)
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


def test_help_does_not_wait_for_torch():
    path = Path(app.__file__)
    code = (
        f"import sys; sys.argv = ['app.py', '--help']; import runpy\n"
        f"try: runpy.run_path({str(path)!r}, run_name='__main__')\n"
        "except SystemExit: assert not {'torch', 'gradio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
