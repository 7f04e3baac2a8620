"""Where memory tokens stand for the backbone: in front of the text, along it, or behind it with their age.

Text of a segment keeps the positions that it has behind m memory tokens: [CLS] at 0, the rest from m + 1 on. All
positions here count from there; `first` is what a backbone adds to them.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from .config import RMTConfig


class Positions:
    """Of memory tokens that go through one backbone.

    first: the position that the backbone's first token has: BERT's 0, RoBERTa's the one behind that of padding.

    Raises:
        ValueError: for `age_slope` and a backbone without position embeddings.
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
        """Tokens the backbone has positions for, memory and special tokens included; None if it sets no limit."""
        positions = getattr(self.backbone.config, "max_position_embeddings", None)
        return positions - self.first if positions else None

    def of_working(self, lengths: Tensor) -> Tensor:
        """Where working tokens stand: lengths [B] of [CLS] text [SEP] -> position ids [B, m]. In front of the text (1
        to m), or spread evenly over it, so that the backbone's local attention gives each memory token its own stretch
        of the text (as arXiv 2409.14364 does for compression tokens)."""
        m = self.config.num_memory_tokens
        index = torch.arange(m, device=lengths.device).expand(len(lengths), -1)
        if not self.config.spread_memory:
            return index + 1
        return m + 1 + (2 * index + 1) * (lengths[:, None] - 1) // (2 * m)

    def of_stored(self, filled: Tensor) -> Tensor:
        """Where stored tokens stand: which are `filled` [B, s'] -> position ids [B, s'], behind the longest segment and
        in their order; blank ones between them do not count. More of them than the backbone has positions for are
        spread over those there are, several at each."""
        rank, begin = (filled.long().cumsum(1) - 1).clamp(min=0), self._behind
        if self.longest_input:
            count, room = filled.sum(1, keepdim=True), self.longest_input - begin
            rank = torch.where(count > room, rank * room // count.clamp(min=1), rank)
        return begin + rank

    def aging(self, ages: Tensor, dtype: torch.dtype) -> Tensor:
        """What `age_slope` adds to stored tokens: where they stand, [B, s'] as `of_stored` has it -> [B, s', d], the
        more the later, in the direction in which position embeddings change on the whole from there on."""
        there = self.table.weight[self.first + self._behind :].detach().float()
        place = torch.arange(len(there), device=there.device) - (len(there) - 1) / 2
        slope = place @ there / place.square().sum().clamp(min=1)  # by least squares
        return (self.config.age_slope * (ages - self._behind)[..., None] * slope).to(dtype)

    def near(self, lengths: Tensor, rows: int) -> Tensor:
        """Which text a memory token sees when its reach is limited: lengths [B] of [CLS] text [SEP] -> [B, m, rows]
        bool over the rows [CLS] [SEP] text [SEP]. Two facts of a segment then mostly meet different memory tokens."""
        m = self.config.num_memory_tokens
        at = torch.arange(m, m + rows, device=lengths.device)  # the positions of the text, see `MemoryCell.encode_text`
        reach = (3 * lengths // (2 * m)).clamp(min=self.config.memory_reach)
        near = (at - self.of_working(lengths)[..., None]).abs() <= reach[:, None, None]
        near[..., :2] = True  # everyone sees [CLS] [SEP], where attention rests that has nothing to look for
        return near

    @property
    def _behind(self) -> int:
        """The position behind the longest segment, or the backbone's last."""
        longest = self.config.segment_length
        return min(longest, self.longest_input - 1) if self.longest_input else longest
