"""MemoryCell: ONE segment step of the Recurrent Memory Transformer. The loop over segments is in `modeling.py`.

Layout ("prefix", arXiv 2304.11062 figure 2): the memory goes into the segment right after its first token,

    [CLS] text [SEP]   ->   [CLS] mem*m [SEP] text [SEP]

the backbone runs on that, and its last layer's output at the memory positions is the new memory. The backbone is a
Hugging Face encoder built like BERT (see `fitting.py`); it is never patched. What differs from the paper is optional:

- `text_attends_memory=False` masks the text rows from the memory rows. The text of a segment is then the same
  whatever was read before, so `encode_text` runs all segments in one batch and keeps each layer's keys and values,
  and `update` runs the m memory rows alone against them (`text_pass.py`).
- `memory_update="gated"` puts a hard write gate between the old memory and the new one (`write_gate.py`), and with
  `num_stored_tokens` what is held moves to s further memory tokens before it would be written over. `update` leaves
  those alone; a segment that sees its memory sees them too.
- `spread_memory=True` gives the memory rows positions along the text instead of the m in front of it, and
  `memory_reach` keeps each of them to the text near its position (`positions.py`).
- `memory_norm` lets memory tokens enter the backbone no longer than words are, so that it sees their positions, and
  `age_slope` lets stored ones tell their age more clearly.
"""

import contextlib
from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .config import RMTConfig
from .fitting import check
from .positions import Positions
from .text_pass import Enough, Player, Recorder, TextKeyValues
from .write_gate import WriteGate, put_aside


def segment_mask(attention_mask: Tensor, num_memory: int, text_sees_memory: bool) -> Tensor | None:
    """Who may look at whom in [CLS] mem*m [SEP] text [SEP].

    Args:
        attention_mask: [B, L] bool over [CLS] text [SEP], True = real token.
        num_memory: m.
        text_sees_memory: False hides the memory rows from the text rows.

    Returns:
        [B, 1, L+m+1, L+m+1] bool where mask[b, 0, i, j] says that row i may look at row j (j is a real token, and it
        is text or i is memory), or None where everyone may look at everyone.
    """
    if text_sees_memory and bool(attention_mask.all()):
        return None
    batch, length = attention_mask.shape
    framed = torch.cat(
        [attention_mask[:, :1], attention_mask.new_ones(batch, num_memory + 1), attention_mask[:, 1:]], 1
    )
    mask = framed[:, None, None, :].expand(batch, 1, framed.shape[1], framed.shape[1])
    if text_sees_memory:
        return mask
    is_memory = torch.zeros(length + num_memory + 1, dtype=torch.bool, device=framed.device)
    is_memory[1 : 1 + num_memory] = True
    return mask & (is_memory[:, None] | ~is_memory[None, :])


