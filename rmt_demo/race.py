"""Race: one question about one text, answered by three readers with the same weights that see different parts of it.

ids = [i for step in reader.read(open("book.txt")) for i in step.ids] + reader.tail
for lane in race(reader, ids, "Where is Daniel?"):
    print(lane.name, lane.read_tokens, lane.answer.text)

RMT             reads the whole text segment by segment and answers from the memory and the unfinished tail
one segment     gets only the end of the text, as much as fits into one segment with the question
longest window  gets as much of the end as the backbone has positions for, next to the question. The weights were
                trained on segments of `config.segment_length`, and maybe to answer from memory (`config.asks_alone`):
                this shows what a longer window gives this network, not what a network trained with one could do
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import answers
from .answers import Answer
from .config import RMTConfig
from .evaluation.cost import Shape, full_attention_flops
from .framing import frame
from .questions import question_ids
from .reader import Reader
from .reading import ReaderState

RMT, SEGMENT, WINDOW = "RMT", "one segment", "longest window"


@dataclass(frozen=True)
class Lane:
    """The result of one reader.

    name         "RMT", "one segment" or "longest window"
    sees_tokens  text tokens in view next to the question. RMT knows everything else only from its memory; "one
                 segment" gets nothing else
    read_tokens  text tokens that went through the network
    answer       to the question
    seconds      measured, for reading and answering, after a warm-up
    flops        COUNTED, not measured: the backbone's matrix products and softmax, as `evaluation.cost` counts them,
                 RMT's segments all taken to be of their mean length
    """

    name: str
    sees_tokens: int
    read_tokens: int
    answer: Answer
    seconds: float
    flops: int


def race(reader: Reader, end: Sequence[int], question: str, read_seconds: float = 0.0) -> list[Lane]:
    """Ask the three readers. `reader` does not change.

    Args:
        reader: a reader that has read the whole text and nothing else.
        end: token ids of the end of the text (`trace.segment(i)` of the last segments, then `reader.tail`); no more are
            needed than the backbone has positions for.
        question: about the text.
        read_seconds: duration of the reading, added to RMT's seconds.

    Raises:
        ValueError: if nothing was read, or for the question as `Reader.ask`.
    """
    if not end:
        raise ValueError("There is no text to race on: read one first.")
    asked = question_ids(reader.tokenizer, reader.config, question)
    return [
        _rmt(reader, question, len(asked), read_seconds),
        _one_segment(reader, list(end), question, len(asked)),
        _longest_window(reader, list(end), asked),
    ]


def _rmt(reader: Reader, question: str, asked: int, read_seconds: float) -> Lane:
    state, config = reader.state, reader.config
    answer, seconds = _timed(lambda: reader.ask(question))
    tail = len(state.tail)
    beside = tail if config.stands_beside(tail, asked) else 0
    flops = _flops(reader, beside + asked) + (_flops(reader, tail) if tail > beside else 0)
    if state.segments_read:
        mean = round((state.tokens_read - tail) / state.segments_read)
        flops += state.segments_read * _flops(reader, mean)
    return Lane(RMT, beside, state.tokens_read, answer, read_seconds + seconds, flops)


def _one_segment(reader: Reader, end: list[int], question: str, asked: int) -> Lane:
    seen = _last(end, reader.config.text_capacity - asked)
    fork = reader.fork()
    fork.reset()
    fork.restore(ReaderState(fork.state.memory, tuple(seen), 0, len(seen)))
    lane = _rmt(fork, question, asked, 0.0)
    return dataclasses.replace(lane, name=SEGMENT, sees_tokens=len(seen))


def _longest_window(reader: Reader, end: list[int], asked: list[int]) -> Lane:
    seen = _last(end, longest_input(reader) - _extra(reader.config) - len(asked))
    # Straight through the cell: RMTModel.forward would refuse more than config.segment_length.
    ids, mask = (tensor.to(reader.model.device) for tensor in frame([seen + asked], reader.config))
    blank = reader.model.rmt.initial_memory(1)
    answer, seconds = _timed(lambda: answers.ask(reader.model, reader.tokenizer, ids, mask, blank)[0])
    return Lane(WINDOW, len(seen), len(seen), answer, seconds, _flops(reader, len(seen) + len(asked)))


def _timed(answer: Callable[[], Answer]) -> tuple[Answer, float]:
    """An answer and its seconds, measured on a second call: the first one prepares kernels, which can take longer."""
    answer()
    began = time.perf_counter()
    return answer(), time.perf_counter() - began


def longest_input(reader: Reader) -> int:
    """Number of positions of the backbone, for text, memory and special tokens."""
    return reader.model.rmt.cell.positions.longest_input or reader.config.segment_length


def _last(ids: list[int], count: int) -> list[int]:
    return ids[max(len(ids) - count, 0) :]


def _extra(config: RMTConfig) -> int:
    """Number of memory and special tokens in a segment."""
    return config.segment_length - config.text_capacity


def _flops(reader: Reader, text: int) -> int:
    """FLOPs of one segment with `text` text tokens, without the head."""
    backbone = reader.model.backbone.config
    width = backbone.hidden_size
    ffn = getattr(backbone, "intermediate_size", 4 * width)
    shape = Shape(backbone.num_hidden_layers, width, backbone.num_attention_heads, ffn, vocab=0)
    return full_attention_flops(shape, text + _extra(reader.config))
