"""The live view of a reading: turns segment steps into small frames for the browser.

A frame contains everything that the view shows, so a lost frame does no harm, and its size does not grow with the text.
Arrays are sent as base64 bytes; `live_view.js` draws them and inserts strings as text, never as HTML.
"""

import base64
import math
import time

import torch
from torch import Tensor

from ..config import RMTConfig
from ..evaluation.cost import estimate
from .beliefs import Beliefs

COLUMNS = 480  # of the timeline; in long texts a column shows the largest change of several segments
MOST_EVENTS = 12  # listed per question
STORED = 16  # stored tokens are shown in steps of so many rows
UNSEEN = 255  # in a line of confidences: not asked here


class LiveView:
    """The live view of one reading.

    Args:
        total: number of tokens of the text.
        facts: token offsets of its facts.
        config: of the model, for the estimate of attention's memory.
        clock: returns seconds; replaced in tests.
    """

    def __init__(self, total: int, facts: list[int], config: RMTConfig, clock=time.perf_counter):
        self.total, self.facts, self.config, self.clock = max(total, 1), facts, config, clock
        self.started, self.paused = clock(), 0.0
        self.segments = self.tokens = 0
        # [m + s, d], [m + s], [m + s, COLUMNS]; sizes are known at the first step
        self.memory = self.norms = self.timeline = None
        self.working = self.rows = 0  # number of working tokens, m, and of rows shown

    def pause(self) -> None:
        """Stop the clock until `resume`."""
        self.paused = self.paused or self.clock()

    def resume(self) -> None:
        """Continue the clock without the pause."""
        if self.paused:
            self.started += self.clock() - self.paused
            self.paused = 0.0

    def add(self, step) -> None:
        """Add a `SegmentStep`."""
        if self.timeline is None:
            self.timeline = torch.zeros(len(step.update_norm), COLUMNS)
        first = self.column(self.tokens)
        self.tokens += len(step.tokens)
        columns = self.timeline[:, first : max(self.column(self.tokens), first + 1)]
        torch.maximum(columns, step.update_norm.float()[:, None], out=columns)
        self.memory, self.norms, self.segments = step.memory, step.update_norm, self.segments + 1
        self.working = len(step.gate)
        self.rows = max(self.rows, rows_to_show(step.memory, self.working))

    def frame(self, ending: str = "", tail: int = 0, beliefs: Beliefs | None = None) -> dict:
        """The picture as it is now.

        Args:
            ending: how the reading ended, "" while it goes on.
            tail: tokens of the unfinished segment, read but not yet in the memory.
            beliefs: about the questions that are followed.
        """
        frame = {
            "line": self._line(ending, tail),
            "ended": bool(ending),
            "head": min((self.tokens + tail) / self.total, 1),
            "seen": min(self.tokens / self.total, 1),
            "facts": [offset / self.total for offset in self.facts],
            "rows": 0,
            "meter": self._meter(self.tokens + tail),
            "beliefs": self._beliefs(beliefs) if beliefs else [],
        }
        if self.memory is None:
            return frame
        largest = max(self.timeline.max().item(), 1e-9)
        sums = self.timeline.sum(0)
        return frame | {
            "rows": self.rows,
            "working": self.working,
            "columns": COLUMNS,
            "width": self.memory.shape[1],
            "timeline": pack(self.timeline[: self.rows] * (255 / largest)),
            "writes": pack(sums * (255 / max(sums.max().item(), 1e-9))),
            "norms": pack(self.norms[: self.rows] * (255 / largest)),
            # Three standard deviations fill the colour scale: single outliers would leave the rest pale.
            "memory": pack(self.memory[: self.rows] / (3 * self.memory[: self.working].std() + 1e-9) * 127 + 128),
        }

    def column(self, tokens: int) -> int:
        """Where so many tokens are on the timeline."""
        return min(tokens * COLUMNS // self.total, COLUMNS - 1)

    def _meter(self, read: int) -> dict:
        """What the model's own attention needs for a segment, and would need for all the text at once."""
        own, full, most = (
            estimate(self.config, n).total for n in (self.config.segment_length, max(read, 1), self.total)
        )
        top = math.log10(max(most, own) / 1e4)
        return {
            "own": f"RMT, one segment at a time: {_bytes(own)} at any length",
            "full": f"Full attention over {read:,} tokens: {_bytes(full)}",
            "shares": [min(max(math.log10(size / 1e4) / top, 0.01), 1.0) for size in (own, full)],
        }

    def _beliefs(self, beliefs: Beliefs) -> list[dict]:
        lines = []
        for question, known in beliefs.questions.items():
            told, noted = list(known.told), list(known.events)  # another thread may be adding
            line = torch.full((COLUMNS,), float(UNSEEN))
            for i, answer in enumerate(told):
                end = told[i + 1]["tokens"] if i + 1 < len(told) else self.tokens
                columns = slice(self.column(answer["tokens"]), max(self.column(end), self.column(answer["tokens"]) + 1))
                line[columns] = answer["score"] * (UNSEEN - 5)
            events = [
                {"at": event["tokens"] / self.total, "kind": event["kind"], "text": event["text"][:40]}
                | {"where": f"segment {event['segment'] + 1:,}" if event["segment"] < self.segments else "at the end"}
                for event in noted[-MOST_EVENTS:]
            ]
            now = told[-1] if told else {"text": "", "score": 0, "right": None}
            now = {key: now[key] for key in ("text", "score", "right")}
            lines.append({"question": question, "line": pack(line), "events": events} | now)
        return lines

    def _line(self, ending: str, tail: int) -> str:
        seconds = max((self.paused or self.clock()) - self.started, 1e-3)
        read = self.tokens + tail
        rate = read / seconds
        parts = [
            f"{read:,} of {self.total:,} tokens",
            f"{self.segments:,} segment{'s' * (self.segments != 1)}",
            f"{rate:,.0f} tokens/s",
            f"{_duration(seconds)} so far" if not ending else f"{ending} after {_duration(seconds)}",
        ]
        if not ending and rate:
            parts.append(f"{_duration(max(self.total - read, 0) / rate)} left")
        return " · ".join(parts)


def rows_to_show(memory: Tensor, working: int) -> int:
    """How many tokens of a memory [m + s, d] to show: the working ones, and the stored ones up to the last that is
    filled, in steps of STORED, so that the picture is not mostly blank."""
    filled = memory[working:].any(-1).nonzero()
    stored = STORED * (int(filled[-1]) // STORED + 1 if len(filled) else 1)
    return min(working + stored, len(memory))


def pack(values: Tensor) -> str:
    """Any array as base64 of unsigned bytes, row by row."""
    return base64.b64encode(values.detach().float().clamp(0, 255).to(torch.uint8).numpy().tobytes()).decode()


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02d} s"


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.0f} PB"
