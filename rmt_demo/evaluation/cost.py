"""The cost of reading: forward FLOPs with full attention and with RMT (arXiv 2304.11062, figure 3), and bytes.

FLOPs are counted as in Hoffmann et al. 2022 (arXiv 2203.15556, appendix F): two for each multiply-add of a matrix
product, three per attention score for the softmax, every token attending to every token (causal masks save nothing).

The RMT paper reports 29 times fewer FLOPs for OPT-175B and 295 times fewer for OPT-125M at 2,048,000 tokens, but does
not say how it counts. The following count gives both numbers (29.3 and 294.8): the text is 4,096 full segments of 512
tokens (2,097,152 in all), memory tokens are not counted, and of the two products with the vocabulary only the final
logits are counted (an embedding is looked up). With exactly 2,048,000 tokens, the same count gives 28.6 and 287.9;
with the embeddings as a product too, as in appendix F, 28.5 and 223.4.
"""

from dataclasses import dataclass

from ..config import RMTConfig

SEGMENT = 512
PAPER_TOKENS = 4096 * SEGMENT  # the right end of the paper's figure 3
LONGEST = 10**12  # tokens; anything above is taken for a typing mistake


@dataclass(frozen=True)
class Shape:
    """A decoder in five numbers.

    layers  Transformer blocks
    width   of the hidden states, and of all heads together
    heads   attention heads
    ffn     width inside the feed-forward block
    vocab   size of the vocabulary
    """

    layers: int
    width: int
    heads: int
    ffn: int
    vocab: int


def _opt(layers: int, heads: int, width: int) -> Shape:
    return Shape(layers, width, heads, 4 * width, 50272)


OPT = {  # arXiv 2205.01068, table 1
    "opt-125m": _opt(12, 12, 768),
    "opt-350m": _opt(24, 16, 1024),
    "opt-1.3b": _opt(24, 32, 2048),
    "opt-2.7b": _opt(32, 32, 2560),
    "opt-6.7b": _opt(32, 32, 4096),
    "opt-13b": _opt(40, 40, 5120),
    "opt-30b": _opt(48, 56, 7168),
    "opt-66b": _opt(64, 72, 9216),
    "opt-175b": _opt(96, 96, 12288),
}


def opt(name: str) -> Shape:
    """The shape of an OPT model by its name, "opt-125m" to "opt-175b", in upper or lower case.

    Raises:
        ValueError: if there is no such model.
    """
    if name.lower() not in OPT:
        raise ValueError(f"There is no model {name!r}: choose from {', '.join(OPT)}.")
    return OPT[name.lower()]


def full_attention_flops(shape: Shape, tokens: int) -> int:
    """Forward FLOPs of `tokens` tokens that all attend to each other: quadratic in their number.

    Raises:
        ValueError: if the number of tokens is below 1 or beyond 10^12.
    """
    _check(tokens)
    n, d = tokens, shape.width
    projections = 2 * 3 * n * d * d + 2 * n * d * d  # query, key and value; the linear layer after attention
    attention = 2 * n * n * d + 3 * shape.heads * n * n + 2 * n * n * d  # logits, softmax, weighted sum of the values
    dense = 2 * n * (d * shape.ffn + shape.ffn * d)
    logits = 2 * n * d * shape.vocab
    return shape.layers * (projections + attention + dense) + logits


def rmt_flops(shape: Shape, tokens: int, segment: int = SEGMENT, memory: int = 0) -> int:
    """Forward FLOPs of the same text read segment by segment: linear in its length.

    Args:
        shape: of the model.
        tokens: of text; the last segment may be short.
        segment: tokens per model input, memory included.
        memory: how many of these are memory tokens, which carry no text. The paper's figure counts none.

    Raises:
        ValueError: if the segment has no room for text, or for the number of tokens.
    """
    _check(tokens)
    if not 0 <= memory < segment:
        raise ValueError(f"A segment of {segment} tokens with {memory} for memory holds no text: make it longer.")
    full, rest = divmod(tokens, segment - memory)
    flops = full * full_attention_flops(shape, segment)
    return flops + full_attention_flops(shape, rest + memory) if rest else flops


def ratio(shape: Shape, tokens: int, segment: int = SEGMENT, memory: int = 0) -> float:
    """The FLOPs of full attention divided by those of RMT. Arguments and errors as for `rmt_flops`."""
    return full_attention_flops(shape, tokens) / rmt_flops(shape, tokens, segment, memory)


@dataclass(frozen=True)
class FullAttention:
    """ESTIMATED bytes that full attention over a text would need in addition to the weights and other activations.

    scores      every token's attention to every token, in one layer (layers run one after the other, so they share
                this memory). A fused kernel, like PyTorch's SDPA, never stores them.
    key_values  keys and values of all layers, which must be kept for later questions
    """

    scores: int
    key_values: int

    @property
    def total(self) -> int:
        """The sum of both."""
        return self.scores + self.key_values


def estimate(config: RMTConfig, tokens: int, itemsize: int = 4) -> FullAttention:
    """Estimate (not a measurement) what a model's backbone would need to attend to `tokens` tokens at once.

    RMT attends to at most `config.segment_length` tokens at a time, so compare with `estimate(config,
    config.segment_length)`, whatever the length of the text.

    Args:
        config: of the model; only its backbone's numbers of layers and heads and its widths matter.
        tokens: in the text.
        itemsize: bytes per number, 4 in float32, 2 in bfloat16 (`model.dtype.itemsize`).

    Raises:
        ValueError: if the number of tokens is below 1 or beyond 10^12, or the config has no backbone_config.
    """
    _check(tokens)
    backbone = config.build_backbone_config()
    heads = backbone.num_attention_heads
    head_width = getattr(backbone, "head_dim", None) or backbone.hidden_size // heads
    shared = getattr(backbone, "num_key_value_heads", None) or heads  # decoders may share keys among query heads
    scores = heads * tokens * tokens * itemsize
    return FullAttention(scores, 2 * backbone.num_hidden_layers * tokens * shared * head_width * itemsize)


def _check(tokens: int) -> None:
    if not 1 <= tokens <= LONGEST:
        raise ValueError(f"Give a number of tokens from 1 to {LONGEST:,}.")
