"""RMTModel: the recurrence over segments (its heads are in `heads.py`).

The loop is `memory = step(segment, memory)` over all segments but the last; the last one, which holds the question, is
read with the memory in full view and its hidden states go to a head. Gradients flow back through every hand-over of
the memory (BPTT), or through the last `bptt_depth` of them.

Segments are given in any of three shapes:

    input_ids [B, T]              plain text tokens; cut here so that the last segment is full (the paper)
    input_ids [B, S, L]           S framed segments, [CLS] text [SEP], padded on the right
    input_ids [N, L], order [B, S]   a table of framed segments and, per sample, which row comes when (-1: none). Many
                                  samples can share the rows of background text, which are then encoded once.

A sample's last segment is the question's unless `query_ids` [Q, L'] gives questions apart: then all of `order` is read
and question q is asked to the memory of sample `query_of[q]`, as many questions per sample as you like.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PreTrainedModel
from transformers import initialization as init
from transformers.utils import ModelOutput

from . import backbones
from .config import RMTConfig
from .data.world import UNKNOWN
from .framing import frame_last_full
from .memory import MemoryCell
from .segments import token_ids
from .text_pass import TextKeyValues

MEMORY_STD = 0.055  # of the initial memory: that of MiniLM's word embeddings, so that memory tokens start out different


@dataclass
class RMTOutput(ModelOutput):
    """loss []; logits of the head; memory [B, m + s, d] after the segments read; gates [B, S, m], how far each working
    token was written at each segment (1 everywhere without a gate); last_hidden_state [Q, L, d] and query_ids [Q, L] of
    the last segment."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    memory: Tensor | None = None
    gates: Tensor | None = None
    last_hidden_state: Tensor | None = None
    query_ids: Tensor | None = None


class RMTPreTrainedModel(PreTrainedModel):
    """Loading, saving and initialisation shared by the model and its heads."""

    config_class = RMTConfig
    base_model_prefix = "rmt"
    _supports_sdpa = True
    _no_split_modules = ["MemoryCell"]
    accepts_loss_kwargs = False  # the Trainer takes any **kwargs of forward as an invitation

    @classmethod
    def from_backbone(cls, name: str, **config) -> "RMTPreTrainedModel":
        """A new RMT around a pretrained backbone; `config` are RMTConfig fields.

        Raises:
            ValueError: if the backbone cannot be found or is no encoder, or a field is out of range.
        """
        backbone = backbones.load_backbone(name)
        if backbones.is_decoder(backbone.config):
            raise ValueError(
                f'The backbone {name!r} is a decoder, the "prefix" layout needs an encoder: choose one like BERT.'
            )
        tokenizer = backbones.load_tokenizer(name)
        described = backbone.config.to_dict()
        described.pop("_name_or_path", None)  # where it was found on this machine is nobody else's business
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
        """As in `transformers`; what training never changed is fetched from the named backbone.

        Raises:
            ValueError: if that backbone cannot be found or its weights are not those of the training.
        """
        loaded = super().from_pretrained(path, *args, **kwargs)
        model = loaded[0] if isinstance(loaded, tuple) else loaded  # a pair with output_loading_info=True
        if frozen := model.frozen_modules:
            source = backbones.load_backbone(model.config.backbone, dtype=model.dtype)
            for name, module in frozen.items():
                module.load_state_dict(source.get_submodule(name).state_dict())
                module.requires_grad_(False)  # loading has made new parameters
            if model.config.embeddings_checksum not in (None, backbones.checksum(*frozen.values())):
                raise ValueError(
                    f"{path} was trained with other weights than those of the backbone {model.config.backbone!r}: "
                    "name the backbone it was made with in its config.json."
                )
            model.tie_weights()
        return loaded

    def save_pretrained(self, path, *args, **kwargs):
        """As in `transformers`, without what is frozen."""
        frozen = self.frozen_ids
        if frozen and kwargs.get("state_dict") is None:
            state = self.state_dict(keep_vars=True)
            kwargs["state_dict"] = {k: v.detach() for k, v in state.items() if id(v) not in frozen}
        super().save_pretrained(path, *args, **kwargs)

    @property
    def backbone(self) -> PreTrainedModel:
        base = self if isinstance(self, RMTModel) else self.rmt
        return base.cell.backbone

    @property
    def embedding_module(self) -> tuple[str, nn.Module]:
        """Name and module of the backbone's part that holds its word embeddings."""
        words = self.backbone.get_input_embeddings()
        return next((n, c) for n, c in self.backbone.named_children() if any(m is words for m in c.modules()))

    @property
    def frozen_modules(self) -> dict[str, nn.Module]:
        """What of the backbone training leaves as it is, by name in it: its embeddings, its feed-forward layers (those
        that make vectors wider or narrower)."""
        frozen = dict([self.embedding_module]) if self.config.freeze_embeddings else {}
        if self.config.freeze_feed_forward:
            for name, module in self.backbone.named_modules():
                if isinstance(module, nn.Linear) and module.in_features != module.out_features:
                    frozen[name] = module
        return frozen

    @property
    def frozen_ids(self) -> set[int]:
        """Which parameters those are, by identity: a checkpoint does not store them."""
        return {id(p) for module in self.frozen_modules.values() for p in module.parameters()}

    def get_input_embeddings(self) -> nn.Module:
        return self.backbone.get_input_embeddings()

    @torch.no_grad()
    def _init_weights(self, module):
        super()._init_weights(module)
        if isinstance(module, RMTModel):
            init.normal_(module.memory, std=MEMORY_STD)
            if module.cell.gate is not None:  # mostly open at first, so that writing is learned before thrift
                init.constant_(module.cell.gate.score.bias, 3.0)


