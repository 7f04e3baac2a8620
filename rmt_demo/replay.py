"""Replay: go back to any segment of a recorded reading, edit the memory there, and read on.

    state = state_at(reader, trace, 40)                    # after 40 segments; the reader stays as it is
    fork = reader.fork()
    for step in rerun(fork, trace, 40, [Erase((3, 4)), Freeze((7,))]):
        ...                                                # the recorded segments again, from the 41st on
    fork.ask("Where is Daniel?")                           # its answer after the surgery

The model must be the one that read the trace, and the recorded reading must have begun with an empty reader. A trace
keeps memories in float16 and not after every segment; segments in between are read again from their token ids.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from . import backbones
from .reader import Reader
from .reading import ReaderState, SegmentStep
from .trace import Trace


@dataclass(frozen=True)
class Edit:
    """Surgery on some memory tokens, numbered from 0."""

    tokens: Sequence[int]

    def apply(self, memory: Tensor, initial: Tensor) -> Tensor:
        """Return the edited memory as a new tensor; this base class changes nothing. `memory` and `initial`, the memory
        that a text begins with, are [m + s, d] float32."""
        return memory.clone()


@dataclass(frozen=True)
class Erase(Edit):
    """Reset tokens to their learned initial values, as if nothing had been read."""

    def apply(self, memory: Tensor, initial: Tensor) -> Tensor:
        rows = list(self.tokens)
        memory = memory.clone()
        memory[rows] = initial[rows]
        return memory


@dataclass(frozen=True)
class Swap(Edit):
    """Exchange two tokens; `apply` raises ValueError unless there are exactly two."""

    def apply(self, memory: Tensor, initial: Tensor) -> Tensor:
        if len(self.tokens) != 2:
            raise ValueError(f"Swap takes exactly two memory tokens, not {len(self.tokens)}: choose two.")
        one, other = self.tokens
        memory = memory.clone()
        memory[[one, other]] = memory[[other, one]]
        return memory


@dataclass(frozen=True)
class Noise(Edit):
    """Add Gaussian noise. At std 1 it has about the norm of the token itself: each of the d numbers has a standard
    deviation of std * norm / sqrt(d). The same seed gives the same noise. `apply` raises ValueError for a std that is
    negative or not finite."""

    std: float = 0.5
    seed: int = 0

    def apply(self, memory: Tensor, initial: Tensor) -> Tensor:
        if not (math.isfinite(self.std) and self.std >= 0):
            raise ValueError(f"The noise needs a standard deviation of 0 or more, not {self.std}.")
        rows = list(self.tokens)
        random = torch.Generator().manual_seed(self.seed)
        noise = torch.randn(len(rows), memory.shape[1], generator=random)
        norms = memory[rows].norm(dim=1, keepdim=True)
        memory = memory.clone()
        memory[rows] += self.std * norms / memory.shape[1] ** 0.5 * noise
        return memory


@dataclass(frozen=True)
class Freeze(Edit):
    """Keep the tokens unchanged in all segments that `rerun` reads. (Stored tokens never change anyway.)"""


def state_at(reader: Reader, trace: Trace, segments: int) -> ReaderState:
    """The state after the first `segments` segments; `reader` itself does not change.

    After all segments the state includes the trace's tail, so it is the state at the end of the reading.

    Args:
        reader: any reader of the model that read the trace.
        trace: of a reading that began with an empty reader.
        segments: 0 for the initial memory, up to len(trace).

    Raises:
        ValueError: if the trace has fewer segments, or was read by another model.
    """
    if not 0 <= segments <= len(trace):
        raise ValueError(f"The trace has {len(trace)} segments: choose 0 to {len(trace)}, not {segments}.")
    if trace.model not in (None, backbones.checksum(reader.model)):
        raise ValueError("The trace was read by another model: give the checkpoint that it was read with.")
    fork = reader.fork()
    fork.reset()
    kept, read = trace.memory_before(segments), 0
    if kept:
        read, memory = kept
        tokens = int(trace.token_counts[:read].sum())
        fork.restore(ReaderState(memory.float(), (), read, tokens))
    for _ in fork.read_segments(trace.segment(i) for i in range(read, segments)):
        pass
    return _with_tail(fork.state, trace)


def operate(reader: Reader, state: ReaderState, edits: Sequence[Edit]) -> ReaderState:
    """Apply edits to a state, one after the other.

    Raises:
        ValueError: if an edit names a memory token that this model does not have, or is invalid otherwise.
    """
    initial = reader.model.rmt.initial_memory(1)[0].detach().float().cpu()
    memory = state.memory.float()
    for edit in edits:
        _check_tokens(edit, len(initial))
        memory = edit.apply(memory, initial)
    return replace(state, memory=memory)


def rerun(reader: Reader, trace: Trace, start: int = 0, edits: Sequence[Edit] = ()) -> Iterator[SegmentStep]:
    """Take `reader` back to a segment, edit its memory and read the rest of the trace again.

    The edits are applied at once, the reading happens while you iterate. `reader` changes: pass a fork to keep the
    original. At the end it also holds the trace's tail, as after the recorded reading.

    Args:
        reader: of the model that read the trace.
        trace: of a reading that began with an empty reader.
        start: number of segments before the edits.
        edits: applied to the memory; without any, the same is read again.

    Raises:
        ValueError: as `state_at` and `operate`.
    """
    reader.restore(operate(reader, state_at(reader, trace, start), edits))
    frozen = {token for edit in edits if isinstance(edit, Freeze) for token in edit.tokens}
    return _read_on(reader, trace, start, sorted(frozen & {*range(reader.config.num_memory_tokens)}))


def _read_on(reader: Reader, trace: Trace, start: int, frozen: list[int]) -> Iterator[SegmentStep]:
    if start < len(trace):
        segments = (trace.segment(i) for i in range(start, len(trace)))
        yield from _read_frozen(reader, segments, frozen) if frozen else reader.read_segments(segments)
        reader.restore(_with_tail(reader.state, trace))


def _read_frozen(reader: Reader, segments: Iterator[list[int]], frozen: list[int]) -> Iterator[SegmentStep]:
    """Read segment by segment, and after each one restore the frozen tokens and blank their copies in the store."""
    held, m = reader.state.memory[frozen].float().cpu(), reader.config.num_memory_tokens
    for ids in segments:
        [step] = reader.read_segments([ids])
        copies = m + (step.memory[m:, None] == held).all(-1).any(1).nonzero()[:, 0]
        step.memory[frozen], step.memory[copies] = held, 0
        step.update_norm[frozen] = step.update_norm[copies] = 0
        step.gate[frozen] = 0
        reader.restore(replace(reader.state, memory=step.memory))
        yield step


def _with_tail(state: ReaderState, trace: Trace) -> ReaderState:
    """Add the trace's tail to a state after the trace's last segment; return any other state unchanged."""
    if state.segments_read < len(trace) or not trace.tail:
        return state
    return replace(state, tail=tuple(trace.tail), tokens_read=state.tokens_read + len(trace.tail))


def _check_tokens(edit: Edit, m: int) -> None:
    wrong = [token for token in edit.tokens if not 0 <= token < m]
    if wrong:
        raise ValueError(f"This model has memory tokens 0 to {m - 1}: there is no token {wrong[0]}.")
