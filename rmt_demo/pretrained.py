"""Loading, saving and freezing, shared by the recurrence (`modeling.py`) and its heads (`heads.py`).

A checkpoint stores only the weights that training changed. Frozen modules are loaded from the backbone that the config
names; a checksum in the config verifies that it is the backbone of the training.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils import SAFE_WEIGHTS_NAME

from . import backbones, low_rank
from .config import RMTConfig
from .questions import UNKNOWN
from .recall import settled
from .segments import token_ids

FREEZING = ("freeze_embeddings", "freeze_feed_forward")  # config fields; a checkpoint lacks what they freeze
MEMORY_STD = 0.055  # of the initial memory, as of MiniLM's word embeddings; random, so that memory tokens differ


class RMTPreTrainedModel(PreTrainedModel):
    """Loading, saving and initialisation shared by the model and its heads."""

    config_class = RMTConfig
    base_model_prefix = "rmt"
    _supports_sdpa = True
    supports_gradient_checkpointing = True
    _no_split_modules = ["MemoryCell"]
    accepts_loss_kwargs = False  # otherwise the Trainer infers from **kwargs of forward that it does

    @classmethod
    def from_backbone(cls, name: str, **config) -> "RMTPreTrainedModel":
        """Build a new RMT around a pretrained backbone; `config` holds RMTConfig fields.

        Raises:
            ValueError: if the backbone cannot be found, memory tokens do not work with it, or a field is out of range.
        """
        backbone = backbones.load_backbone(name)
        if backbones.is_decoder(backbone.config):
            raise ValueError(
                f'The backbone {name!r} is a decoder, the "prefix" layout needs an encoder: choose one like BERT.'
            )
        tokenizer = backbones.load_tokenizer(name)
        described = backbone.config.to_dict()
        described.pop("_name_or_path", None)  # a local path means nothing on other machines
        special = {f"{t}_token_id": getattr(tokenizer, f"{t}_token_id") for t in ("cls", "sep", "mask", "pad")}
        if None in special.values():
            raise ValueError(f"The backbone {name!r} lacks [CLS], [SEP], [MASK] or [PAD]: choose an encoder like BERT.")
        special["unknown_token_id"] = token_ids(tokenizer, [UNKNOWN])[0][0]
        model = cls(RMTConfig(backbone=name, backbone_config=described, **special, **config))
        model.backbone.load_state_dict(backbone.state_dict())
        if frozen := model.frozen_modules:
            model.config.embeddings_checksum = backbones.checksum(*frozen.values())
        return model

    @classmethod
    def from_pretrained(cls, path, *args, **kwargs):
        """As in `transformers`; frozen weights come from the named backbone, and a low-rank change is added to its base
        checkpoint.

        The stored config decides which weights come from the backbone. So `freeze_embeddings=False` here makes a
        checkpoint with frozen embeddings fully trainable.

        Raises:
            ValueError: if that backbone or checkpoint cannot be found, or its weights are not those of the training.
            RuntimeError: if adapters belong to other layers or have another rank.
        """
        if base := low_rank.base_of(path):
            config = kwargs.setdefault("config", cls.config_class.from_pretrained(path))
            wanted = kwargs.pop("dtype", "auto")
            wanted = config.dtype if wanted == "auto" else getattr(torch, str(wanted).removeprefix("torch."))
            try:  # in less than float32, a small change of a weight can be lost
                loaded = cls.from_pretrained(backbones.resolve(base, path), *args, dtype=torch.float32, **kwargs)
            except OSError as error:
                raise ValueError(
                    f"{path} is a change of {base}, which is not there: put that checkpoint beside it, or write its "
                    f"path into {low_rank.CONFIG}."
                ) from error
            model = loaded[0] if isinstance(loaded, tuple) else loaded
            low_rank.merge(model, path)
            model.to(wanted).config.dtype = wanted
            return loaded
        loaded = super().from_pretrained(path, *args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded  # a pair with output_loading_info=True
        stored, _ = cls.config_class.get_config_dict(path, **kwargs)
        if lacking := model.freezable(*(stored.get(name, False) for name in FREEZING)):
            backbone = backbones.load_backbone(model.config.backbone, near=path)
            source = {name: backbone.get_submodule(name) for name in lacking}
            for name, module in lacking.items():
                module.load_state_dict(source[name].state_dict())
            if model.config.embeddings_checksum not in (None, backbones.checksum(*source.values())):
                raise ValueError(
                    f"{path} was trained with other weights than those of the backbone {model.config.backbone!r}: "
                    "name the backbone it was made with in its config.json."
                )
            model.tie_weights()
        model.freeze()  # loading creates new parameters
        return loaded

    def save_pretrained(self, path, *args, **kwargs):
        """As in `transformers`, without frozen weights; for a model with adapters, the adapters only. Weight files of
        the other kind are removed from `path`, or loading would mix the two.

        Raises:
            ValueError: if frozen weights, which are not stored, differ from the backbone's and would be lost.
        """
        adapted, frozen = low_rank.is_adapted(self), self.frozen_modules.values()
        partly = bool(frozen) and not adapted and kwargs.get("state_dict") is None
        # float16 rounds differently, so its checksum cannot match.
        if partly and self.dtype != torch.float16 and backbones.checksum(*frozen) != self.config.embeddings_checksum:
            raise ValueError(
                "The frozen weights are not those of the backbone, and a checkpoint does not store them: set "
                "freeze_embeddings and freeze_feed_forward of model.config to False first."
            )
        for name in (SAFE_WEIGHTS_NAME,) if adapted else (low_rank.CONFIG, low_rank.WEIGHTS):
            (Path(path) / name).unlink(missing_ok=True)
        if adapted:
            return low_rank.save(self, path)
        if partly:
            state, elsewhere = self.state_dict(keep_vars=True), self.frozen_ids
            kwargs["state_dict"] = {k: v.detach() for k, v in state.items() if id(v) not in elsewhere}
        super().save_pretrained(path, *args, **kwargs)

    @property
    def backbone(self) -> PreTrainedModel:
        return self.base_model.cell.backbone

    @property
    def embedding_module(self) -> tuple[str, nn.Module]:
        """Name and module of the backbone's child that contains the word embeddings."""
        words = self.backbone.get_input_embeddings()
        return next((n, c) for n, c in self.backbone.named_children() if any(m is words for m in c.modules()))

    def freezable(self, embeddings: bool, feed_forward: bool) -> dict[str, nn.Module]:
        """{name: module} of the embeddings and feed-forward layers (linear and not square), if chosen."""
        parts = dict([self.embedding_module]) if embeddings else {}
        if feed_forward:
            for name, module in self.backbone.named_modules():
                if isinstance(module, nn.Linear) and module.in_features != module.out_features:
                    parts[name] = module
        return parts

    @property
    def frozen_modules(self) -> dict[str, nn.Module]:
        """{name: module} of the backbone's frozen modules."""
        return self.freezable(*(getattr(self.config, name) for name in FREEZING))

    def freeze(self) -> None:
        """Exclude the frozen modules from training."""
        for module in self.frozen_modules.values():
            module.requires_grad_(False)

    @property
    def frozen_ids(self) -> set[int]:
        """`id` of each frozen parameter; a checkpoint does not store these."""
        return {id(p) for module in self.frozen_modules.values() for p in module.parameters()}

    def recall(self, memory: Tensor, query_ids: Tensor | None = None, query_mask: Tensor | None = None) -> Tensor:
        """Select the memory tokens that each question sees (see `recall.py`): memory [Q, m + s, d] and questions [Q, L]
        -> the whole memory, or with `settle_memory` [Q, n, d]."""
        return settled(memory, self.base_model.memory) if self.config.settle_memory else memory

    def get_input_embeddings(self) -> nn.Module:
        return self.backbone.get_input_embeddings()

    def resize_token_embeddings(self, *args, **kwargs):
        """Not supported: the vocabulary is that of the backbone.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "An RMT uses the vocabulary of its backbone: resize the backbone's token embeddings, save it with its "
            "tokenizer, and build the RMT from that with from_backbone(...)."
        )

    def _set_gradient_checkpointing(self, enable=True, gradient_checkpointing_func=None, **_):
        """`transformers` recomputes each layer in the backward pass; an RMT recomputes each segment as a whole."""
        self.base_model.gradient_checkpointing = enable
        self.base_model.run_again = gradient_checkpointing_func

    @torch.no_grad()
    def _init_weights(self, module):
        super()._init_weights(module)
        if module is self.base_model:
            init.normal_(module.memory, std=MEMORY_STD)
            if module.cell.gate is not None:  # mostly open at first: learn to write before learning to be sparing
                init.constant_(module.cell.gate.score.bias, 3.0)
