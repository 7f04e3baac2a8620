"""The attention function behind `text_attends_memory=False`: encode the text once, attend to it later.

The text pass records each layer's keys and values; the memory pass appends them to the memory rows' own. Both use an
attention function registered with `transformers.AttentionInterface`; the backbone's code is unchanged.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask


@dataclass
class TextKeyValues:
    """Each layer's keys and values of the text rows of N segments.

    layers: per layer a pair of tensors [N, heads, T, head_dim], T = L + 1 text rows ([CLS] [SEP] text [SEP])
    mask:   [N, T] bool, True = real token
    """

    mask: Tensor
    layers: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def rows(self, index: Tensor) -> "TextKeyValues":
        """Select the segments `index` [B] of the N, in that order."""
        return TextKeyValues(self.mask[index], [(k[index], v[index]) for k, v in self.layers])


class TextPassDone(Exception):
    """Ends the text pass once the last layer's keys and values are recorded: that layer's output is not needed."""


class Recorder:
    """Passed to the attention function in the text pass: records the keys and values of all `depth` layers."""

    def __init__(self, kept: TextKeyValues, depth: int):
        self.kept, self.depth = kept, depth

    def __call__(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.kept.layers.append((key, value))
        if len(self.kept.layers) == self.depth:
            raise TextPassDone
        return key, value


class Player:
    """Passed to the attention function in the memory pass: appends the text's keys and values to the memory's."""

    def __init__(self, kept: TextKeyValues):
        self.layers = iter(kept.layers)

    def __call__(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        text_key, text_value = next(self.layers)
        return torch.cat([key, text_key.to(key.dtype)], dim=2), torch.cat([value, text_value.to(value.dtype)], dim=2)


PLAIN_ROWS = 384  # up to this many query rows, unfused attention trains faster on a CPU than the fused kernel


def _memory_attention(module, query, key, value, attention_mask, text_rows=None, watch=None, **kwargs):
    """Scaled dot-product attention. `text_rows` and `watch` arrive as keyword arguments of the backbone's forward.
    `watch` is called with the inputs of the attention and changes nothing (see `attention.py`)."""
    if text_rows is not None:
        key, value = text_rows(key, value)
    if watch is not None:
        watch(query, key, attention_mask, **kwargs)
    learning = module.training and torch.is_grad_enabled()
    if learning and query.device.type == "cpu" and query.shape[2] <= PLAIN_ROWS:
        return _plain_attention(query, key, value, attention_mask, **kwargs), None
    # Encoders are bidirectional. Some (Splinter) do not declare it and would get a causal mask if there is no other.
    return sdpa_attention_forward(module, query, key, value, attention_mask, **(kwargs | {"is_causal": False}))


def _plain_attention(query, key, value, mask, scaling, dropout=0.0, **_):
    """The same without the fused kernel, whose backward is 3 to 8 times slower on a CPU for short segments."""
    scores = query @ key.transpose(-1, -2) * scaling
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = nn.functional.dropout(scores.softmax(dim=-1), dropout)
    return (weights @ value).transpose(1, 2)


ATTENTION = "rmt_memory"
AttentionInterface.register(ATTENTION, _memory_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)
