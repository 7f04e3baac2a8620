"""A tiny random backbone with a real WordPiece tokenizer, made on the spot for tests without downloads."""

import random
import re
import string
from collections.abc import Iterable
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, BertConfig, BertModel, BertTokenizerFast

from rmt_demo import RMTForMaskedLM, RMTForSequenceClassification, RMTModel
from rmt_demo.data.world import Story
from rmt_demo.write_gate import WriteGate

NAMES = "mary john daniel sandra orla"
PLACES = "bathroom hallway garden office bedroom kitchen"
OTHERS = """the a is in where was who what moved went back journeyed travelled to of and it he she they lord
unto north south east west unknown not that for with red blue key train leaves at from found lamp river"""
WORDS = f"{NAMES} {PLACES} {OTHERS}".split()
HEADS = {"masked_lm": RMTForMaskedLM, "classification": RMTForSequenceClassification, "none": RMTModel}


def tiny_tokenizer(words: Iterable[str] = ()) -> BertTokenizerFast:
    """A few whole words (and those given), and single letters and digits, so that no ASCII word is unknown."""
    characters = string.ascii_lowercase + string.digits
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.punctuation, *characters]
    pieces += [f"##{c}" for c in characters] + WORDS + list(words)
    pieces = list(dict.fromkeys(pieces))  # "a" is both a letter and a word
    return BertTokenizerFast(vocab={piece: i for i, piece in enumerate(pieces)}, model_max_length=512)


def words_of(stories: Iterable[Story], questions: bool = True) -> list[str]:
    """The words of stories, for a tokenizer that knows them."""
    text = " ".join(line for s in stories for line in (*s.sentences, *(q.text for q in s.questions if questions)))
    return sorted(set(re.findall("[a-z]+", text.lower())))


def tiny_backbone(folder: Path, seed=0, layers=2, width=32, positions=128, words: Iterable[str] = ()) -> str:
    """Save a random BERT and its tokenizer to `folder`; returns the folder as a backbone name."""
    tokenizer = tiny_tokenizer(words)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=positions,
    )
    torch.manual_seed(seed)
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def tiny_encoder(kind: str, **sizes):
    """A small random backbone of any kind, 32 wide."""
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size": 200} | sizes
    config = AutoConfig.for_model(kind, **{"hidden_size": 32, "max_position_embeddings": 128} | sizes)
    config.pad_token_id = 0
    torch.manual_seed(0)
    return AutoModel.from_config(config).eval()


def tiny_model(backbone: str, head: str = "masked_lm", seed: int = 0, **config):
    """An RMT around a `tiny_backbone`: 4 memory tokens, 32-token segments of which 25 carry text."""
    torch.manual_seed(seed)
    fields = {"num_memory_tokens": 4, "segment_length": 32, **config}
    if head == "classification":
        fields.setdefault("num_labels", 6)
    return HEADS[head].from_backbone(backbone, **fields).eval()


def set_gate(model, score: float):
    """The model, or the cell or the gate of one, with a write gate that looks at nothing and has this score."""
    gate = next(module for module in model.modules() if isinstance(module, WriteGate))
    torch.nn.init.zeros_(gate.score.weight)
    torch.nn.init.constant_(gate.score.bias, score)
    return model


def tiny_text(words: int, seed: int = 0) -> str:
    """Random words in sentences of four to nine."""
    rng = random.Random(seed)
    text, left = [], 0
    for _ in range(words):
        left = left or rng.randint(4, 9)
        left -= 1
        text.append(rng.choice(WORDS) + "." * (left == 0))
    return " ".join(text)


def tiny_book(path: Path, words: int) -> Path:
    """Save random sentences, with capitals as prose has them, as a background text."""
    path.write_text(". ".join(s.strip().capitalize() for s in tiny_text(words).split(".")))
    return path


def row(segments: int, accuracy: float, **more) -> dict:
    """A line of results/*.json as far as figures need it."""
    return {"segments": segments, "accuracy": accuracy, "low": accuracy - 2, "high": accuracy + 1, "samples": 9, **more}
