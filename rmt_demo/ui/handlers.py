"""What happens when a visitor does something. Plain functions on a shared `Reader`; the page is in `layout.py`."""

import html
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gradio as gr

from ..data.facts import StoryGenerator
from ..reader import Reader
from . import inputs
from .live_view import LiveView

FRAME_SECONDS = 0.1
MOST_QUESTIONS = 100

# Two facts to start with, and what to ask about them; one question has no answer in the text.
FACTS = [
    ["Daniel went to the garden.", 0.2],
    ["Maria works as a nurse.", 0.7],
]
QUESTIONS = [
    "Where is Daniel?",
    "What is the job of Maria?",
    "Where does Olga keep the lantern?",
]


@dataclass(eq=False)
class Session:
    """What one visitor has: a reader of their own (the model is shared) and whether they pressed Stop."""

    reader: Reader
    stop: bool = False


@contextmanager
def one_sentence():
    """Shows a ValueError to the visitor, as text."""
    try:
        yield
    except ValueError as error:
        # Gradio renders the message as HTML, and it may quote what the visitor typed.
        message = html.escape(str(error), quote=False)
        raise gr.Error(message, print_exception=False) from error


class Handlers:
    """The page's functions.

    Args:
        reader: the one whose model all visitors share. It never reads anything itself.
    """

    def __init__(self, reader: Reader):
        self.base = reader

    def read(self, session, name, pasted, upload, length, facts, seed) -> Iterator[tuple[Session, dict]]:
        """Read a haystack from its beginning; yields the session and a frame of the live view, ten times a second."""
        session = session or Session(self.base.fork())
        session.stop = False  # from here on Stop counts, also while the text is being prepared
        yield session, {"line": "Preparing the text …"}  # a frame's other parts stay as they are
        with one_sentence():
            try:
                text = inputs.haystack(self.base, name, pasted, upload, facts, length, seed)
            except ValueError as error:
                yield session, {"line": str(error)}
                raise
            reader = session.reader
            reader.reset()
            view = LiveView(text.tokens, [offset for _, offset in text.placements])
            yield session, view.frame()
            shown = time.perf_counter()
            for step in reader.read(text):
                view.add(step)
                if session.stop:
                    break
                if time.perf_counter() - shown >= FRAME_SECONDS:
                    yield session, view.frame()
                    shown = time.perf_counter()
            yield session, view.frame("stopped" if session.stop else "done", len(reader.tail))

    def stop(self, session: Session | None) -> None:
        """Ask the reading to end after the segment it is at."""
        if session:
            session.stop = True

    def ask(self, session: Session | None, question: str):
        """Answer from the memory as it is now; the reading is not disturbed. Returns an update of a gr.Label."""
        with one_sentence():
            fork = session and session.reader.fork()  # stays as it is while another thread reads on
            if not fork or not fork.state.tokens_read:
                raise ValueError("Nothing has been read yet: press Read first.")
            answer = fork.ask(question or "")
            return gr.update(value=dict(answer.candidates), label=f"After {fork.state.tokens_read:,} tokens")

    def draw(self) -> tuple[list[list], dict, str]:
        """New facts, in words the model was not trained on, and questions about them: for table, examples, box."""
        story = StoryGenerator(split="eval", seed=random.randrange(10**9)).story(3, 3, unknown_rate=0, families="train")
        places = sorted(round(random.uniform(0.05, 0.9), 2) for _ in story.sentences)
        rows = [list(pair) for pair in zip(story.sentences, places, strict=True)]
        questions = [question.text for question in story.questions]
        return rows, gr.update(samples=[[question] for question in questions]), questions[0]

    def read_and_ask(
        self, text: str, facts: list, questions: list[str], length: int = 20_000
    ) -> list[dict[str, object]]:
        """Hide facts in a text, read it from beginning to end and answer questions about it.

        Args:
            text: the background, repeated up to `length`; "" for the packaged King James Bible.
            facts: pairs [sentence, position from 0 to 1].
            questions: what to ask in the end.
            length: tokens to read.

        Returns:
            One {"question", "answer", "score", "candidates"} for each question.
        """
        with one_sentence():
            if not questions or not all(isinstance(q, str) and q.strip() for q in questions):
                raise ValueError("Ask at least one question, and none that is empty.")
            if len(questions) > MOST_QUESTIONS:
                raise ValueError(f"There are {len(questions)} questions, {MOST_QUESTIONS} is the most: ask fewer.")
            name = inputs.PASTED if text else "kjv"
            haystack = inputs.haystack(self.base, name, text, None, facts, length, 0)
            reader = self.base.fork()
            for _ in reader.read(haystack):
                pass
            answers = reader.ask_many(questions)
        return [
            {"question": q, "answer": a.text, "score": a.score, "candidates": [list(c) for c in a.candidates]}
            for q, a in zip(questions, answers, strict=True)
        ]
