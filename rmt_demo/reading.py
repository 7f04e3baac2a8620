"""What a Reader tells of each segment that it reads, and what it knows after it."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class SegmentStep:
    """What one segment did to the memory.

    index        of the segment, counted from 0 over everything this reader has read
    tokens       its text tokens
    memory       [m + s, d] float32 on the CPU: the memory after the segment
    update_norm  [m + s] length (L2 norm) of the change of each memory token
    gate         [m] how far each working token was written, 0 to 1 (1 without a write gate)
    seconds      spent on this segment
    ids          the tokens as ids, from which the segment can be read again
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
    """All a reader knows of what it has read.

    memory         [m + s, d] float32 on the CPU
    tail           token ids of the unfinished segment, not yet in the memory
    segments_read  segments in the memory
    tokens_read    text tokens read, the tail's included
    """

    memory: Tensor
    tail: tuple[int, ...] = ()
    segments_read: int = 0
    tokens_read: int = 0
