"""From framed questions to answers in words, with probabilities.

An open answer is decoded from left to right by beam search over its [MASK] slots: each WordPiece is predicted with the
pieces before it filled in. Filling the slots independently would mix the pieces of two answers.
"""

import re
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from .backbones import evaluating
from .heads import RMTForMaskedLM
from .pretrained import RMTPreTrainedModel
from .questions import PLACES, THEREFORE, slots

CANDIDATES = 5  # answers returned, and beam width
FAINT = 0.01  # a partial answer below this share of the best answer's probability is dropped


@dataclass(frozen=True)
class Answer:
    """The most probable answer, its probability (0 to 1), and up to five candidates as (text, probability); `thought`
    is the intermediate step that the model named before the answer, if any."""

    text: str
    score: float
    candidates: list[tuple[str, float]]
    thought: str = ""

    @classmethod
    def best_of(cls, probability: dict[str, float], thoughts: dict[str, str] | None = None) -> "Answer":
        """Build an Answer from {text: probability} and, where there are any, {text: thought}."""
        ranked = sorted(probability.items(), key=lambda pair: -pair[1])[:CANDIDATES]
        return cls(*ranked[0], ranked, (thoughts or {}).get(ranked[0][0], ""))

    def is_right(self, truth: str | None) -> bool | None:
        """Whether the answer equals `truth`, ignoring case; None if `truth` is None (unknown)."""
        return None if truth is None else self.text.lower() == truth.lower()

    def as_json(self, question: str) -> dict[str, object]:
        """The question and its answer as a JSON object."""
        candidates = [list(pair) for pair in self.candidates]
        said = {"question": question, "answer": self.text, "score": self.score, "candidates": candidates}
        return said | ({"thought": self.thought} if self.thought else {})


@torch.inference_mode()
def ask(model: RMTPreTrainedModel, tokenizer, ids: Tensor, mask: Tensor, memory: Tensor) -> list[Answer]:
    """Answer Q questions in one batch, each from its own memory.

    Args:
        model: RMTForMaskedLM for open answers, or RMTForSequenceClassification for the paper's six places.
        tokenizer: the backbone's.
        ids, mask: [Q, L] the framed segments that contain the questions.
        memory: [Q, m + s, d].
    """
    with evaluating(model):
        if isinstance(model, RMTForMaskedLM):
            return [_in_words(found, tokenizer) for found in fill(model, tokenizer.all_special_ids, ids, mask, memory)]
        hidden, _ = model.rmt.cell(ids, model.recall(memory), mask)
        return [place(logits) for logits in model.classifier(hidden[:, 0]).float()]


def place(logits: Tensor) -> Answer:
    """Class logits [6] -> one of the paper's six places."""
    return Answer.best_of(dict(zip(PLACES, logits.softmax(-1).tolist(), strict=True)))


Pieces = dict[tuple[int, ...], float]  # {answer as token ids: its probability}


@torch.no_grad()
def fill(model: RMTForMaskedLM, special_ids: list[int], ids: Tensor, mask: Tensor, memory: Tensor) -> list[Pieces]:
    """The most probable answers to Q questions: beam search over the slots (arguments as for `ask`).

    The probability of an answer is the product of the probabilities of its pieces, each given those before it, and of
    the [SEP] that ends it if it is shorter than the slots.
    """
    end, where = model.config.sep_token_id, slots(ids, model.config)
    memory = model.recall(memory, ids, mask)
    found: list[Pieces] = [{} for _ in ids]
    growing = [(q, (), 1.0) for q in range(len(ids))]
    for slot in range(where.shape[1]):
        of = [q for q, *_ in growing]
        begun = torch.tensor([pieces for _, pieces, _ in growing], dtype=ids.dtype, device=ids.device)
        filled = ids[of].scatter(1, where[of, :slot], begun)
        hidden, _ = model.rmt.cell(filled, memory[of], mask[of])
        logits = model.slot_logits(hidden[range(len(of)), where[of, slot]])
        logits[
            :, [i for i in special_ids if i != end or slot == 0]
        ] = -torch.inf  # the first slot cannot end the answer
        best = [part.tolist() for part in logits.softmax(-1).topk(CANDIDATES)]
        grown = [
            (q, (*begun, piece), p * share)
            for (q, begun, p), shares, pieces in zip(growing, *best, strict=True)
            for share, piece in zip(shares, pieces, strict=True)
        ]
        growing = []
        for q, rivals in groupby(grown, key=lambda rival: rival[0]):
            rivals = sorted(rivals, key=lambda rival: -rival[2])
            whole = [r for r in rivals if r[1][-1] == end or slot == where.shape[1] - 1]
            found[q] |= {pieces: p for _, pieces, p in whole}
            least = FAINT * max([*found[q].values(), rivals[0][2]])
            growing += [r for r in rivals if r not in whole and r[2] >= least][:CANDIDATES]
        if not growing:
            break
    return found


def _in_words(found: Pieces, tokenizer) -> Answer:
    probability: dict[str, float] = {}
    thoughts: dict[str, str] = {}
    for ids, p in sorted(found.items(), key=lambda pair: -pair[1]):
        *by, text = map(tidy, tokenizer.decode(ids, skip_special_tokens=True).split(THEREFORE))
        probability[text] = probability.get(text, 0.0) + p  # the same text may come from different pieces or thoughts
        thoughts.setdefault(text, f" {THEREFORE} ".join(by))
    return Answer.best_of(probability, thoughts)


def tidy(text: str) -> str:
    """Remove the spaces that WordPiece decoding puts around punctuation: "7 : 45" is 7:45, "o ' neil" is o'neil."""
    text = re.sub(r"(?<=\w) ?([:'’/-]) ?(?=\w)", r"\1", text)
    text = re.sub(r"(?<=\d) ?([.,]) ?(?=\d)", r"\1", text)
    return re.sub(r" (?=[.,;:!?%])", "", text).strip()
