"""The state of each visitor: a reader of their own (with the shared model) and what it has read."""

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..data.haystack import Fact, Haystack
from ..reader import Reader
from ..reading import SegmentStep
from ..segments import token_ids
from ..trace import Trace
from .beliefs import Beliefs
from .live_view import LiveView
from .presets import Preset, draw, opening

MOST_VISITS = 200  # beyond that, the least recently active visit is dropped
MAX_MEMORIES = 256  # kept in a visitor's trace


class Visit:
    """One visitor.

    Attributes:
        reader: in the state after everything read so far.
        text: the haystack, None before the first reading.
        steps: iterator over the rest of the reading; resuming continues it.
        trace: of the reading.
        halt: why the reading must end after the current segment: "" (it must not), "paused", "stopped" or "left".
        finished: whether the text was read to its end.
        run: number of the loop that may read; starting another loop increases it, which ends the old one.
        reading: lock that a loop holds during a step, so that two loops never read at once.
        waiting: True while a requested reading waits in the queue, False if it was cancelled there, else None.
    """

    def __init__(self, reader: Reader):
        self.reader = reader
        self.text: Haystack | None = None
        self.facts: list[tuple[Fact, int, int]] = []  # (fact, offset of its first token, offset after its last)
        self.settings: dict = {}
        self.preset: Preset | None = None
        self.steps: Iterator[SegmentStep] = iter(())
        self.trace = Trace(MAX_MEMORIES)
        self.beliefs = Beliefs((), 1, self.truth)
        self.view = LiveView(1, [], reader.config)
        self.halt, self.run, self.finished = "", 0, False
        self.reading = threading.Lock()
        self.waiting: bool | None = None
        self.read_seconds = 0.0  # spent on segments
        self.answers: list[dict] = []  # what was asked, for the download
        self.seen = None  # (trace, index, attention) of the segment shown last
        self.drawn: list[list] = draw(
            opening(reader.model), 0
        ).rows  # the facts drawn last, to tell whether the visitor has edited them
        self.offered: list[str] | None = None  # questions to follow that a preset has just filled in
        self._folder: Path | None = None

    def begin(self, text: Haystack, questions: Sequence[str], preset: Preset | None, settings: dict) -> None:
        """Start a new reading."""
        self.reader = self.reader.fork()
        self.reader.reset()
        self.text, self.preset, self.settings = text, preset, settings
        sizes = [len(ids) for ids in token_ids(self.reader.tokenizer, [fact.text for fact, _ in text.placements])]
        self.facts = [(fact, at, at + size) for (fact, at), size in zip(text.placements, sizes, strict=True)]
        self.steps, self.trace = self.reader.read(text), Trace(MAX_MEMORIES)
        segments = text.tokens // self.reader.config.text_capacity
        self.beliefs = Beliefs(questions, segments, self.truth)
        self.view = LiveView(text.tokens, [offset for _, offset in text.placements], self.reader.config)
        self.finished, self.read_seconds, self.answers = False, 0.0, []

    def check_read(self) -> None:
        """Raise ValueError if nothing has been read."""
        if self.text is None or not self.reader.state.tokens_read:
            raise ValueError("Nothing has been read yet: press Read first.")

    def check_rest(self) -> None:
        """Raise ValueError while a reading is in progress."""
        if self.text is not None and not self.finished and not self.halt:
            raise ValueError("Reading is still in progress: pause it or wait until it ends.")

    def truth(self, question: str, tokens: int) -> str | None:
        """The right answer after so many tokens of the text; None if it is not known."""
        read = sum(end <= tokens for _, _, end in self.facts)
        return self.preset.answer(question, read) if self.preset else None

    @property
    def folder(self) -> Path:
        """A folder for this visitor's files, deleted with the visit."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="rmt-"))
        return self._folder

    def leave(self) -> None:
        """End the reading and forget everything."""
        self.halt, self.run = "left", self.run + 1
        self.steps, self.trace, self.text = iter(()), Trace(MAX_MEMORIES), None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


class Visits:
    """All visits, by session.

    Args:
        reader: forked for each visit; it never reads anything itself.
    """

    def __init__(self, reader: Reader):
        self.base = reader
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def __len__(self) -> int:
        return len(self._visits)

    def of(self, session: str | None) -> Visit:
        """This session's visit, created if there is none."""
        key = session or ""
        visit = self._visits.setdefault(key, None) or Visit(self.base.fork())
        self._visits[key] = visit
        self._visits.move_to_end(key)
        while len(self._visits) > MOST_VISITS:
            self._visits.popitem(last=False)[1].leave()
        return visit

    def leave(self, session: str | None) -> None:
        """Drop the visit of a visitor who has closed the page."""
        visit = self._visits.pop(session or "", None)
        if visit:
            visit.leave()
