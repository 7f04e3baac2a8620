"""Follows the answers to a few questions during a reading, and notes when one is learned, forgotten or missed."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..answers import Answer
from ..questions import UNKNOWN
from ..reader import Reader
from ..trace import Trace

MOST_ASKED = 400  # times in one reading, to keep the cost small on long texts
LEARNED, FORGOT, CHANGED, MISSED = "learned", "forgot", "changed", "missed"

Truth = Callable[[str, int], str | None]  # (question, tokens read) -> the right answer by then, or None if unknown


class Followed(NamedTuple):
    """What is known about one question.

    Attributes:
        told: [{"segment", "tokens", "text", "score", "right"}], one for each time it was asked.
        events: [{"segment", "tokens", "text", "kind"}]: the first answer, each new answer and each missed fact (there
            "text" is the right answer). A tail that does not fill a segment counts as one.
    """

    told: list[dict]
    events: list[dict]


class Beliefs:
    """Asks the pinned questions after segments, in one batch, and records the answers.

    An unchanged memory gives the same answers, so nothing is asked then; with a write gate that is most of the time.

    Args:
        questions: the questions to follow.
        segments: approximate number of segments of the text.
        truth: gives the right answers, if they are known.

    Attributes:
        questions: question -> Followed. One thread reads and another may change the questions: a change replaces the
            whole dictionary, so whoever goes through it sees the questions of before or of after.
    """

    def __init__(self, questions: Sequence[str], segments: int, truth: Truth):
        self.every, self.truth = max(1, segments // MOST_ASKED), truth
        self.questions: dict[str, Followed] = {}
        self._stale, self._since = True, 0
        self.follow(questions)

    def follow(self, questions: Sequence[str]) -> None:
        """Follow exactly these questions from the next segment on."""
        self.questions = {question: self.questions.get(question, Followed([], [])) for question in questions}
        self._stale, self._since = True, self.every

    def after(self, step, reader: Reader) -> None:
        """Process a SegmentStep; `reader` is in the state after it."""
        self._stale |= bool(step.update_norm.any())
        self._since += 1
        if not self.questions or self._since < self.every:
            return
        if self._stale:
            self.ask(reader)
        elif any(known.told and known.told[-1]["right"] is not None for known in self.questions.values()):
            self._again(reader)  # the answers are the same, but the truth may have changed

    def ask(self, reader: Reader) -> None:
        """Ask now, even if the memory has not changed."""
        self._stale, self._since = False, 0  # before asking: questions that come meanwhile are asked next time
        asked = self.questions
        for (question, known), answer in zip(asked.items(), reader.ask_many(list(asked)), strict=True):
            self._note(question, known, answer, reader.state)

    def _again(self, reader: Reader) -> None:
        """Record the last answers once more, checked against the current truth."""
        self._since = 0
        for question, known in self.questions.items():
            if known.told:
                last = known.told[-1]
                self._note(question, known, Answer(last["text"], last["score"], []), reader.state)

    def _note(self, question: str, known: Followed, answer: Answer, state) -> None:
        truth = self.truth(question, state.tokens_read)
        right = answer.is_right(truth)
        before = known.told[-1] if known.told else None
        now = {"segment": state.segments_read - (not state.tail), "tokens": state.tokens_read, "text": answer.text}
        if kind := _kind(before, now, right, truth):
            known.events.append(now | {"kind": kind} | ({"text": truth} if kind == MISSED else {}))
        known.told.append(now | {"score": answer.score, "right": right})

    def save(self, trace: Trace) -> None:
        """Copy the answers into a trace, in its format."""
        questions, kept = self.questions, ("segment", "text", "score")
        trace.questions = list(questions)
        trace.beliefs = {
            pin: [{key: answer[key] for key in kept} for answer in known.told] for pin, known in questions.items()
        }


def _kind(before: dict | None, now: dict, right: bool | None, truth: str | None) -> str:
    """The kind of event, or "". A right "unknown" does not count as learned."""
    same = bool(before) and before["text"] == now["text"]
    if right and truth != UNKNOWN and not (same and before["right"]):
        return LEARNED
    knew = before and before["right"] and before["text"] != UNKNOWN
    if knew and right is False and not same and truth != UNKNOWN:
        return FORGOT
    if same:
        return MISSED if before["right"] and right is False else ""
    return CHANGED
