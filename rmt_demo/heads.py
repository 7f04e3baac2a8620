"""The heads on top of RMTModel: a class for the whole text, or an open answer from the vocabulary."""

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
from .recall import ROUND_TWO, cut_out, only, stretches


class Head(RMTPreTrainedModel):
    """What both heads share. Trainer hands over what `forward` names, so it names all that RMTModel takes."""

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
        """Labels, one or k for each question ([B], or [B, k] for open answers; Q of them with query_ids); logits
        [B, num_labels], or [B, k, V] for the k [MASK] slots of the last segment. All else: see RMTModel.forward.

        Raises:
            ValueError: as RMTModel.forward, or if a question has no room for its slots.
        """
        recall = None if self.training or self.config.settle_memory else self.recall
        out = self.rmt(input_ids, attention_mask, order, memory, query_ids, query_mask, query_of, num_trained, recall)
        logits = self._answers(out.query_ids, out.last_hidden_state)
        return replace(out, loss=None if labels is None else self._loss(logits, labels), logits=logits)


class RMTForSequenceClassification(Head):
    """One of `config.num_labels` classes from the last segment's [CLS]: the paper's 6-way tasks."""

    def __init__(self, config: RMTConfig):
        super().__init__(config)
        self.rmt = RMTModel(config)
        self.classifier = nn.Linear(self.backbone.config.hidden_size, config.num_labels)
        self.post_init()

    def _answers(self, query_ids: Tensor, hidden: Tensor) -> Tensor:
        """Questions [Q, L] and their hidden states [Q, L, d] -> logits [Q, num_labels]."""
        return self.classifier(hidden[:, 0]).float()

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Labels [Q]; the loss of all classifiers of `transformers`: squared errors for a single label, otherwise by
        `config.problem_type`."""
        return ForSequenceClassificationLoss(labels, logits, self.config)


class RMTForMaskedLM(Head):
    """Open answers: the question ends in [MASK] slots and the head fills them from the whole vocabulary.

    The head is BERT's (arXiv 1810.04805): dense, GELU, LayerNorm, then the word embeddings themselves as output
    weights, so that words never seen in training can be answered.
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
        """As for every RMT, or in two rounds (see `recall.py`): [Q, m + s, d], all else blank."""
        if self.config.settle_memory or not self.config.num_stored_tokens or self.config.unknown_token_id is None:
            return super().recall(memory, query_ids, query_mask)
        masks = torch.ones_like(query_ids) if query_mask is None else query_mask
        taken = [self._needed(*one) for one in zip(memory, query_ids, masks, strict=True)]
        return only(memory, self.rmt.initial_memory(1), torch.stack(taken))

    @torch.no_grad()
    def _needed(self, memory: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """The tokens [m + s] bool of one memory [m + s, d] that a question [L] is to be asked of."""
        taken = stretches(memory, self.rmt.memory)
        if len(taken) <= ROUND_TWO:
            return taken.new_ones(len(memory))
        ids, mask = ids.expand(len(taken), -1), mask.expand(len(taken), -1)
        hidden, _ = self.rmt.cell(ids, cut_out(memory, self.rmt.memory, taken), mask)
        unknown = self._answers(ids, hidden)[:, 0].log_softmax(-1)[:, self.config.unknown_token_id]
        return taken[unknown.topk(ROUND_TWO, largest=False).indices].any(0)

    def _answers(self, query_ids: Tensor, hidden: Tensor) -> Tensor:
        """Questions [Q, L] and their hidden states [Q, L, d] -> logits [Q, k, V] of their slots."""
        return self.slot_logits(hidden.take_along_dim(slots(query_ids, self.config)[..., None], dim=1))

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Labels [Q, k]: the answer's tokens, one for each slot."""
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


AutoModelForSequenceClassification.register(RMTConfig, RMTForSequenceClassification)
AutoModelForMaskedLM.register(RMTConfig, RMTForMaskedLM)
