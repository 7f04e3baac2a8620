"""Questions and answers as token ids: what the question's segment ends with, and what should stand in its slots."""

import torch
from torch import Tensor

from .config import RMTConfig
from .segments import text_of, token_ids

SENTENCE_ENDS = (".", "!", "?")
PLACES = ("bathroom", "hallway", "garden", "office", "bedroom", "kitchen")  # the paper's classes, in their order
UNKNOWN = "unknown"  # the answer that a text does not tell
THEREFORE = "→"  # stands between a thought and the answer that follows from it


def stop_ids(tokenizer) -> frozenset[int]:
    """Ids of the tokens that end a sentence."""
    return frozenset(tokenizer.convert_tokens_to_ids(list(SENTENCE_ENDS)))


def question_ids(tokenizer, config: RMTConfig, question: str) -> list[int]:
    """A question as the model is asked it: its tokens, then the [MASK] slots of the answer.

    Raises:
        ValueError: if the question is no string, is empty or does not fit into one segment.
    """
    ids = token_ids(tokenizer, [text_of(question)])[0] + [config.mask_token_id] * config.num_answer_slots
    if not question.strip():
        raise ValueError("The question is empty: type one, such as 'Where is Daniel?'.")
    if len(ids) > config.text_capacity:
        raise ValueError(f"The question has {len(ids)} tokens, {config.text_capacity} fit: ask a shorter one.")
    return ids


def answer_ids(tokenizer, config: RMTConfig, answer: str, thought: str = "") -> list[int]:
    """The answer's tokens, behind those of the thought that leads to it, filled up with [SEP] to the number of slots
    (cut where it is longer)."""
    said = f"{thought} {THEREFORE} {answer}" if thought else answer
    ids = token_ids(tokenizer, [said])[0][: config.num_answer_slots]
    return ids + [config.sep_token_id] * (config.num_answer_slots - len(ids))


def slots(query_ids: Tensor, config: RMTConfig) -> Tensor:
    """Where the k slots of framed questions [Q, L] are, filled or not: the tokens before the last [SEP], [Q, k].

    Raises:
        ValueError: for a question that has no room for them.
    """
    ends = (query_ids != config.pad_token_id).sum(1, keepdim=True) - 1
    if bool((ends <= config.num_answer_slots).any()):
        raise ValueError(f"A question ends in {config.num_answer_slots} [MASK] slots: put them behind it.")
    return ends + torch.arange(-config.num_answer_slots, 0, device=query_ids.device)
