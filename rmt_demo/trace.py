"""Trace: what happened at every segment of a reading, to plot it or to read it again (see `replay.py`)."""

import json
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from .answers import Answer
from .reader import SegmentStep

TENSORS, ABOUT = "trace.safetensors", "trace.json"


class Trace:
    """Collects the steps of a reading.

        trace.pin("Where is Daniel?")
        for step in reader.read(text):
            trace.add(step, reader.ask_many(trace.questions))
        trace.tail = reader.tail

    Token ids, norms, gates and beliefs are kept of every segment. Memories are thinned: when there are more than
    `max_memories`, every second one goes, so that a trace of any length stays small.

    Attributes:
        questions: those pinned.
        beliefs: question -> one {"segment", "text", "score"} for each segment since it was pinned.
        tail: token ids read after the last segment, if whoever records has set it; forgotten when a segment is added.
    """

    def __init__(self, max_memories: int = 512):
        self.max_memories = max_memories
        self.questions: list[str] = []
        self.beliefs: dict[str, list[dict]] = {}
        self.tail: list[int] = []
        self._every = 1  # the memory of every so many segments is kept
        self._memories: list[tuple[int, Tensor]] = []  # (segment, float16, see `_trimmed`)
        self._norms: list[Tensor] = []
        self._gates: list[Tensor] = []
        self._ids: list[Tensor] = []  # [tokens of the segment] int32

    def __len__(self) -> int:
        """Segments added so far."""
        return len(self._ids)

    def pin(self, question: str) -> None:
        """Follow what the model believes about this question from the next segment on."""
        if question not in self.questions:
            self.questions.append(question)
            self.beliefs[question] = []

    def add(self, step: SegmentStep, answers: Sequence[Answer] = ()) -> None:
        """Record a segment, with the answers to the pinned questions after it.

        Raises:
            ValueError: if there is not one answer for each pinned question.
        """
        if len(answers) != len(self.questions):
            raise ValueError(f"{len(self.questions)} questions are pinned: give as many answers, not {len(answers)}.")
        for question, answer in zip(self.questions, answers, strict=True):
            self.beliefs[question].append({"segment": len(self), "text": answer.text, "score": answer.score})
        self._norms.append(step.update_norm)
        if len(self) % self._every == 0:
            self._memories.append((len(self), _trimmed(step.memory.half())))
        self._gates.append(step.gate)
        self._ids.append(torch.tensor(step.ids, dtype=torch.int32))
        self.tail = []
        if len(self._memories) > self.max_memories:
            self._memories = self._memories[::2]
            self._every *= 2

    def segment(self, index: int) -> list[int]:
        """The token ids of a segment, counted from 0 in this trace."""
        return self._ids[index].tolist()

    @property
    def memories(self) -> Tensor:
        """[K, m + s, d] float16: the memory after each of the segments `memory_segments`."""
        return _stack([self._whole(memory) for _, memory in self._memories])

    @property
    def memory_segments(self) -> Tensor:
        """[K] which segments, counted from 0 in this trace, `memories` are from."""
        return torch.tensor([segment for segment, _ in self._memories], dtype=torch.int64)

    def memory_before(self, segment: int) -> tuple[int, Tensor] | None:
        """The latest memory [m + s, d] kept from before a segment, with the number of segments read until then; None
        where there is none, which is so at the beginning."""
        memories = self._memories  # looked up once: another thread may be adding
        kept = bisect_left(memories, segment, key=lambda pair: pair[0])
        if kept == 0:
            return None
        last, memory = memories[kept - 1]
        return last + 1, self._whole(memory)

    @property
    def update_norms(self) -> Tensor:
        """[S, m + s] how far each memory token moved at each segment."""
        return _stack(self._norms)

    @property
    def gates(self) -> Tensor:
        """[S, m] how far each working token was written, 0 to 1."""
        return _stack(self._gates)

    @property
    def token_counts(self) -> Tensor:
        """[S] text tokens in each segment."""
        return torch.tensor([len(ids) for ids in self._ids], dtype=torch.int64)

    @property
    def token_ids(self) -> Tensor:
        """[T] int32: the segments' token ids, one after the other."""
        return torch.cat(self._ids) if self._ids else torch.empty(0, dtype=torch.int32)

    def _whole(self, memory: Tensor) -> Tensor:
        """A memory that was kept, with the blank tokens at its end [m + s, d]."""
        return pad(memory, (0, 0, 0, len(self._norms[0]) - len(memory)))

    def save(self, folder: str | Path) -> None:
        """Write `trace.safetensors` and `trace.json` into a folder, which is made where it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("memory_segments", "update_norms", "gates", "token_counts", "token_ids")
        kept = [memory for _, memory in self._memories]
        memories = pad_sequence(kept, batch_first=True) if kept else self.memories
        save_file({name: getattr(self, name) for name in names} | {"memories": memories}, folder / TENSORS)
        also = ("questions", "beliefs", "max_memories", "tail")
        about = json.dumps({name: getattr(self, name) for name in also}, indent=1)
        (folder / ABOUT).write_text(about + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Trace":
        """A trace as it was saved; more steps can be added to it.

        Args:
            path: the folder, or a zip of the files in it.

        Raises:
            ValueError: if there is no trace in it, or one from before traces kept their token ids.
        """
        path = Path(path)
        try:
            folder = zipfile.Path(path) if zipfile.is_zipfile(path) else path
            tensors = load((folder / TENSORS).read_bytes())
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if "token_ids" in tensors:
                return cls._from(tensors, about)
        except (OSError, SafetensorError, zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no trace: give one that Trace.save wrote.") from error
        raise ValueError(f"{path} holds a trace from before traces kept their token ids: record it again.")

    @classmethod
    def _from(cls, tensors: dict[str, Tensor], about: dict) -> "Trace":
        trace, segments = cls(about["max_memories"]), tensors["memory_segments"].tolist()
        trace.questions, trace.beliefs, trace.tail = about["questions"], about["beliefs"], about["tail"]
        trace._memories = list(zip(segments, map(_trimmed, tensors["memories"]), strict=True))
        trace._every = segments[1] - segments[0] if len(segments) > 1 else 1
        trace._norms, trace._gates = list(tensors["update_norms"]), list(tensors["gates"])
        counts = tensors["token_counts"].tolist()
        if sum(counts) != len(tensors["token_ids"]) or not len(counts) == len(trace._norms) == len(trace._gates):
            raise ValueError("The tensors are not of the same segments.")
        trace._ids = list(tensors["token_ids"].split(counts)) if counts else []
        return trace


def _trimmed(memory: Tensor) -> Tensor:
    """A memory [m + s, d] without the stored tokens behind the last that is filled, which are most of it."""
    filled = memory.any(-1).nonzero()[:, 0].tolist()
    return memory[: filled[-1] + 1 if filled else 0].clone()


def _stack(rows: list[Tensor]) -> Tensor:
    return torch.stack(rows) if rows else torch.empty(0)
