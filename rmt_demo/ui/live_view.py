"""The moving picture of a reading: segment steps in, small frames for the browser out.

A frame says everything the picture shows, so a lost frame does no harm, and its size does not grow with the text:
arrays travel as base64 bytes. `live_view.js` paints them and shows a frame's line as text, never as HTML.
"""

import base64
import time
from pathlib import Path

import torch
from torch import Tensor

COLUMNS = 480  # of the timeline; a longer text puts several segments into one column, which shows the largest change

HERE = Path(__file__).parent
SCRIPT = (HERE / "live_view.js").read_text(encoding="utf-8")
STYLE = (HERE / "live_view.css").read_text(encoding="utf-8")
# A fixed page: gr.HTML evaluates ${...} and {{...}} in a template, so nothing is ever filled in.
TEMPLATE = """
<div class="live">
  <p class="line" role="status">Nothing read yet. Press Read.</p>
  <p class="caption">The text from left to right, with <b class="fact">▼ facts</b>. Below it, one row per memory token:
    the brighter, the more this segment rewrote it.</p>
  <canvas class="timeline" role="img" aria-label="How much each segment changed each memory token"></canvas>
  <p class="caption">The memory now: one row of numbers per memory token, <b class="low">negative</b> to
    <b class="high">positive</b>; at the right, how much this segment rewrote it.</p>
  <canvas class="memory" role="img" aria-label="The numbers in the memory tokens and their latest change"></canvas>
</div>
"""


class LiveView:
    """Follows one reading.

    Args:
        total: tokens the text will have.
        facts: where its facts are, each as a token offset.
        clock: returns seconds; replaced in tests.
    """

    def __init__(self, total: int, facts: list[int], clock=time.perf_counter):
        self.total, self.facts, self.clock = max(total, 1), facts, clock
        self.started = clock()
        self.segments = self.tokens = 0
        self.memory = self.norms = self.timeline = None  # [m, d], [m], [m, COLUMNS]; sizes are known at the first step

    def add(self, step) -> None:
        """Take in a `SegmentStep`."""
        if self.timeline is None:
            self.timeline = torch.zeros(len(step.update_norm), COLUMNS)
        first = self._column(self.tokens)
        self.tokens += len(step.tokens)
        columns = self.timeline[:, first : max(self._column(self.tokens), first + 1)]
        torch.maximum(columns, step.update_norm.float()[:, None], out=columns)
        self.memory, self.norms, self.segments = step.memory, step.update_norm, self.segments + 1

    def frame(self, ending: str = "", tail: int = 0) -> dict:
        """The picture as it is now.

        Args:
            ending: how the reading ended, "" while it goes on.
            tail: tokens of the unfinished segment, read but not yet in the memory.
        """
        frame = {
            "line": self._line(ending, tail),
            "head": min((self.tokens + tail) / self.total, 1),
            "seen": min(self.tokens / self.total, 1),
            "facts": [offset / self.total for offset in self.facts],
            "rows": 0,
        }
        if self.memory is None:
            return frame
        largest = max(self.timeline.max().item(), 1e-9)
        return frame | {
            "rows": len(self.memory),
            "columns": COLUMNS,
            "width": self.memory.shape[1],
            "timeline": _bytes(self.timeline * (255 / largest)),
            "norms": _bytes(self.norms * (255 / largest)),
            # Three standard deviations fill the colour scale: single outliers would leave the rest pale.
            "memory": _bytes(self.memory / (3 * self.memory.std() + 1e-9) * 127 + 128),
        }

    def _column(self, tokens: int) -> int:
        return min(tokens * COLUMNS // self.total, COLUMNS - 1)

    def _line(self, ending: str, tail: int) -> str:
        seconds = max(self.clock() - self.started, 1e-3)
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


def _bytes(values: Tensor) -> str:
    """Any array as base64 of unsigned bytes, row by row."""
    return base64.b64encode(values.detach().float().clamp(0, 255).to(torch.uint8).numpy().tobytes()).decode()


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02d} s"
