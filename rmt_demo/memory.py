"""MemoryCell: ONE segment step of the Recurrent Memory Transformer. The loop over segments is in `modeling.py`.

Layout ("prefix", arXiv 2304.11062 figure 2): the memory is inserted right after the segment's first token,

    [CLS] text [SEP]   ->   [CLS] mem*m [SEP] text [SEP]

The backbone runs on that input, and its last hidden states at the memory positions are the new memory. The backbone is
a Hugging Face encoder built like BERT (see `fitting.py`); its code is never patched. The differences from the paper are
all optional:

- `text_attends_memory=False` hides the memory from the text rows. A segment's text rows then do not depend on what was
  read before, so `encode_text` runs all segments in one batch and keeps each layer's keys and values, and `update` runs
  only the m memory rows against them (`text_pass.py`).
- `memory_update="gated"` adds a hard write gate between the old memory and the new one (`write_gate.py`).
- `num_stored_tokens` adds s stored tokens. The content of the m working tokens moves there before it would be
  overwritten. `update` neither reads nor changes stored tokens; only segments whose text sees the memory see them too.
- `spread_memory=True` gives the working tokens positions spread over the text instead of the m in front of it, and
  `memory_reach` limits each of them to the text near its position (`positions.py`).
- `memory_norm` limits the norm of memory tokens at the backbone's input, so that their position embeddings are not
  drowned, and `age_slope` adds a clearer age signal to stored tokens.
"""

import contextlib
from collections.abc import Callable

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .config import RMTConfig
from .fitting import check
from .positions import Positions
from .text_pass import Player, Recorder, TextKeyValues, TextPassDone
from .write_gate import WriteGate, store


