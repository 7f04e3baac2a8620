"""Hostile input gets one clear sentence or a plain answer, and the server goes on answering."""

import pytest
from hostile import CASES, KEY, PLAIN, WHERE

gr = pytest.importorskip("gradio")

from rmt_demo.ui import inputs, layout  # noqa: E402
from rmt_demo.ui.api import Api  # noqa: E402


@pytest.mark.parametrize("arguments, sentence", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_hostile_input_gets_one_sentence(reader, arguments, sentence):
    read_and_ask = Api(reader).read_and_ask
    if not sentence:
        answers = read_and_ask(**arguments)
        assert [answer["question"] for answer in answers] == arguments["questions"]
        return
    with pytest.raises(gr.Error, match=sentence) as error:
        read_and_ask(**arguments)
    message = error.value.message
    assert "\n" not in message and len(message) < 300, f"not one clear sentence: {message!r}"


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("zip.txt", b"PK\x03\x04\x14\x00\x08\x00" + bytes(range(256)) * 20, "UTF-8|binary"),
        ("empty.txt", b"", "empty"),
        ("nul.txt", b"the lord went home\0. " * 40, "binary"),
        ("utf16.txt", "the lord went home. ".encode("utf-16") * 40, "UTF-8|binary"),
        ("line.txt", b"x" * 200_000, "space|sentence"),
        ("<img src=x onerror=alert(1)>.txt", b"", "empty"),
    ],
)
def test_a_hostile_file_gets_one_sentence(reader, tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as error:
        text = inputs.haystack(reader, inputs.UPLOADED, "", str(path), KEY, 200, 0)
        list(reader.fork().read(text))
    assert str(tmp_path) not in str(error.value)


def test_the_server_still_answers_after_all_of_it(reader):
    from gradio_client import Client

    page = layout.build(reader, "tiny")
    _, url, _ = layout.launch(page, "127.0.0.1", None, prevent_thread_lock=True, quiet=True)
    try:
        client = Client(url, verbose=False)
        for _, arguments, sentence in CASES[::5]:
            given = [arguments[key] for key in ("text", "facts", "questions", "length")]
            if sentence:
                with pytest.raises(Exception) as error:
                    client.predict(*given, api_name="/read_and_ask")
                assert "Traceback" not in str(error.value)
            else:
                client.predict(*given, api_name="/read_and_ask")
        assert client.predict(PLAIN, KEY, WHERE, 200, api_name="/read_and_ask")[0]["answer"]
    finally:
        page.close()
