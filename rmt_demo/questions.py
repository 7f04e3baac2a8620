"""Questions and answers as token ids: the question with its [MASK] slots, and the labels of these slots."""

import torch
from torch import Tensor

from .config import RMTConfig
from .segments import text_of, token_ids

SENTENCE_ENDS = (".", "!", "?")
PLACES = ("bathroom", "hallway", "garden", "office", "bedroom", "kitchen")  # the paper's classes, in its order
UNKNOWN = "unknown"  # the answer if the text does not contain it
THEREFORE = "→"  # separates a thought from the answer that follows from it


def stop_ids(tokenizer) -> frozenset[int]:
    """Return the ids of the tokens that end a sentence."""
    return frozenset(tokenizer.convert_tokens_to_ids(list(SENTENCE_ENDS)))


def question_ids(tokenizer, config: RMTConfig, question: str) -> list[int]:
    """Tokenize a question and append the [MASK] slots for its answer.

    Raises:
        ValueError: if the question is not a string, is empty or does not fit into one segment.
    """
    ids = token_ids(tokenizer, [text_of(question)])[0] + [config.mask_token_id] * config.num_answer_slots
    if not question.strip():
        raise ValueError("The question is empty: type one, such as 'Where is Daniel?'.")
    if len(ids) > config.text_capacity:
        raise ValueError(f"The question has {len(ids)} tokens, {config.text_capacity} fit: ask a shorter one.")
    return ids


def answer_ids(tokenizer, config: RMTConfig, answer: str, thought: str = "") -> list[int]:
    """Return the labels of the answer slots: the thought (if any), THEREFORE and the answer, as tokens, padded with
    [SEP] or truncated to the number of slots. Without a slot left for the answer, there is no thought."""
    before = f"{thought} {THEREFORE}" if thought else ""
    if len(token_ids(tokenizer, [before])[0]) >= config.num_answer_slots:
        before = ""
    ids = token_ids(tokenizer, [f"{before} {answer}".lstrip()])[0][: config.num_answer_slots]
    return ids + [config.sep_token_id] * (config.num_answer_slots - len(ids))


def slots(query_ids: Tensor, config: RMTConfig) -> Tensor:
    """Return the positions [Q, k] of the k answer slots in framed questions [Q, L]: the last tokens before the final
    [SEP], whether they still hold [MASK] or not.

    Raises:
        ValueError: if a question is too short to have them.
    """
    ends = (query_ids != config.pad_token_id).sum(1, keepdim=True) - 1
    if bool((ends <= config.num_answer_slots).any()):
        raise ValueError(f"A question ends in {config.num_answer_slots} [MASK] slots: append them to it.")
    return ends + torch.arange(-config.num_answer_slots, 0, device=query_ids.device)
