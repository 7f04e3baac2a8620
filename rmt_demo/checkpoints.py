"""Loading a checkpoint to ask it questions, with one clear sentence for whatever may be wrong with it."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig
from transformers.utils import cached_file

from . import backbones, low_rank
from .heads import RMTForMaskedLM, RMTForSequenceClassification
from .pretrained import RMTPreTrainedModel

MODEL = "model.safetensors"
HEADS = {head.__name__: head for head in (RMTForMaskedLM, RMTForSequenceClassification)}


def load(path: str, dtype: torch.dtype) -> tuple[RMTPreTrainedModel, object]:
    """The model of a checkpoint folder (or Hub id), in evaluation mode, and its tokenizer.

    Raises:
        ValueError: if there is no checkpoint, it is none of an RMT that answers, its backbone cannot be
            found, or its weights are incomplete, of another shape or not finite.
    """
    missing = ValueError(
        f"There is no checkpoint at {path}: give a folder with config.json and model.safetensors, "
        "or make one with `python -m rmt_demo train`."
    )
    if _is_local(path) and not Path(path).exists():
        raise missing
    try:
        config = AutoConfig.from_pretrained(path)
    except OSError as error:
        raise missing from error
    except ValueError as error:
        raise ValueError(
            f"{path} is not an RMT checkpoint: its config.json is missing or cannot be understood."
        ) from error
    try:
        weights = weights_of(path)
    except OSError as error:
        raise missing from error
    name = (config.architectures or [config.model_type])[0]
    if config.model_type != "rmt" or name not in HEADS:
        raise ValueError(f"{path} is a {name}, but only {' and '.join(HEADS)} answer questions.")
    tokenizer = backbones.load_tokenizer(config.backbone, path)
    try:
        model = HEADS[name].from_pretrained(path).to(dtype).eval()
        whole = Path(weights).name == MODEL  # the names of a change were compared when it was loaded
        fits = not (whole and _differing(model, weights))
        fits = fits and len(tokenizer) <= model.get_input_embeddings().num_embeddings
    except (RuntimeError, OSError, AttributeError, SafetensorError):  # shapes, files, names that don't match
        fits = False
    if not fits:
        raise ValueError(
            f"The weights in {path} do not fit its config.json and the backbone {config.backbone!r}: "
            "train it again, or name the backbone it was made with."
        )
    if not all(p.isfinite().all() for p in model.parameters()):
        raise ValueError(f"{path} contains NaN or infinite weights: train it again or download it afresh.")
    return model, tokenizer


def weights_of(path: str) -> str:
    """The file with a checkpoint's weights, all of them or the change of another. Raises OSError if there is none."""
    return cached_file(path, low_rank.WEIGHTS if low_rank.base_of(path) else MODEL)


def _is_local(path: str) -> bool:
    """Can this be no Hub id? Asking the Hub for a mistyped folder would take retries and as many lines of output."""
    parent = Path(path).parent
    return path.startswith((".", "~")) or Path(path).is_absolute() or (parent != Path(".") and parent.is_dir())


def _differing(model: RMTPreTrainedModel, weights: str) -> set[str]:
    """Parameters that only the model or only the file has; `transformers` would make up the one and drop the other."""
    elsewhere = model.frozen_ids
    needed = {n for n, p in model.named_parameters() if id(p) not in elsewhere}
    with safe_open(weights, "pt") as file:
        found = set(file.keys())
    return (needed - found) | (found - model.state_dict().keys())
