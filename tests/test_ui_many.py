"""Many visitors at once: nobody sees what another one reads, and whoever leaves makes room."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

gr = pytest.importorskip("gradio")
pytest.importorskip("httpx")

from visitor import Visitor  # noqa: E402

from rmt_demo.ui import inputs, layout  # noqa: E402

WORDS = "train key river lamp red blue mary john sandra orla".split()


@pytest.fixture(scope="module")
def served(reader):
    """The page and its address."""
    page = layout.build(reader, "tiny")
    _, url, _ = layout.launch(page, "127.0.0.1", None, prevent_thread_lock=True, quiet=True)
    yield page, url
    page.close()


def setup(word: str, length: int) -> list:
    """What `read` takes: a text that is about one word."""
    facts = {"headers": ["Fact", "Position"], "data": [[f"the {word} is in the garden.", 0.5]], "metadata": None}
    return [inputs.PASTED, f"the {word} went to the kitchen. " * 30, None, length, facts, 0, "first", []]


def test_ten_visitors_read_and_nobody_sees_another_ones_text(served):
    page, url = served

    def visit(word: str) -> set[str]:
        with Visitor(url, page) as visitor:
            visitor.call("read", setup(word, 200))
            visitor.run("segments", [])  # the slider goes up to the last segment now
            seen = [visitor.call("look", [segment, 0, 0, 0])[0] for segment in (1, 3, 5)]
            return {token for view in seen for token in view["tokens"]} & set(WORDS)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(visit, WORDS)) == [{word} for word in WORDS]


def test_ten_programs_ask_at_once(served):
    from gradio_client import Client

    def ask(word: str) -> str:
        client = Client(served[1], verbose=False, httpx_kwargs={"timeout": 60})
        facts, question = [[f"the {word} is in the garden.", 0.5]], f"where is the {word}?"
        return client.predict(f"the {word} went to the kitchen.", facts, [question], 100, api_name="/read_and_ask")[0][
            "question"
        ]

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, WORDS)) == [f"where is the {word}?" for word in WORDS]


def test_whoever_leaves_makes_room_for_the_next(served):
    page, url = served
    with Visitor(url, page) as first, Visitor(url, page) as waiting:
        with Visitor(url, page) as second:
            for visitor in (first, second):
                visitor.join("read", setup("key", 10_000_000))
            time.sleep(1)  # both read now, and no third visitor can
            waiting.join("read", setup("lamp", 10_000_000))
            messages = waiting.messages()
            places = [message for message in (next(messages), next(messages)) if message["msg"] == "estimation"]
            assert places and places[0]["rank"] == 0, "the visitor is told the place in the queue"
        began = time.perf_counter()  # the second one has closed the tab
        assert any(message["msg"] == "process_generating" for message in messages)
        assert time.perf_counter() - began < 20, "the reading of somebody who has left went on"