def segment_mask(attention_mask: Tensor, num_memory: int, text_sees_memory: bool) -> Tensor | None:
    """Build the attention mask of [CLS] mem*m [SEP] text [SEP].

    Args:
        attention_mask: [B, L] bool over [CLS] text [SEP], True = real token.
        num_memory: m.
        text_sees_memory: False hides the memory rows from the text rows.

    Returns:
        [B, 1, L+m+1, L+m+1] bool where mask[b, 0, i, j] says that row i may attend to row j (j is a real token, and j
        is text or i is memory), or None if every row may attend to every row.
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
    """One recurrence step, `hidden, memory = cell(input_ids, memory)`. A text is read by looping over its segments.

    Raises:
        ValueError: if the backbone cannot take memory tokens (see `fitting.check`).
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
        """Run one segment together with the memory.

        Args:
            input_ids: [B, L] the segment as the backbone's tokenizer frames it, [CLS] text [SEP], padded on the right;
                or `inputs_embeds` [B, L, d].
            memory: [B, m + s, d]; None or [B, 0, d] gives the backbone's own outputs exactly.
            attention_mask: [B, L], non-zero where there is a token; None = everywhere.
            text_sees_memory: False hides the memory from the text rows, and leaves the stored tokens out.
            watch: called with every layer's queries, keys and mask (see `attention.py`).

        Returns:
            hidden [B, L, d] of the L tokens given, and the new working tokens [B, m, d] before gating (see `write`).
        """
        text = self.embed(input_ids) if inputs_embeds is None else inputs_embeds
        if attention_mask is None:
            attention_mask = torch.ones(text.shape[:2], device=text.device)
        attention_mask = attention_mask.bool()
        if memory is None or memory.shape[1] == 0:
            hidden = self.backbone(inputs_embeds=text, attention_mask=attention_mask).last_hidden_state
            return hidden, hidden[:, :0]
        working, stored, filled = self._split(memory, text_sees_memory)
        m, rows = working.shape[1], working.shape[1] + stored.shape[1]
        stored_at = self.positions.of_stored(filled)
        working, stored = self._scaled(working, text.dtype), self._scaled(stored, text.dtype)
        if self.config.age_slope:
            stored = stored + self.positions.aging(stored_at, text.dtype)
        framed = torch.cat([text[:, :1], working, stored, self._separator(len(text)), text[:, 1:]], dim=1)
        extra = {} if watch is None else {"watch": watch}
        if self.config.spread_memory:  # otherwise the backbone's default positions are right
            text_at = self.positions.of_text(text.shape[1] + 1, text.device).expand(len(text), -1)
            working_at = self.positions.of_working(attention_mask.sum(1))[:, :m]
            places = torch.cat([text_at[:, :1], working_at, stored_at, text_at[:, 1:]], dim=1)
            extra["position_ids"] = places + self.positions.first
        mask = self._mask(attention_mask, m, filled, text_sees_memory)
        hidden = self.backbone(inputs_embeds=framed, attention_mask=mask, **extra).last_hidden_state
        return torch.cat([hidden[:, :1], hidden[:, rows + 2 :]], dim=1), hidden[:, 1 : m + 1]

    def rows_seen(self, memory: Tensor) -> int:
        """Number of memory rows in the input of a segment that sees the stored tokens of memory [B, m + s, d]."""
        working, stored, _ = self._split(memory, with_stored=True)
        return working.shape[1] + stored.shape[1]

    def _split(self, memory: Tensor, with_stored: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Split the memory [B, m + s, d] into working tokens [B, m, d], stored tokens [B, s', d] up to the last one
        filled in any sample, and which of those are filled [B, s'] bool.

        A settled memory [B, n, d] (see `recall.py`) has stored tokens only: then m is 0.
        """
        m = 0 if with_stored and self.config.settle_memory else self.config.num_memory_tokens
        working, stored = memory[:, :m], memory[:, m:]
        filled = stored.any(-1)
        used = filled.any(0).nonzero()
        last = int(used[-1]) + 1 if with_stored and len(used) else 0
        return working, stored[:, :last], filled[:, :last]

    def _mask(self, attention_mask: Tensor, m: int, filled: Tensor, text_sees_memory: bool) -> Tensor | None:
        """The `segment_mask` of m working tokens and s' stored ones, which also hides the stored tokens that are not
        `filled` [B, s'] from all rows, and text out of reach from the working tokens."""
        batch, length = attention_mask.shape
        rows = m + filled.shape[1]
        mask = segment_mask(attention_mask, rows, text_sees_memory)
        if not self.config.memory_reach and rows == m:
            return mask
        size = length + rows + 1
        mask = attention_mask.new_ones(batch, 1, size, size) if mask is None else mask.clone()
        mask[:, 0, :, m + 1 : rows + 1] &= filled[:, None]
        if self.config.memory_reach:
            near = self.positions.near(attention_mask.sum(1), length + 1)[:, :m]
            mask[:, 0, 1 : m + 1, rows + 1 :] &= near[..., 1:]  # the columns [SEP] text [SEP]; [CLS] is always seen
        return mask

    def encode_text(self, input_ids: Tensor, attention_mask: Tensor) -> TextKeyValues:
        """Text pass of `text_attends_memory=False`: encode N segments [N, L] in one batch, without a memory."""
        attention_mask = attention_mask.bool()
        text = self.embed(input_ids)
        framed = torch.cat([text[:, :1], self._separator(len(text)), text[:, 1:]], dim=1)
        kept = TextKeyValues(torch.cat([attention_mask[:, :1], attention_mask], dim=1))
        positions = self.positions.of_text(framed.shape[1], text.device)
        mask = None if bool(kept.mask.all()) else kept.mask[:, None, None, :].expand(-1, 1, framed.shape[1], -1)
        with contextlib.suppress(TextPassDone):
            self.backbone(
                inputs_embeds=framed,
                attention_mask=mask,
                position_ids=positions[None] + self.positions.first,
                text_rows=Recorder(kept, self.backbone.config.num_hidden_layers),
            )
        return kept

    def update(self, memory: Tensor, text: TextKeyValues, watch: Callable | None = None) -> Tensor:
        """Memory pass of `text_attends_memory=False`: run the working tokens of the memory [B, m + s, d] against B
        encoded segments. Returns the new working tokens [B, m, d], before gating."""
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
        # The memory rows run in the backbone's own precision, like the text.
        dtype = self.backbone.get_input_embeddings().weight.dtype
        return self.backbone(
            inputs_embeds=self._scaled(memory, dtype),
            attention_mask=mask,
            position_ids=self.positions.of_working(lengths) + self.positions.first,
            text_rows=Player(text),
            watch=watch,
        ).last_hidden_state

    def write(self, memory: Tensor, new: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Write a segment into the memory, as far as the write gate allows.

        Args:
            memory: [B, m + s, d] before the segment.
            new: [B, m, d], the working tokens after it, before gating.
            start: [m, d], the initial working tokens.

        Returns:
            The memory after the segment [B, m + s, d], and the gate of each working token [B, m], 0 to 1.
        """
        if self.gate is None:
            return new, new.new_ones(new.shape[:2])
        return self.put(memory, new, self.gate(start.expand_as(new), new), start)

    def put(self, memory: Tensor, new: Tensor, gate: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """`write` with a given gate [B, m]."""
        if self.config.num_stored_tokens:
            memory = store(memory, new, gate, start)
        gate = gate.to(memory.dtype)
        working, stored = memory[:, : gate.shape[1]], memory[:, gate.shape[1] :]
        # In this form an open gate gives exactly `new`; memory + g * (new - memory) would round.
        written = (1 - gate[..., None]) * working + gate[..., None] * new
        return torch.cat([written, stored], dim=1), gate

    def _scaled(self, memory: Tensor, dtype: torch.dtype) -> Tensor:
        """Memory tokens [B, n, d] as backbone inputs: scaled down to `memory_norm`, in its precision."""
        limit = self.config.memory_norm
        if limit is not None:
            memory = memory * (limit / memory.norm(dim=-1, keepdim=True).clamp(min=limit))
        return memory.to(dtype)

    def _separator(self, batch: int) -> Tensor:
        sep = torch.tensor([[self.config.sep_token_id]], device=self.backbone.get_input_embeddings().weight.device)
        return self.embed(sep).expand(batch, -1, -1)
