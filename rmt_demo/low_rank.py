"""Checkpoints stored as a low-rank change (LoRA, arXiv 2106.09685) of another checkpoint's attention.

The library `peft` makes and stores the adapters. Such a checkpoint has a config.json like any other;
adapter_config.json names its base checkpoint, and adapter_model.safetensors takes the place of model.safetensors.
Loading adds the change to the base weights and gives an ordinary model.
"""

import json
from pathlib import Path

from torch import nn

from . import backbones

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # of parameter names in the file, as in peft


def base_of(path: str | Path) -> str | None:
    """The base checkpoint of the one in the folder `path`, or None if it has none.

    Raises:
        ValueError: if adapter_config.json does not name one.
    """
    file = Path(path) / CONFIG
    try:
        return json.loads(file.read_text())["base_model_name_or_path"] if file.exists() else None
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} does not name the base checkpoint of {path}: save it again.") from error


def is_adapted(model: nn.Module) -> bool:
    """Whether an RMT has adapters that are not merged."""
    return hasattr(model.backbone, "peft_config")


def adapt(model: nn.Module, rank: int, base: str) -> None:
    """Add adapters to the square linear layers of the backbone, which are those of its attention. They start as a zero
    change, and from here on only they are trained.

    Args:
        model: an RMT with the weights of the checkpoint `base`.
        rank: of the change; each layer gets 2 * d * rank numbers.
    """
    from peft import LoraConfig

    modules = model.backbone.named_modules()
    square = [name for name, part in modules if isinstance(part, nn.Linear) and part.in_features == part.out_features]
    _inject(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=square, base_model_name_or_path=base))


def load(model: nn.Module, path: str | Path) -> None:
    """Add the adapters in the folder `path` to a model with the weights of their base checkpoint, to train them on.

    Raises:
        RuntimeError: if they belong to other layers or have another rank than their config says.
    """
    from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file

    _inject(model, LoraConfig.from_pretrained(path))
    stored = {name.removeprefix(PREFIX): weight for name, weight in load_file(Path(path) / WEIGHTS).items()}
    if stored.keys() != get_peft_model_state_dict(model.backbone, save_embedding_layers=False).keys():
        raise RuntimeError(f"The adapters in {path} are not those of this model.")
    set_peft_model_state_dict(model.backbone, stored)


def save(model: nn.Module, path: str | Path) -> None:
    """Save the config and the adapters of an adapted model to the folder `path`."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    model.config.architectures, model.config.dtype = [type(model).__name__], str(model.dtype).removeprefix("torch.")
    model.config.save_pretrained(path)
    model.backbone.peft_config["default"].save_pretrained(path)
    adapters = get_peft_model_state_dict(model.backbone, save_embedding_layers=False)  # else peft asks the Hub
    named = {PREFIX + name: weight.detach().contiguous() for name, weight in adapters.items()}
    save_file(named, Path(path) / WEIGHTS, metadata={"format": "pt"})


def merge(model: nn.Module, path: str | Path) -> None:
    """Add the adapters in the folder `path` to the float32 weights of their base model.

    Raises:
        RuntimeError: as `load`.
        ValueError: if the adapters were trained on other base weights.
    """
    from peft.tuners.lora import LoraLayer

    wanted, trained = model.config.base_checksum, [p for p in model.parameters() if p.requires_grad]
    load(model, path)
    if wanted not in (None, model.config.base_checksum):
        raise ValueError(
            f"{path} is a change of other weights than those in {base_of(path)}: train it again, "
            "or use the base checkpoint that it was trained on."
        )
    for name, part in list(model.backbone.named_modules()):
        if isinstance(part, LoraLayer):
            part.merge()
            model.backbone.set_submodule(name, part.get_base_layer())
    del model.backbone.peft_config
    for parameter in trained:  # `load` froze them
        parameter.requires_grad_(True)


def _inject(model: nn.Module, change) -> None:
    from peft import inject_adapter_in_model

    model.config.base_checksum = backbones.checksum(model)
    model.requires_grad_(False)
    inject_adapter_in_model(change, model.backbone)
    model.backbone.peft_config = {"default": change}  # where peft looks it up
