"""RMT lab: a compact PyTorch library for Recurrent Memory Transformers. README.md describes its modules."""

from .answers import Answer
from .config import RMTConfig
from .heads import RMTForMaskedLM, RMTForSequenceClassification
from .memory import MemoryCell
from .modeling import RMTModel, RMTOutput
from .reader import Reader
from .reading import ReaderState, SegmentStep
from .replay import Erase, Freeze, Noise, Swap, rerun, state_at
from .trace import Trace

__all__ = [
    "Answer",
    "Erase",
    "Freeze",
    "MemoryCell",
    "Noise",
    "RMTConfig",
    "RMTForMaskedLM",
    "RMTForSequenceClassification",
    "RMTModel",
    "RMTOutput",
    "Reader",
    "ReaderState",
    "SegmentStep",
    "Swap",
    "Trace",
    "rerun",
    "state_at",
]
