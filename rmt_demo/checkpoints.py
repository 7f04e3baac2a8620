"""Finds and loads checkpoints for asking questions; every error is one sentence that says what is wrong with one."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig
from transformers.utils import SAFE_WEIGHTS_NAME, cached_file, logging

from . import backbones, low_rank
from .heads import RMTForMaskedLM, RMTForSequenceClassification
from .pretrained import RMTPreTrainedModel

SHIPPED = Path("checkpoints/rmt-minilm")
HEADS = {head.__name__: head for head in (RMTForMaskedLM, RMTForSequenceClassification)}


def default_checkpoint() -> Path:
    """The demo's checkpoint, in the working directory or beside the package."""
    beside = Path(__file__).parents[1] / SHIPPED
    return SHIPPED if SHIPPED.exists() else beside  # absolute, so that it is never taken for a Hub id


def be_quiet() -> None:
    """Keep the progress bars and warnings of `transformers` off stderr."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load(path: str, dtype: torch.dtype) -> tuple[RMTPreTrainedModel, object]:
    """Load the model of a checkpoint folder (or Hub id), in evaluation mode, and its tokenizer.

    Raises:
        ValueError: if there is no checkpoint, if it is not an RMT with a head, if its backbone cannot be found, or if
            its weights are incomplete, of another shape or not finite.
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
        whole = Path(weights).name == SAFE_WEIGHTS_NAME  # loading a low-rank change has compared the names already
        fits = not (whole and _differing(model, weights))
        fits = fits and len(tokenizer) <= model.get_input_embeddings().num_embeddings
    except (RuntimeError, OSError, AttributeError, SafetensorError):  # shapes, files, names that don't match
        fits = False
    if not fits:
        raise ValueError(
            f"The weights in {path} do not fit its config.json and the backbone {config.backbone!r}: "
            "train it again, or name the backbone that it was trained on."
        )
    if not all(p.isfinite().all() for p in model.parameters()):
        raise ValueError(f"{path} contains NaN or infinite weights: train it again or download it again.")
    return model, tokenizer


def weights_of(path: str) -> str:
    """Path of the weights file, a full model or a low-rank change. Raises OSError if there is none."""
    return cached_file(path, low_rank.WEIGHTS if low_rank.base_of(path) else SAFE_WEIGHTS_NAME)


def _is_local(path: str) -> bool:
    """Whether this cannot be a Hub id. Asking the Hub for a mistyped folder would cost retries and lines of output."""
    parent = Path(path).parent
    return path.startswith((".", "~")) or Path(path).is_absolute() or (parent != Path(".") and parent.is_dir())


def _differing(model: RMTPreTrainedModel, weights: str) -> set[str]:
    """Parameters that only the model has (`transformers` initialises them) or only the file (it drops them)."""
    elsewhere = model.frozen_ids
    needed = {n for n, p in model.named_parameters() if id(p) not in elsewhere}
    with safe_open(weights, "pt") as file:
        found = set(file.keys())
    return (needed - found) | (found - model.state_dict().keys())
