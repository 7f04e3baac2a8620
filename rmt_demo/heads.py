"""The heads on top of RMTModel: classification, or open answers from the whole vocabulary."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification
from transformers import initialization as init
from transformers.loss.loss_utils import ForSequenceClassificationLoss

from .config import RMTConfig
from .modeling import RMTModel, RMTOutput
from .pretrained import RMTPreTrainedModel
from .questions import slots
from .recall import ROUND_TWO, compact, keep_only, stretches


class Head(RMTPreTrainedModel):
    """Base class of both heads. `forward` names all arguments of RMTModel, as Trainer passes only named arguments."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        order: Tensor | None = None,
        memory: Tensor | None = None,
        query_ids: Tensor | None = None,
        query_mask: Tensor | None = None,
        query_of: Tensor | None = None,
        num_trained: int | None = None,
        token_type_ids: Tensor | None = None,
    ) -> RMTOutput:
        """Answer the questions. Arguments other than `labels` are those of `RMTModel.forward`.

        Args:
            labels: [B], or [B, k] for open answers with k [MASK] slots; Q instead of B with `query_ids`.

        Returns:
            RMTOutput with the loss if there are labels, and logits [B, num_labels], or [B, k, V] for open answers.

        Raises:
            ValueError: as RMTModel.forward, or if a question is too short to have its slots.
        """
        recall = None if self.training or self.config.settle_memory else self.recall
        out = self.rmt(input_ids, attention_mask, order, memory, query_ids, query_mask, query_of, num_trained, recall)
        logits = self._answers(out.query_ids, out.last_hidden_state)
        return replace(out, loss=None if labels is None else self._loss(logits, labels), logits=logits)


class RMTForSequenceClassification(Head):
    """Predicts one of `config.num_labels` classes from the [CLS] of the last segment: the paper's 6-way tasks."""

    def __init__(self, config: RMTConfig):
        super().__init__(config)
        self.rmt = RMTModel(config)
        self.classifier = nn.Linear(self.backbone.config.hidden_size, config.num_labels)
        self.post_init()

    def _answers(self, query_ids: Tensor, hidden: Tensor) -> Tensor:
        """Questions [Q, L] and their hidden states [Q, L, d] -> logits [Q, num_labels]."""
        return self.classifier(hidden[:, 0]).float()

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The standard classification loss of `transformers` for labels [Q]: squared error for a single label,
        otherwise by `config.problem_type`."""
        return ForSequenceClassificationLoss(labels, logits, self.config)


class RMTForMaskedLM(Head):
    """Open answers: the question ends in [MASK] slots, and the head fills them from the whole vocabulary.

    The head is BERT's (arXiv 1810.04805): dense, GELU, LayerNorm, then the word embeddings as output weights, so that
    the answer can be a word never seen in training.
    """

    def __init__(self, config: RMTConfig):
        super().__init__(config)
        self.rmt = RMTModel(config)
        width = self.backbone.config.hidden_size
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(self.get_input_embeddings().num_embeddings))
        self.post_init()

    def _init_weights(self, module):
        super()._init_weights(module)
        if isinstance(module, RMTForMaskedLM):
            init.zeros_(module.bias)

    def slot_logits(self, hidden: Tensor) -> Tensor:
        """Hidden states [..., d] -> logits over the vocabulary [..., V]."""
        words = self.get_input_embeddings().weight
        return F.linear(self.transform(hidden), words, self.bias).float()

    def recall(self, memory: Tensor, query_ids: Tensor, query_mask: Tensor | None = None) -> Tensor:
        """Select the memory tokens for each question, in two rounds where `recall.py` says so.

        Args:
            memory: [Q, m + s, d].
            query_ids, query_mask: [Q, L] the framed questions.

        Returns:
            [Q, m + s, d] with the tokens that are not selected blank, or as the base class without the two rounds.
        """
        if self.config.settle_memory or not self.config.num_stored_tokens or self.config.unknown_token_id is None:
            return super().recall(memory, query_ids, query_mask)
        masks = torch.ones_like(query_ids) if query_mask is None else query_mask
        selected = [self._select(*one) for one in zip(memory, query_ids, masks, strict=True)]
        return keep_only(memory, torch.stack(selected), self.rmt.initial_memory(1))

    @torch.no_grad()
    def _select(self, memory: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Round one: select the tokens [m + s] bool of one memory [m + s, d] for one question [L]."""
        parts = stretches(memory, self.rmt.memory)
        if len(parts) <= ROUND_TWO:
            return parts.new_ones(len(memory))
        ids, mask = ids.expand(len(parts), -1), mask.expand(len(parts), -1)
        hidden, _ = self.rmt.cell(ids, compact(memory, self.rmt.memory, parts), mask)
        unknown = self._answers(ids, hidden)[:, 0].log_softmax(-1)[:, self.config.unknown_token_id]
        return parts[unknown.topk(ROUND_TWO, largest=False).indices].any(0)

    def _answers(self, query_ids: Tensor, hidden: Tensor) -> Tensor:
        """Questions [Q, L] and their hidden states [Q, L, d] -> logits [Q, k, V] of their answer slots."""
        return self.slot_logits(hidden.take_along_dim(slots(query_ids, self.config)[..., None], dim=1))

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy with labels [Q, k]: the answer's tokens, one per slot."""
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


AutoModelForSequenceClassification.register(RMTConfig, RMTForSequenceClassification)
AutoModelForMaskedLM.register(RMTConfig, RMTForMaskedLM)
