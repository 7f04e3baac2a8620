"""Position ids of memory tokens: in front of the text, spread over it, or behind it in order of age.

Text always keeps the positions it has with m memory tokens in front of it: [CLS] at 0, the rest from m + 1 on. All
position ids in this module count from 0; add `first` for backbones that number positions from elsewhere.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from .config import RMTConfig


class Positions:
    """Position ids of memory tokens for one backbone.

    first: position id of the backbone's first token: 0 for BERT, the padding index + 1 for RoBERTa.

    Raises:
        ValueError: if `age_slope` is set and the backbone has no position embeddings.
    """

    def __init__(self, config: RMTConfig, backbone: PreTrainedModel):
        self.config, self.backbone = config, backbone
        modules = backbone.named_modules()
        self.table = next((part for name, part in modules if name.endswith("position_embeddings")), None)
        if config.age_slope and self.table is None:
            raise ValueError("age_slope needs a backbone with position embeddings: leave it 0 for this one.")
        padding = getattr(self.table, "padding_idx", None)
        self.first = 0 if padding is None else padding + 1

    @property
    def longest_input(self) -> int | None:
        """Most tokens in one backbone input, memory and special tokens included; None if there is no limit."""
        positions = getattr(self.backbone.config, "max_position_embeddings", None)
        return positions - self.first if positions else None

    def of_text(self, rows: int, device: torch.device) -> Tensor:
        """Position ids [rows] of the text's rows [CLS] [SEP] text [SEP]: 0, then m + 1, m + 2, ..."""
        at = torch.arange(rows, device=device)
        return torch.where(at > 0, at + self.config.num_memory_tokens, 0)

    def of_working(self, lengths: Tensor) -> Tensor:
        """Position ids [B, m] of the working tokens, for segments [CLS] text [SEP] of `lengths` [B].

        They are in front of the text (1 to m), or with `spread_memory` spread evenly over it, so that the backbone's
        local attention gives each token its own part of the text (as arXiv 2409.14364 does for compression tokens).
        """
        m = self.config.num_memory_tokens
        index = torch.arange(m, device=lengths.device).expand(len(lengths), -1)
        if not self.config.spread_memory:
            return index + 1
        return m + 1 + (2 * index + 1) * (lengths[:, None] - 1) // (2 * m)

    def of_stored(self, filled: Tensor) -> Tensor:
        """Position ids [B, s'] of the stored tokens that are `filled` [B, s']: consecutive, after the longest possible
        segment. Blank tokens take no position. If there are fewer positions than filled tokens, neighbours share them.
        """
        rank, begin = (filled.long().cumsum(1) - 1).clamp(min=0), self._after_text
        if self.longest_input:
            count, room = filled.sum(1, keepdim=True), self.longest_input - begin
            rank = torch.where(count > room, rank * room // count.clamp(min=1), rank)
        return begin + rank

    def aging(self, ages: Tensor, dtype: torch.dtype) -> Tensor:
        """The age signal that `age_slope` adds to stored tokens at positions `ages` [B, s'] (see `of_stored`):
        [B, s', d], proportional to the position, along the linear trend of the position embeddings there."""
        embeddings = self.table.weight[self.first + self._after_text :].detach().float()
        place = torch.arange(len(embeddings), device=embeddings.device) - (len(embeddings) - 1) / 2
        slope = place @ embeddings / place.square().sum().clamp(min=1)  # least squares
        return (self.config.age_slope * (ages - self._after_text)[..., None] * slope).to(dtype)

    def near(self, lengths: Tensor, rows: int) -> Tensor:
        """Which text each working token may attend to with `memory_reach`, for segments [CLS] text [SEP] of `lengths`
        [B]: [B, m, rows] bool over the rows [CLS] [SEP] text [SEP]. It makes two facts of one segment mostly reach
        different memory tokens."""
        m = self.config.num_memory_tokens
        at = self.of_text(rows, lengths.device)
        reach = (3 * lengths // (2 * m)).clamp(min=self.config.memory_reach)
        near = (at - self.of_working(lengths)[..., None]).abs() <= reach[:, None, None]
        near[..., :2] = True  # always [CLS] [SEP], the usual attention sinks
        return near

    @property
    def _after_text(self) -> int:
        """The first position after the longest possible segment, or the backbone's last position."""
        longest = self.config.segment_length
        return min(longest, self.longest_input - 1) if self.longest_input else longest
