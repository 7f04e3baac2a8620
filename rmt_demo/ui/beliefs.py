"""Follows the answers to a few questions during a reading, and notes when one is learned, forgotten or missed."""

from collections.abc import Callable, Sequence

from ..answers import Answer
from ..questions import UNKNOWN
from ..reader import Reader
from ..trace import Trace

MOST_ASKED = 400  # times in one reading, to keep the cost small on long texts
LEARNED, FORGOT, CHANGED, MISSED = "learned", "forgot", "changed", "missed"

Truth = Callable[[str, int], str | None]  # (question, tokens read) -> the right answer by then, or None if unknown


class Beliefs:
    """Asks the pinned questions after segments, in one batch, and records the answers.

    An unchanged memory gives the same answers, so nothing is asked then; with a write gate that is most of the time.

    Args:
        questions: the questions to follow.
        segments: approximate number of segments of the text.
        truth: gives the right answers, if they are known.

    Attributes:
        told: question -> [{"segment", "tokens", "text", "score", "right"}], one for each time it was asked.
        events: question -> [{"segment", "tokens", "text", "kind"}]: the first answer, each new answer and each missed
            fact (there "text" is the right answer). A tail that does not fill a segment counts as one.
    """

    def __init__(self, questions: Sequence[str], segments: int, truth: Truth):
        self.every, self.truth = max(1, segments // MOST_ASKED), truth
        self.told: dict[str, list[dict]] = {}
        self.events: dict[str, list[dict]] = {}
        self._stale, self._since = True, 0
        self.follow(questions)

    def follow(self, questions: Sequence[str]) -> None:
        """Follow exactly these questions from the next segment on."""
        self.told = {question: self.told.get(question, []) for question in questions}
        self.events = {question: self.events.get(question, []) for question in questions}
        self._stale, self._since = True, self.every

    def after(self, step, reader: Reader) -> None:
        """Process a SegmentStep; `reader` is in the state after it."""
        self._stale |= bool(step.update_norm.any())
        self._since += 1
        if not self.told or self._since < self.every:
            return
        if self._stale:
            self.ask(reader)
        elif any(told and told[-1]["right"] is not None for told in self.told.values()):
            self._again(reader)  # the answers are the same, but the truth may have changed

    def ask(self, reader: Reader) -> None:
        """Ask now, even if the memory has not changed."""
        state, asked = reader.state, list(self.told)  # a copy: another thread may change the questions
        for question, answer in zip(asked, reader.ask_many(asked), strict=True):
            self._note(question, answer, state)
        self._stale, self._since = False, 0

    def _again(self, reader: Reader) -> None:
        """Record the last answers once more, checked against the current truth."""
        state = reader.state
        for question, told in [pair for pair in self.told.items() if pair[1]]:
            self._note(question, Answer(told[-1]["text"], told[-1]["score"], []), state)
        self._since = 0

    def _note(self, question: str, answer: Answer, state) -> None:
        if question not in self.told:
            return
        told, truth = self.told[question], self.truth(question, state.tokens_read)
        right = answer.is_right(truth)
        before = told[-1] if told else None
        now = {"segment": state.segments_read - (not state.tail), "tokens": state.tokens_read, "text": answer.text}
        if kind := _kind(before, now, right, truth):
            self.events[question].append(now | {"kind": kind} | ({"text": truth} if kind == MISSED else {}))
        told.append(now | {"score": answer.score, "right": right})

    def save(self, trace: Trace) -> None:
        """Copy the answers into a trace, in its format."""
        trace.questions = list(self.told)
        kept = ("segment", "text", "score")
        trace.beliefs = {
            pin: [{key: answer[key] for key in kept} for answer in told] for pin, told in self.told.items()
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