class MemoryCell(nn.Module):
    """One step: `hidden, memory = cell(input_ids, memory)`; reading a text is that line in a loop over its segments.

    Raises:
        ValueError: for a backbone that memory tokens do not work with (see `fitting.check`).
    """

    def __init__(self, config: RMTConfig, backbone: PreTrainedModel):
        super().__init__()
        self.config = config
        self.backbone = backbone
        check(self.backbone)
        self.gate = WriteGate(backbone.config.hidden_size) if config.memory_update == "gated" else None
        self.positions = Positions(config, backbone)

    def embed(self, input_ids: Tensor) -> Tensor:
        """Token ids [B, L] -> word embeddings [B, L, d]."""
        return self.backbone.get_input_embeddings()(input_ids)

    def forward(
        self,
        input_ids: Tensor | None = None,
        memory: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        text_sees_memory: bool = True,
        watch: Callable | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Run one segment with its memory.

        Args:
            input_ids: [B, L] the segment as the backbone's tokenizer frames it, [CLS] text [SEP], padded on the right;
                or `inputs_embeds` [B, L, d].
            memory: [B, m + s, d]; m = 0 (or None) gives the backbone's own outputs exactly.
            attention_mask: [B, L], non-zero where there is a token; None = everywhere.
            text_sees_memory: False masks the text rows from the memory rows, and stored tokens from all.
            watch: shown every layer's queries and keys (see `attention.py`).

        Returns:
            hidden [B, L, d] of the L tokens given, and the new working tokens [B, m, d] (ungated, see `write`).
        """
        text = self.embed(input_ids) if inputs_embeds is None else inputs_embeds
        if attention_mask is None:
            attention_mask = torch.ones(text.shape[:2], device=text.device)
        attention_mask = attention_mask.bool()
        if memory is None or memory.shape[1] == 0:
            hidden = self.backbone(inputs_embeds=text, attention_mask=attention_mask).last_hidden_state
            return hidden, hidden[:, :0]
        working, stored, filled = self._split(memory, text_sees_memory)
        m, rows = working.shape[1], working.shape[1] + stored.shape[1]  # a settled memory has no working tokens
        separator = self._separator(len(text))
        rows_in, ages = self._enter(torch.cat([working, stored], dim=1), text.dtype), self.positions.of_stored(filled)
        if self.config.age_slope:
            rows_in = rows_in + nn.functional.pad(self.positions.aging(ages, text.dtype), (0, 0, m, 0))
        framed = torch.cat([text[:, :1], rows_in, separator, text[:, 1:]], dim=1)
        mask = segment_mask(attention_mask, rows, text_sees_memory)
        extra = {} if watch is None else {"watch": watch}
        if self.config.spread_memory:  # otherwise they stand as the backbone counts them by itself
            lengths = attention_mask.sum(1)
            if self.config.memory_reach or stored.shape[1]:
                mask = torch.ones_like(framed[:, None, None, :, 0], dtype=torch.bool) if mask is None else mask
                mask = mask.repeat(1, 1, framed.shape[1] // mask.shape[2], 1)
                mask[:, 0, :, m + 1 : rows + 1] &= filled[:, None]
            if self.config.memory_reach:
                near = self.positions.near(lengths, text.shape[1] + 1)[:, :m]
                near = torch.cat([near[..., :1], near.new_ones(len(near), m, rows), near[..., 1:]], dim=2)
                mask[:, 0, 1 : m + 1] &= near
            spread = self.positions.of_working(lengths)[:, :m]
            text_positions = self.config.num_memory_tokens + 1 + torch.arange(text.shape[1], device=framed.device)
            text_positions = text_positions.expand(len(framed), -1)
            first = torch.zeros_like(text_positions[:, :1])
            places = torch.cat([first, spread, ages, text_positions], dim=1)
            extra["position_ids"] = places + self.positions.first
        hidden = self.backbone(inputs_embeds=framed, attention_mask=mask, **extra).last_hidden_state
        return torch.cat([hidden[:, :1], hidden[:, rows + 2 :]], dim=1), hidden[:, 1 : m + 1]

    def rows_seen(self, memory: Tensor) -> int:
        """How many memory tokens a segment is run with that sees the stored ones of memory [B, m + s, d]."""
        working, stored, _ = self._split(memory, with_stored=True)
        return working.shape[1] + stored.shape[1]

    def _split(self, memory: Tensor, with_stored: bool) -> tuple[Tensor, Tensor, Tensor]:
        """The memory [B, m + s, d] as working tokens [B, m, d], stored ones [B, s', d] up to the last that is filled in
        any sample, and which of those are filled [B, s']. A settled one [B, n, d] has stored ones alone."""
        m = 0 if with_stored and self.config.settle_memory else self.config.num_memory_tokens
        working, stored = memory[:, :m], memory[:, m:]
        filled = stored.any(-1)
        used = filled.any(0).nonzero()
        last = int(used[-1]) + 1 if with_stored and len(used) else 0
        return working, stored[:, :last], filled[:, :last]

    def encode_text(self, input_ids: Tensor, attention_mask: Tensor) -> TextKeyValues:
        """Text pass of `text_attends_memory=False`: N segments [N, L] in one batch, no memory needed."""
        m, attention_mask = self.config.num_memory_tokens, attention_mask.bool()
        text = self.embed(input_ids)
        framed = torch.cat([text[:, :1], self._separator(len(text)), text[:, 1:]], dim=1)
        kept = TextKeyValues(torch.cat([attention_mask[:, :1], attention_mask], dim=1))
        # The text keeps the positions it has beside m memory rows: 0, then m + 1, m + 2, ...
        positions = torch.arange(m, m + framed.shape[1], device=text.device)
        positions[0] = 0
        mask = None if bool(kept.mask.all()) else kept.mask[:, None, None, :].expand(-1, 1, framed.shape[1], -1)
        with contextlib.suppress(Enough):
            self.backbone(
                inputs_embeds=framed,
                attention_mask=mask,
                position_ids=positions[None] + self.positions.first,
                text_rows=Recorder(kept, self.backbone.config.num_hidden_layers),
            )
        return kept

    def update(self, memory: Tensor, text: TextKeyValues, watch: Callable | None = None) -> Tensor:
        """Memory pass of `text_attends_memory=False`: memory [B, m + s, d], B encoded segments -> new working tokens
        [B, m, d]."""
        m = self.config.num_memory_tokens
        memory = memory[:, :m]
        if m == 0:
            return memory
        lengths, mask = text.mask.sum(1) - 1, None
        if self.config.memory_reach or not bool(text.mask.all()):
            seen = text.mask[:, None].expand(-1, m, -1)
            if self.config.memory_reach:
                seen = seen & self.positions.near(lengths, seen.shape[2])
            mask = torch.cat([seen.new_ones(len(memory), m, m), seen], dim=2)[:, None]
        positions = self.positions.of_working(lengths)
        # The memory meets the text in the backbone's own precision.
        dtype = self.backbone.get_input_embeddings().weight.dtype
        return self.backbone(
            inputs_embeds=self._enter(memory, dtype),
            attention_mask=mask,
            position_ids=positions + self.positions.first,
            text_rows=Player(text),
            watch=watch,
        ).last_hidden_state

    def write(self, memory: Tensor, new: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Write a segment into the memory.

        Args:
            memory: [B, m + s, d] before the segment.
            new: [B, m, d], the working tokens after it.
            start: [m, d], the working tokens that a text begins with.

        Returns:
            The memory to carry on [B, m + s, d], and how far each working token was written [B, m].
        """
        if self.gate is None:
            return new, new.new_ones(new.shape[:2])
        return self.put(memory, new, self.gate(start.expand_as(new), new), start)

    def put(self, memory: Tensor, new: Tensor, gate: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """The same for a given gate [B, m]."""
        if self.config.num_stored_tokens:
            memory = put_aside(memory, new, gate, start)
        gate = gate.to(memory.dtype)
        working, stored = memory[:, : gate.shape[1]], memory[:, gate.shape[1] :]
        # Written this way, an open gate gives exactly `new`; memory + g * (new - memory) would round.
        written = (1 - gate[..., None]) * working + gate[..., None] * new
        return torch.cat([written, stored], dim=1), gate

    def _enter(self, memory: Tensor, dtype: torch.dtype) -> Tensor:
        """Memory tokens [B, n, d] as the backbone gets them."""
        longest = self.config.memory_norm
        if longest is not None:
            memory = memory * (longest / memory.norm(dim=-1, keepdim=True).clamp(min=longest))
        return memory.to(dtype)

    def _separator(self, batch: int) -> Tensor:
        sep = torch.tensor([[self.config.sep_token_id]], device=self.backbone.get_input_embeddings().weight.device)
        return self.embed(sep).expand(batch, -1, -1)
