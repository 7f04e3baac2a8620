"""The records of a reading: SegmentStep, what one segment changed, and ReaderState, all that a Reader remembers."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class SegmentStep:
    """What one segment did to the memory.

    index        of the segment, counted from 0 over everything this reader has read
    tokens       its text tokens, as strings
    memory       [m + s, d] float32 on the CPU: the memory after the segment
    update_norm  [m + s] L2 norm of the change of each memory token
    gate         [m] openness of each working token's write gate, 0 to 1 (1 without a write gate)
    seconds      spent on this segment
    ids          the same tokens as ids, for reading the segment again
    """

    index: int
    tokens: list[str]
    memory: Tensor
    update_norm: Tensor
    gate: Tensor
    seconds: float
    ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class ReaderState:
    """All that a reader remembers of what it has read.

    memory         [m + s, d] float32 on the CPU
    tail           token ids of the unfinished segment, not yet in the memory
    segments_read  number of segments written to the memory
    tokens_read    number of text tokens read, including the tail
    """

    memory: Tensor
    tail: tuple[int, ...] = ()
    segments_read: int = 0
    tokens_read: int = 0
