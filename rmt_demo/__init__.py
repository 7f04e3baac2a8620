"""RMT lab: Recurrent Memory Transformers to understand, try and train. See README.md for the way through the house."""

from .config import RMTConfig
from .memory import MemoryCell
from .modeling import RMTForMaskedLM, RMTForSequenceClassification, RMTModel, RMTOutput

__all__ = ["MemoryCell", "RMTConfig", "RMTForMaskedLM", "RMTForSequenceClassification", "RMTModel", "RMTOutput"]
