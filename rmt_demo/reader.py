"""Reader: read text of any length in constant memory, and ask at any point without disturbing what was read.

    reader = Reader.from_pretrained("checkpoints/rmt-minilm")
    for step in reader.read(open("book.txt")):     # nothing is read until you iterate
        print(step.index, step.update_norm)
    print(reader.ask("Where is Daniel?").text)

The paper knows the length of its input and cuts it so that the last segment is full. A reader does not know the length:
it cuts from the front and keeps the unfinished last segment, the *tail*, separately. The tail is written to the memory
only once its segment is finished. Until then, a question is asked with the tail before it in the same segment, or after
the tail was read as a segment of its own into a copy of the memory (see `RMTConfig.asks_alone`).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from . import answers, backbones, checkpoints
from .answers import Answer
from .backbones import evaluating
from .framing import frame
from .heads import RMTForSequenceClassification
from .pretrained import RMTPreTrainedModel
from .questions import PLACES, question_ids, stop_ids
from .reading import ReaderState, SegmentStep
from .segments import SegmentBuffer, stream_tokens

GROUP = {"cuda": 16}  # segments encoded in one batch; one is enough to keep a CPU busy
# Segments are padded to a multiple of this. Cutting at sentence ends gives a hundred different lengths, and the kernels
# cached for each of them would cost 150 MB and more time than the padding.
ROUND = 32


class Reader:
    """A model and the memory of what it has read so far. Readers can share a model: they never change it.

    Args:
        model: RMTForMaskedLM for open answers, or RMTForSequenceClassification for the paper's six places.
        tokenizer: the backbone's.

    Raises:
        ValueError: for a classifier with other classes than the paper's.
    """

    def __init__(self, model: RMTPreTrainedModel, tokenizer):
        self.model, self.tokenizer, self.config = model, tokenizer, model.config
        if isinstance(model, RMTForSequenceClassification) and self.config.num_labels != len(PLACES):
            raise ValueError(
                f"This model has {self.config.num_labels} classes, but a Reader answers with the paper's "
                f"{len(PLACES)} places: call the model directly."
            )
        self._stops = stop_ids(tokenizer) if self.config.cut_at_sentences else frozenset()
        self._group = GROUP.get(model.device.type, 1)
        self.reset()

    @classmethod
    def from_pretrained(cls, path_or_id: str | Path, device: str = "auto", dtype: str = "auto") -> "Reader":
        """Load a checkpoint.

        Args:
            path_or_id: a folder or a Hub id.
            device: "auto" (CUDA, MPS, CPU), or any torch device.
            dtype: "auto" (bfloat16 where the hardware has it), "float32" or "bfloat16".

        Raises:
            ValueError: if the checkpoint, the device or the dtype cannot be used; the message says why.
        """
        device = backbones.pick_device(device)
        model, tokenizer = checkpoints.load(str(path_or_id), backbones.pick_dtype(device, dtype))
        return cls(model.to(device), tokenizer)

    def read(self, text: str | Iterable[str]) -> Iterator[SegmentStep]:
        """Read on, yielding one step per finished segment; the rest of the text becomes the tail.

        The result does not depend on how the text is chunked. The end of a call ends a word, as a space would. If you
        stop iterating, the reader is right after the last yielded segment and the rest is unread.

        Args:
            text: the text, or an iterable of its chunks (an open file, a Haystack), however long.

        Raises:
            ValueError: if it is not text (a path, bytes), looks like binary data or has no spaces; and while iterating,
                if the reader has read something else, or was restored or reset, since the last step.
        """
        buffer = SegmentBuffer(self.config.text_capacity, self._stops)
        buffer.tail = list(self._state.tail)
        blocks = stream_tokens(self.tokenizer, text)
        yield from self._steps(segment for ids in blocks for segment in buffer.push(ids))
        state = self._state
        self._state = replace(
            state, tail=tuple(buffer.tail), tokens_read=state.tokens_read + len(buffer.tail) - len(state.tail)
        )

    def read_segments(self, segments: Iterable[list[int]]) -> Iterator[SegmentStep]:
        """Read segments that are cut already, yielding one step for each; leaves no tail.

        Args:
            segments: token ids of each segment's text, like the `ids` of a SegmentStep.

        Raises:
            ValueError: if there is a tail, or a segment is empty, too long or of another tokenizer; and while
                iterating, as `read`.
        """
        if self._state.tail:
            raise ValueError(
                f"{len(self._state.tail)} tokens of an unfinished segment have been read: read on as text, or start "
                "from a state without a tail."
            )
        yield from self._steps(map(self._checked, segments))

    def ask(self, question: str) -> Answer:
        """Answer from the current memory and tail; neither changes.

        Raises:
            ValueError: if the question is not a string, is empty or does not fit into one segment.
        """
        return self.ask_many([question])[0]

    def ask_many(self, questions: Iterable[str]) -> list[Answer]:
        """Like `ask`, for several questions in one batch; each sees the same memory.

        Raises:
            ValueError: as `ask`, or for a single string.
        """
        if isinstance(questions, str):
            raise ValueError("Give several questions as a list, or ask a single one with `ask`.")
        asked = [question_ids(self.tokenizer, self.config, question) for question in questions]
        if not asked:
            return []
        state = self._state  # looked up once: another thread may be reading on
        beside = (state.memory, list(state.tail))
        stands = [self.config.stands_beside(len(state.tail), len(ids)) for ids in asked]
        if all(stands):
            seen = [beside] * len(asked)
        else:
            [(read, _, _)] = self._updates(state.memory, [beside[1]])
            seen = [beside if stays else (read, []) for stays in stands]
        memories = torch.stack([memory for memory, _ in seen])
        framed = self._frame([tail + ids for (_, tail), ids in zip(seen, asked, strict=True)])
        return answers.ask(self.model, self.tokenizer, *framed, memories)

    @property
    def state(self) -> ReaderState:
        """A copy of the current state, to keep, edit (`dataclasses.replace`) and `restore`."""
        return replace(self._state, memory=_copy(self._state.memory))

    def restore(self, state: ReaderState) -> None:
        """Continue from a state of this reader, or of another reader of the same model.

        Raises:
            ValueError: if the memory is not [m + s, d] of this model or has a NaN or infinite number, or if the tail
                fills a segment or is of another tokenizer.
        """
        own = self.model.rmt.initial_memory(1)[0]
        expected = tuple(own.shape)
        if tuple(state.memory.shape) != expected:
            raise ValueError(f"This model's memory is {expected}, not {tuple(state.memory.shape)}: use its own states.")
        if not state.memory.isfinite().all():
            raise ValueError("The memory has NaN or infinite numbers: use the state of a reader.")
        if len(state.tail) >= self.config.text_capacity:
            raise ValueError(
                f"A tail of this model has fewer than {self.config.text_capacity} tokens, not {len(state.tail)}."
            )
        if state.tail:
            self._known(state.tail)
        self._state = replace(state, memory=state.memory.detach().to(own.device, own.dtype, copy=True))

    def fork(self) -> "Reader":
        """A second reader with the same model and the same state; from here on the two are independent."""
        other = Reader(self.model, self.tokenizer)
        other._state = self._state  # never changed in place, so it can be shared
        return other

    def reset(self) -> None:
        """Forget everything: start again from the learned initial memory."""
        self._state = ReaderState(self.model.rmt.initial_memory(1)[0].detach().clone())

    @property
    def tail(self) -> list[int]:
        """Token ids of the unfinished segment, which is not yet in the memory."""
        return list(self._state.tail)

    def _checked(self, ids: list[int]) -> list[int]:
        """Check a segment from outside, and return it."""
        limit = self.config.text_capacity
        if not 1 <= len(ids) <= limit:
            raise ValueError(
                f"A segment of this model has 1 to {limit} tokens, not {len(ids)}: use segments of the same model."
            )
        return self._known(ids)

    def _known(self, ids: Sequence[int]) -> Sequence[int]:
        """Check token ids from outside, and return them."""
        words = self.model.get_input_embeddings().num_embeddings
        if not 0 <= min(ids) <= max(ids) < words:
            raise ValueError(f"Token ids of this model go from 0 to {words - 1}: use ids of the same tokenizer.")
        return ids

    def _steps(self, segments: Iterator[list[int]]) -> Iterator[SegmentStep]:
        """Read finished segments, in groups that suit the device. The whole state is replaced in one assignment after
        each segment, so that another thread may ask at any time."""
        while group := list(islice(segments, self._group)):
            before = _copy(self._state.memory)
            done = self._state.tokens_read - len(self._state.tail)
            for ids, (memory, gate, seconds) in zip(group, self._updates(self._state.memory, group), strict=True):
                index, done = self._state.segments_read, done + len(ids)
                state = self._state = ReaderState(memory, (), index + 1, done)
                after = _copy(memory)
                norm = (after - before).norm(dim=-1)
                before = after
                tokens = self.tokenizer.convert_ids_to_tokens(ids)
                yield SegmentStep(index, tokens, after.clone(), norm, _copy(gate), seconds, ids)
                if self._state is not state:
                    raise ValueError(
                        "The reader was used for something else meanwhile: finish one reading, or fork the reader."
                    )

    @torch.inference_mode()
    def _updates(self, memory: Tensor, segments: list[list[int]]) -> list[tuple[Tensor, Tensor, float]]:
        """memory [m + s, d] and segments -> for each segment: the new memory [m + s, d], the gates [m], the seconds.

        With `text_attends_memory=False` the text does not depend on the memory and is encoded first, in one batch.
        """
        model, memory, encoded, updates = self.model.rmt, memory[None], None, []
        with evaluating(model):
            began = time.perf_counter()
            if not self.config.text_attends_memory:
                encoded = model.cell.encode_text(*self._frame(segments))
            shared = (time.perf_counter() - began) / len(segments)
            for row, ids in enumerate(segments):
                began = time.perf_counter()
                if encoded:
                    new = model.cell.update(memory, encoded.rows(slice(row, row + 1)))
                else:
                    framed, mask = self._frame([ids])
                    new = model.cell(framed, memory, mask)[1]
                memory, gate = model.write(memory, new)
                updates.append((memory[0], gate[0], shared + time.perf_counter() - began))
        return updates

    def _frame(self, segments: list[list[int]]) -> tuple[Tensor, Tensor]:
        """The segments as model input: ids and mask, both [N, L]."""
        ids, mask = frame(segments, self.config, ROUND)
        return ids.to(self.model.device), mask.to(self.model.device)


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", torch.float32, copy=True)
