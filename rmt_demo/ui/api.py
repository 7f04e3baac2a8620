"""The API for programs and assistants: read and ask in one stateless call."""

from ..reader import Reader
from . import inputs
from .inputs import MOST_QUESTIONS, errors_shown


class Api:
    """The endpoints beside the page.

    Args:
        reader: forked for every call; it never reads anything itself.
    """

    def __init__(self, reader: Reader):
        self.reader = reader

    def read_and_ask(
        self, text: str, facts: list, questions: list[str], length: int = inputs.START
    ) -> list[dict[str, object]]:
        """Hide facts in a text, read all of it and answer questions about it.

        Args:
            text: the background, repeated or cut to `length`; "" for the packaged King James Bible.
            facts: pairs [sentence, position from 0 to 1].
            questions: asked at the end.
            length: number of tokens to read.

        Returns:
            One {"question", "answer", "score", "candidates"} for each question.
        """
        with errors_shown():
            if not isinstance(questions, list) or not all(isinstance(q, str) and q.strip() for q in questions):
                questions = []
            if not questions:
                raise ValueError("Give at least one question, and no empty ones.")
            if len(questions) > MOST_QUESTIONS:
                raise ValueError(
                    f"There are {len(questions)} questions, but at most {MOST_QUESTIONS} are allowed: ask fewer."
                )
            name = inputs.PASTED if text else "kjv"
            haystack = inputs.haystack(self.reader, name, text, None, facts, length, 0)
            reader = self.reader.fork()
            for _ in reader.read(haystack):
                pass
            answers = reader.ask_many([inputs.plain(question) for question in questions])
        return [answer.as_json(question) for question, answer in zip(questions, answers, strict=True)]