class RMTModel(RMTPreTrainedModel):
    """The recurrence: reads segments into a memory and runs the last one with that memory in view.

    Raises:
        ValueError: if segment_length is more than the backbone has positions for.
    """

    _keys_to_ignore_on_load_unexpected = [r"^(transform|bias|classifier)\b"]  # of a head that is not asked for

    def __init__(self, config: RMTConfig):
        super().__init__(config)
        backbone_config = config.build_backbone_config()
        backbone = backbones.without_pooler(AutoModel.from_config(backbone_config))
        self.cell = MemoryCell(config, backbone)
        positions = self.cell.longest_input
        if positions and config.segment_length > positions:
            raise ValueError(
                f"segment_length {config.segment_length} is more than the backbone's {positions} positions: "
                "make it that or less."
            )
        self.memory = nn.Parameter(torch.empty(config.num_memory_tokens, backbone.config.hidden_size))
        for module in self.frozen_modules.values():
            module.requires_grad_(False)
        self._keys_to_ignore_on_load_missing = [rf"backbone\.{re.escape(name)}\." for name in self.frozen_modules]
        self.post_init()

    def initial_memory(self, batch: int) -> Tensor:
        """The memory a text starts with [batch, m + s, d]: learned working tokens, and stored ones that are blank."""
        return nn.functional.pad(self.memory, (0, 0, 0, self.config.num_stored_tokens)).expand(batch, -1, -1)

    def write(self, memory: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
        """The memory [B, m + s, d] and what a segment makes of its working tokens [B, m, d] -> (the memory to carry on
        [B, m + s, d], how far each working token was written [B, m])."""
        return self.cell.write(memory, new, self.memory)

    def read(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        order: Tensor,
        memory: Tensor,
        num_trained: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Read segments in turn.

        Args:
            input_ids, attention_mask: [N, L] the table of framed segments.
            order: [B, S] rows of the table; -1 leaves that sample's memory as it is.
            memory: [B, m + s, d] to start from.
            num_trained: with `text_attends_memory=False`, rows from here on are encoded without gradient: background
                text, whose encoding training need not change. The recurrence over them still carries gradients.

        Returns:
            memory [B, m + s, d] and gates [B, S, m].
        """
        depth, steps, gates = self.config.bptt_depth, order.shape[1], []
        rows = order.clamp(min=0)
        if not self.config.text_attends_memory and steps:
            text = self._encode_table(input_ids, attention_mask, num_trained)
        for t in range(steps):
            # Segment t is handed over steps - t times before the last segment is done with it.
            with torch.set_grad_enabled(torch.is_grad_enabled() and (depth is None or steps - t <= depth)):
                if self.config.text_attends_memory:
                    new = self.cell(input_ids[rows[:, t]], memory, attention_mask[rows[:, t]])[1]
                else:
                    new = self.cell.update(memory, _pick(text, rows[:, t]))
                written, gate = self.write(memory, new)
                real = (order[:, t] >= 0)[:, None]
                memory = torch.where(real[..., None], written, memory)
                gates.append(gate * real)
        return memory, torch.stack(gates, dim=1) if gates else memory.new_zeros(
            len(memory), 0, self.config.num_memory_tokens
        )

    def _encode_table(self, input_ids, attention_mask, num_trained) -> list[TextKeyValues]:
        """One TextKeyValues per row: a step stacks the rows it needs, so that its gradient touches only those."""
        cut = len(input_ids) if num_trained is None else num_trained
        rows = []
        for part, trained in ((slice(0, cut), True), (slice(cut, None), False)):
            if len(input_ids[part]):
                with torch.set_grad_enabled(torch.is_grad_enabled() and trained):
                    text = self.cell.encode_text(input_ids[part], attention_mask[part])
                pairs = [(k.unbind(0), v.unbind(0)) for k, v in text.layers]
                for i, mask in enumerate(text.mask.unbind(0)):
                    rows.append(TextKeyValues(mask, [(k[i], v[i]) for k, v in pairs]))
        return rows

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        order: Tensor | None = None,
        memory: Tensor | None = None,
        query_ids: Tensor | None = None,
        query_mask: Tensor | None = None,
        query_of: Tensor | None = None,
        num_trained: int | None = None,
        recall: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None,
    ) -> RMTOutput:
        """See the module's docstring for the shapes. `recall` says what of the memories [Q, m + s, d] the questions
        [Q, L] with their masks are asked of.

        Raises:
            ValueError: if the segments are longer than config.segment_length allows, or a sample has no last one.
        """
        if input_ids.dim() == 2 and order is None:
            input_ids, attention_mask = frame_last_full(input_ids, attention_mask, self.config)
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        if input_ids.dim() == 3:
            batch, steps, _ = input_ids.shape
            order = torch.arange(batch * steps, device=input_ids.device).view(batch, steps)
            order = order.masked_fill(~attention_mask.bool().any(-1), -1)
            input_ids, attention_mask = input_ids.flatten(0, 1), attention_mask.flatten(0, 1)
        if query_ids is None:
            last = order[:, -1]
            if bool((last < 0).any()):
                raise ValueError(
                    "The last segment of every sample holds its question: put the -1 of shorter samples in front."
                )
            order, query_ids, query_mask = order[:, :-1], input_ids[last], attention_mask[last]
        longest, limit = max(input_ids.shape[1], query_ids.shape[1]), self.config.text_capacity + 2
        if longest > limit:
            raise ValueError(f"A segment has {longest} tokens; with this config it may have {limit}.")
        memory = self.initial_memory(len(order)) if memory is None else memory
        memory, gates = self.read(input_ids, attention_mask, order, memory, num_trained)
        asked = memory if query_of is None else memory[query_of]
        if recall is not None:
            asked = recall(asked, query_ids, query_mask)
        hidden, after = self.cell(query_ids, asked, query_mask)
        if query_of is None:
            memory = self.write(memory, after)[0]
        return RMTOutput(memory=memory, gates=gates, last_hidden_state=hidden, query_ids=query_ids)


def _pick(rows: list[TextKeyValues], index: Tensor) -> TextKeyValues:
    """Stack the encoded segments `index` [B]."""
    chosen = [rows[i] for i in index.tolist()]
    layers = [
        (torch.stack([c.layers[n][0] for c in chosen]), torch.stack([c.layers[n][1] for c in chosen]))
        for n in range(len(chosen[0].layers))
    ]
    return TextKeyValues(torch.stack([c.mask for c in chosen]), layers)


AutoConfig.register(RMTConfig.model_type, RMTConfig)
AutoModel.register(RMTConfig, RMTModel)
