"""RMTModel: the recurrence over segments (the heads are in `heads.py`).

The loop is `memory = step(segment, memory)` over all segments but the last. The last segment holds the question: its
text attends to the memory, and its hidden states go to a head. Gradients flow back from segment to segment through the
memory (BPTT), over all segments or only over the last `bptt_depth`.

Segments can be given in three ways:

    input_ids [B, T]              text tokens only; cut here so that the last segment is full (the paper)
    input_ids [B, S, L]           S framed segments, [CLS] text [SEP], padded on the right
    input_ids [N, L], order [B, S]   a table of framed segments and, per sample, the table rows in reading order (-1 =
                                  none). Many samples can share rows of background text, which are then encoded once.

The last segment of a sample holds the question, unless questions are given separately as `query_ids` [Q, L']. Then all
segments in `order` are read, and question q is asked of the memory of sample `query_of[q]`. A sample can have any
number of questions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel
from transformers.utils import ModelOutput

from . import backbones
from .config import RMTConfig
from .framing import frame_last_full
from .memory import MemoryCell
from .pretrained import RMTPreTrainedModel
from .text_pass import TextKeyValues

PARTS = 4  # questions to settled memories run in this many parts, grouped by memory length


@dataclass
class RMTOutput(ModelOutput):
    """Output of RMTModel and its heads.

    loss               [], if there were labels
    logits             of the head
    memory             [B, m + s, d] after all segments; the question's is not written if `query_of` is given or with
                       `settle_memory`
    gates              [B, S, m] of each working token at each segment read before the question, 0 to 1 (1 without a
                       write gate)
    last_hidden_state  [Q, L, d] of the segments with the questions
    query_ids          [Q, L] these segments
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    memory: Tensor | None = None
    gates: Tensor | None = None
    last_hidden_state: Tensor | None = None
    query_ids: Tensor | None = None


