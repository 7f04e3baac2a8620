"""From questions to answers in words, with their probabilities.

An open answer is filled in from left to right, as one writes: the likeliest pieces of the first slot, with each of them
in its place the likeliest of the second, and so on. Slots filled independently of each other would mix the pieces of
two answers.
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

CANDIDATES = 5  # answers given, and pieces tried for each slot
FAINT = 0.01  # of the likeliest answer's probability: a beginning that is less likely is not gone on with


@dataclass(frozen=True)
class Answer:
    """The most probable answer, its probability (0 to 1), and up to five best as (text, probability); and what the
    model said first that the answer goes by, if anything."""

    text: str
    score: float
    candidates: list[tuple[str, float]]
    thought: str = ""

    @classmethod
    def best_of(cls, probability: dict[str, float], thoughts: dict[str, str] | None = None) -> "Answer":
        """The best of some answers with their probabilities, and the thoughts that led to them."""
        ranked = sorted(probability.items(), key=lambda pair: -pair[1])[:CANDIDATES]
        return cls(*ranked[0], ranked, (thoughts or {}).get(ranked[0][0], ""))

    def is_right(self, truth: str | None) -> bool | None:
        """Whether this is the right answer, capitals aside; None where nobody knows it."""
        return None if truth is None else self.text.lower() == truth.lower()

    def as_json(self, question: str) -> dict[str, object]:
        """The question and what was answered, for machines."""
        candidates = [list(pair) for pair in self.candidates]
        said = {"question": question, "answer": self.text, "score": self.score, "candidates": candidates}
        return said | ({"thought": self.thought} if self.thought else {})


@torch.inference_mode()
def ask(model: RMTPreTrainedModel, tokenizer, ids: Tensor, mask: Tensor, memory: Tensor) -> list[Answer]:
    """Ask each of Q questions of a memory of its own.

    Args:
        model: RMTForMaskedLM for open answers, or RMTForSequenceClassification for the paper's six places.
        tokenizer: the backbone's.
        ids, mask: [Q, L] the framed segments that the questions stand in.
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


Pieces = dict[tuple[int, ...], float]  # an answer as token ids, and its probability


@torch.no_grad()
def fill(model: RMTForMaskedLM, special_ids: list[int], ids: Tensor, mask: Tensor, memory: Tensor) -> list[Pieces]:
    """The likeliest answers to Q questions: a beam search over their slots (arguments as of `ask`).

    The probability of an answer is the product of its pieces', each in view of those before it, and, where it is
    shorter than the slots, of the [SEP] that ends it.
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
        logits[:, [i for i in special_ids if i != end or slot == 0]] = -torch.inf  # an answer has a first piece
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
        probability[text] = probability.get(text, 0.0) + p  # two ways to spell or find it are one answer
        thoughts.setdefault(text, f" {THEREFORE} ".join(by))
    return Answer.best_of(probability, thoughts)


def tidy(text: str) -> str:
    """Undo the spaces that WordPiece puts around punctuation: "7 : 45" is 7:45, "o ' neil" is o'neil."""
    text = re.sub(r"(?<=\w) ?([:'’/-]) ?(?=\w)", r"\1", text)
    text = re.sub(r"(?<=\d) ?([.,]) ?(?=\d)", r"\1", text)
    return re.sub(r" (?=[.,;:!?%])", "", text).strip()
