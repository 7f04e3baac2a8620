"""Trace: a recording of a reading, segment by segment, for plots and for `replay.py`."""

import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from . import backbones
from .answers import Answer
from .reading import SegmentStep

MOST_BYTES = 64_000_000
TENSORS, ABOUT = "trace.safetensors", "trace.json"


class Trace:
    """Collects the steps of a reading.

        trace.pin("Where is Daniel?")
        for step in reader.read(text):
            trace.add(step, reader.ask_many(trace.questions))
        trace.tail = reader.tail
        trace.save("run", reader.model)

    Token ids, norms, gates and beliefs are kept for every segment. Memories are thinned out: when there are more than
    `max_memories`, or they take more than MOST_BYTES, every second one is dropped, so that their size stays bounded.

    Attributes:
        questions: the pinned questions.
        beliefs: question -> one {"segment", "text", "score"} for each time it was asked.
        tail: token ids read after the last segment, if the caller has set it; cleared when a segment is added.
        model: in a loaded trace, the checksum of the model that read it, so that no other model continues it.
    """

    def __init__(self, max_memories: int = 512):
        self.max_memories = max_memories
        self.questions: list[str] = []
        self.beliefs: dict[str, list[dict]] = {}
        self.tail: list[int] = []
        self.model: int | None = None
        self._memory_size = 0  # m + s
        self._memories = Pile(), 1  # float16, see `_trimmed`; and the interval in segments at which they are kept
        self._norms = Pile()  # see `_trimmed`
        self._gates = Pile()
        self._ids = Pile()  # int32

    def __len__(self) -> int:
        """Number of segments recorded."""
        return len(self._ids)

    def pin(self, question: str) -> None:
        """Record the answer to this question from the next segment on."""
        if question not in self.questions:
            self.questions.append(question)
            self.beliefs[question] = []

    def add(self, step: SegmentStep, answers: Sequence[Answer] = ()) -> None:
        """Record a segment, and the answers to the pinned questions after it.

        Raises:
            ValueError: if there is not exactly one answer for each pinned question.
        """
        if len(answers) != len(self.questions):
            raise ValueError(f"{len(self.questions)} questions are pinned: give as many answers, not {len(answers)}.")
        for question, answer in zip(self.questions, answers, strict=True):
            self.beliefs[question].append({"segment": len(self), "text": answer.text, "score": answer.score})
        self._memory_size = len(step.memory)
        self._norms.add(_trimmed(step.update_norm))
        memories, every = self._memories
        if len(self) % every == 0:
            memories.add(_trimmed(step.memory.half()))
        self._gates.add(step.gate)
        self._ids.add(torch.tensor(step.ids, dtype=torch.int32))
        self.tail = []
        if len(memories) > self.max_memories or memories.bytes > MOST_BYTES and len(memories) > 1:
            self._memories = Pile(list(memories)[::2]), 2 * every

    def segment(self, index: int) -> list[int]:
        """The token ids of a segment, counted from 0 in this trace."""
        return self._ids[index].tolist()

    @property
    def memories(self) -> Tensor:
        """[K, m + s, d] float16: the memory after each of the segments `memory_segments`."""
        return self._whole(list(self._memories[0]))

    @property
    def memory_segments(self) -> Tensor:
        """[K] the segments, counted from 0 in this trace, after which `memories` were taken."""
        memories, every = self._memories
        return torch.arange(len(memories)) * every

    def memory_before(self, segment: int) -> tuple[int, Tensor] | None:
        """Return (number of segments read, memory [m + s, d]) for the latest memory kept before a segment; None if
        there is none, as at the beginning."""
        memories, every = self._memories  # read once: another thread may be adding
        latest = min((segment - 1) // every, len(memories) - 1)
        return (latest * every + 1, self._whole([memories[latest]])[0]) if latest >= 0 else None

    @property
    def update_norms(self) -> Tensor:
        """[S, m + s] L2 norm of the change of each memory token at each segment."""
        return self._whole(list(self._norms))

    @property
    def gates(self) -> Tensor:
        """[S, m] openness of each working token's write gate, 0 to 1."""
        return torch.stack(list(self._gates)) if len(self._gates) else torch.empty(0)

    @property
    def token_counts(self) -> Tensor:
        """[S] number of text tokens in each segment."""
        return torch.tensor([len(ids) for ids in self._ids], dtype=torch.int64)

    @property
    def token_ids(self) -> Tensor:
        """[T] int32: the token ids of all segments, concatenated."""
        return torch.cat(list(self._ids)) if len(self._ids) else torch.empty(0, dtype=torch.int32)

    def _whole(self, trimmed: list[Tensor]) -> Tensor:
        """Pad K trimmed memories or norms to full size again: [K, m + s, d] or [K, m + s]."""
        if not trimmed:
            return torch.empty(0)
        rows = pad_sequence(trimmed, batch_first=True)
        return pad(rows, (*(0, 0) * (rows.dim() - 2), 0, self._memory_size - rows.shape[1]))

    def save(self, folder: str | Path, model: nn.Module | None = None) -> None:
        """Write `trace.safetensors` and `trace.json` into a folder, creating it if needed. `model` is the model that
        read the text, whose checksum is stored; by default the checksum that a loaded trace has."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("memory_segments", "update_norms", "gates", "token_counts", "token_ids")
        kept = list(self._memories[0])
        memories = pad_sequence(kept, batch_first=True) if kept else self.memories
        save_file({name: getattr(self, name) for name in names} | {"memories": memories}, folder / TENSORS)
        also = ("questions", "beliefs", "max_memories", "tail")
        read_by = self.model if model is None else backbones.checksum(model)
        about = json.dumps({name: getattr(self, name) for name in also} | {"model": read_by}, indent=1)
        (folder / ABOUT).write_text(about + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> "Trace":
        """Load a saved trace; more steps can be added to it.

        Args:
            path: the folder, or a zip of the files in it.

        Raises:
            ValueError: if it holds no trace, or one of an older format without token ids.
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
        raise ValueError(f"{path} holds a trace of an older format without token ids: record it again.")

    @classmethod
    def _from(cls, tensors: dict[str, Tensor], about: dict) -> "Trace":
        trace, norms, gates = cls(about["max_memories"]), tensors["update_norms"], tensors["gates"]
        trace.questions, trace.beliefs, trace.tail = about["questions"], about["beliefs"], about["tail"]
        trace.model = about.get("model")  # older traces do not say
        counts, segments = tensors["token_counts"].tolist(), tensors["memory_segments"].tolist()
        if sum(counts) != len(tensors["token_ids"]) or not len(counts) == len(norms) == len(gates):
            raise ValueError("The tensors are not of the same segments.")
        if counts:
            every = -(-len(counts) // max(1, len(segments)))  # at least: it doubles whenever memories are thinned
            trace._memories = Pile(map(_trimmed, tensors["memories"])), 2 ** (every - 1).bit_length()
            trace._memory_size = norms.shape[1]
            trace._norms, trace._gates = Pile(map(_trimmed, norms)), Pile(gates)
            trace._ids = Pile(tensors["token_ids"].split(counts))
        if trace.memory_segments.tolist() != segments:
            raise ValueError("The memories are not at regular intervals.")
        return trace


class Pile:
    """An append-only list of tensors in one contiguous block, which doubles when it is full.

    Stored separately, thousands of small tensors between the large temporary ones of a reading would fragment the heap
    and hold on to a hundred times their size.
    """

    def __init__(self, tensors: Iterable[Tensor] = ()):
        self._block, self._ends = torch.empty(0), [0]
        for tensor in tensors:
            self.add(tensor)

    def add(self, tensor: Tensor) -> None:
        """Append a tensor [n, ...]; the other dimensions and the dtype are the same for all."""
        begin, end = self._ends[-1], self._ends[-1] + len(tensor)
        if begin == 0 or end > len(self._block):
            block = tensor.new_empty(2 * end, *tensor.shape[1:])
            if begin:
                block[:begin] = self._block[:begin]
            self._block = block
        self._block[begin:end] = tensor
        self._ends.append(end)  # last: another thread may be reading

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def bytes(self) -> int:
        """Size of the tensors, without the spare room."""
        return self._block[: self._ends[-1]].nbytes

    def __getitem__(self, index: int) -> Tensor:
        return self._block[self._ends[index] : self._ends[index + 1]]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))


def _trimmed(memory: Tensor) -> Tensor:
    """A memory [m + s, d] or norms [m + s] up to the last row that is not 0: most stored tokens are blank."""
    filled = memory.flatten(1).any(-1) if memory.dim() > 1 else memory
    last = filled.nonzero()[-1:, 0].tolist()
    return memory[: last[0] + 1 if last else 0]