class RMTModel(RMTPreTrainedModel):
    """The recurrence: reads segments into a memory, and runs the last one so that its text sees that memory.

    Raises:
        ValueError: if the backbone has fewer positions than segment_length, or cannot take memory tokens.
    """

    _keys_to_ignore_on_load_unexpected = [r"^(transform|bias|classifier)\b"]  # the weights of a head

    def __init__(self, config: RMTConfig):
        super().__init__(config)
        backbone_config = config.build_backbone_config()
        backbone = backbones.without_pooler(AutoModel.from_config(backbone_config))
        self.cell = MemoryCell(config, backbone)
        positions = self.cell.positions.longest_input
        if positions and config.segment_length > positions:
            raise ValueError(
                f"segment_length {config.segment_length} is more than the backbone's {positions} positions: "
                "make it that or less."
            )
        self.memory = nn.Parameter(torch.empty(config.num_memory_tokens, backbone.config.hidden_size))
        self.gradient_checkpointing, self.run_again = False, None
        self.freeze()
        # A checkpoint lacks what was frozen when it was saved; today's config may freeze less. A checksum in the config
        # says that something was frozen then.
        lacking = self.frozen_modules if config.embeddings_checksum is None else self.freezable(True, True)
        self._keys_to_ignore_on_load_missing = [rf"backbone\.{re.escape(name)}\." for name in lacking]
        self.post_init()

    def initial_memory(self, batch: int) -> Tensor:
        """The memory before the first segment [batch, m + s, d]: learned working tokens and blank stored tokens."""
        return nn.functional.pad(self.memory, (0, 0, 0, self.config.num_stored_tokens)).expand(batch, -1, -1)

    def write(self, memory: Tensor, new: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new working tokens [B, m, d] of a segment into the memory [B, m + s, d].

        Returns:
            The memory after the segment [B, m + s, d], and the gate of each working token [B, m], 0 to 1.
        """
        return self.cell.write(memory, new, self.memory)

    def read(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        order: Tensor,
        memory: Tensor,
        num_trained: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Read segments one after the other.

        Args:
            input_ids, attention_mask: [N, L] the table of framed segments.
            order: [B, S] table rows in reading order; -1 leaves the sample's memory as it is.
            memory: [B, m + s, d] before the first segment.
            num_trained: with `text_attends_memory=False`, table rows from this index on are encoded without gradient
                (background text, which need not be trained on). The recurrence over them still carries gradients.

        Returns:
            The memory [B, m + s, d] and the gates [B, S, m].
        """
        depth, steps = self.config.bptt_depth, order.shape[1]
        gates = memory.new_zeros(*order.shape, self.config.num_memory_tokens)
        if not self.config.text_attends_memory and steps:
            text = self._encode_table(input_ids, attention_mask, num_trained)
        for t in range(steps):
            reading = (order[:, t] >= 0).nonzero()[:, 0]  # samples with a segment at this step
            if not len(reading):
                continue
            everyone = len(reading) == len(memory)  # avoids copying the memory
            rows, before = order[reading, t], memory if everyone else memory[reading]
            # The memory written at step t passes steps - t segment boundaries on its way to the last segment.
            with torch.set_grad_enabled(torch.is_grad_enabled() and (depth is None or steps - t <= depth)):
                if self.config.text_attends_memory:
                    new = self._run(self.cell, input_ids[rows], before, attention_mask[rows])[1]
                else:
                    new = self._run(self.cell.update, before, _pick(text, rows))
                written, gate = self.write(before, new)
                written = written.to(memory.dtype)
                memory = written if everyone else memory.index_copy(0, reading, written)
                gates[reading, t] = gate.to(gates.dtype)
        return memory, gates

    def _run(self, segment: Callable, *inputs):
        """Run one step. With gradient checkpointing only its inputs are kept, and backward runs it again."""
        checkpointed = self.gradient_checkpointing and self.training and torch.is_grad_enabled()
        return self.run_again(segment, *inputs) if checkpointed else segment(*inputs)

    def _ask(self, query_ids: Tensor, memory: Tensor, query_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Run the segments of Q questions [Q, L], each with its own memory [Q, m + s, d]. Returns the cell's outputs.

        Settled memories are grouped by length, so that short ones are not padded to the length of the longest.
        """
        if not self.config.settle_memory:
            return self.cell(query_ids, memory, query_mask)
        turn = memory.any(-1).sum(1).argsort()  # the shortest memory first
        parts = [self.cell(query_ids[part], memory[part], query_mask[part]) for part in turn.chunk(PARTS)]
        hidden, after = map(torch.cat, zip(*parts, strict=True))
        back = turn.argsort()
        return hidden[back], after[back]

    def _encode_table(self, input_ids, attention_mask, num_trained) -> list[TextKeyValues]:
        """Encode the table into one TextKeyValues per row. A step stacks only the rows it needs, so that its backward
        pass touches only those."""
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
        token_type_ids: Tensor | None = None,
    ) -> RMTOutput:
        """Read the segments and run those with the questions.

        Args:
            input_ids, attention_mask, order, query_ids, query_mask, query_of: see the module docstring.
            memory: [B, m + s, d] before the first segment; None = the initial memory.
            num_trained: see `read`.
            recall: selects the memory tokens for the questions: memory [Q, m + s, d], query_ids [Q, L], query_mask
                [Q, L] -> [Q, m + s, d] (see `RMTForMaskedLM.recall`).
            token_type_ids: ignored; BERT's tokenizers return them, but text and question have the same type here.

        Raises:
            ValueError: if a segment is longer than config.segment_length allows, a sample has no last segment, or
                input_ids or memory have the wrong shape.
        """
        if input_ids is None or input_ids.dim() not in (2, 3):
            raise ValueError("input_ids must be [B, T], [B, S, L] or, with an order, [N, L].")
        expected = (self.config.memory_size, self.memory.shape[1])
        if memory is not None and tuple(memory.shape[1:]) != expected:
            raise ValueError(f"The memory must be [B, {expected[0]}, {expected[1]}], not {list(memory.shape)}.")
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
        if query_mask is None:
            query_mask = torch.ones_like(query_ids)
        longest, limit = max(input_ids.shape[1], query_ids.shape[1]), self.config.text_capacity + 2
        if longest > limit:
            raise ValueError(f"A segment has {longest} tokens, but this config allows {limit}.")
        memory = self.initial_memory(len(order)) if memory is None else memory
        memory, gates = self.read(input_ids, attention_mask, order, memory, num_trained)
        asked = self.recall(memory)
        if query_of is not None:
            asked = asked[query_of]
        if recall is not None:
            asked = recall(asked, query_ids, query_mask)
        hidden, after = self._ask(query_ids, asked, query_mask)
        if query_of is None and after.shape[1]:
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
