"""From what the head says about the question's segment to answers in words, with their probabilities."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from .config import RMTConfig
from .data.tasks import PLACES

CANDIDATES = 5  # answers given, and pieces tried for each slot


@dataclass(frozen=True)
class Answer:
    """The most probable answer, its probability (0 to 1), and up to five best as (text, probability)."""

    text: str
    score: float
    candidates: list[tuple[str, float]]

    @classmethod
    def best_of(cls, probability: dict[str, float]) -> "Answer":
        """The best of some answers with their probabilities."""
        ranked = sorted(probability.items(), key=lambda pair: -pair[1])[:CANDIDATES]
        return cls(*ranked[0], ranked)

    def is_right(self, truth: str | None) -> bool | None:
        """Whether this is the right answer, capitals aside; None where nobody knows it."""
        return None if truth is None else self.text.lower() == truth.lower()

    def as_json(self, question: str) -> dict[str, object]:
        """The question and what was answered, for machines."""
        candidates = [list(pair) for pair in self.candidates]
        return {"question": question, "answer": self.text, "score": self.score, "candidates": candidates}


def place(logits: Tensor) -> Answer:
    """Class logits [6] -> one of the paper's six places."""
    return Answer.best_of(dict(zip(PLACES, logits.softmax(-1).tolist(), strict=True)))


def open_answer(logits: Tensor, tokenizer, config: RMTConfig) -> Answer:
    """Slot logits [k, V] -> words.

    The slots are filled independently of each other, so an answer's probability is the product of its pieces'
    and, where it is shorter than the slots, of the [SEP] that ends it.
    """
    end, logits = config.sep_token_id, logits.clone()
    logits[:, [i for i in tokenizer.all_special_ids if i != end]] = -torch.inf
    logits[0, end] = -torch.inf  # an answer has at least one piece
    ended, growing = [], [((), 1.0)]
    for slot in logits.softmax(-1):
        best = list(zip(*(top.tolist() for top in slot.topk(CANDIDATES)), strict=True))
        grown = [((*ids, piece), p * q) for ids, p in growing for q, piece in best]
        ended += [(ids, p) for ids, p in grown if ids[-1] == end]
        growing = [(ids, p) for ids, p in grown if ids[-1] != end]
    probability: dict[str, float] = {}
    for ids, p in ended + growing:
        text = tidy(tokenizer.decode(ids, skip_special_tokens=True))
        probability[text] = probability.get(text, 0.0) + p  # two ways to spell a word are one answer
    return Answer.best_of(probability)


def tidy(text: str) -> str:
    """Undo the spaces that WordPiece puts around punctuation: "7 : 45" is 7:45, "o ' neil" is o'neil."""
    text = re.sub(r"(?<=\w) ?([:'’/-]) ?(?=\w)", r"\1", text)
    text = re.sub(r"(?<=\d) ?([.,]) ?(?=\d)", r"\1", text)
    return re.sub(r" (?=[.,;:!?%])", "", text).strip()
