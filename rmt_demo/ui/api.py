"""Reading and asking for programs and assistants, in one call: nobody visits, nothing is kept."""

from ..reader import Reader
from . import inputs
from .inputs import MOST_QUESTIONS, one_sentence


class Api:
    """What is offered beside the page.

    Args:
        reader: the one whose model all share. It never reads anything itself.
    """

    def __init__(self, reader: Reader):
        self.reader = reader

    def read_and_ask(
        self, text: str, facts: list, questions: list[str], length: int = inputs.START
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
            if not isinstance(questions, list) or not all(isinstance(q, str) and q.strip() for q in questions):
                questions = []
            if not questions:
                raise ValueError("Ask at least one question, and none that is empty.")
            if len(questions) > MOST_QUESTIONS:
                raise ValueError(f"There are {len(questions)} questions, {MOST_QUESTIONS} is the most: ask fewer.")
            name = inputs.PASTED if text else "kjv"
            haystack = inputs.haystack(self.reader, name, text, None, facts, length, 0)
            reader = self.reader.fork()
            for _ in reader.read(haystack):
                pass
            answers = reader.ask_many([inputs.plain(question) for question in questions])
        return [answer.as_json(question) for question, answer in zip(questions, answers, strict=True)]
