"""Trace: what happened at every segment of a reading, to plot it or to replay it later."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from .answers import Answer
from .reader import SegmentStep


class Trace:
    """Collects the steps of a reading.

        trace.pin("Where is Daniel?")
        for step in reader.read(text):
            trace.add(step, reader.ask_many(trace.questions))

    Norms, gates and beliefs are kept of every segment. Memories are thinned: when there are more than
    `max_memories`, every second one goes, so that a trace of any length stays small.

    Attributes:
        questions: those pinned.
        beliefs: question -> one {"segment", "text", "score"} for each segment since it was pinned.
    """

    def __init__(self, max_memories: int = 2048):
        self.max_memories = max_memories
        self.questions: list[str] = []
        self.beliefs: dict[str, list[dict]] = {}
        self._every = 1  # the memory of every so many segments is kept
        self._memories: list[tuple[int, Tensor]] = []  # (segment, [m, d] float16)
        self._norms: list[Tensor] = []
        self._gates: list[Tensor] = []
        self._counts: list[int] = []

    def __len__(self) -> int:
        """Segments added so far."""
        return len(self._counts)

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
        if len(self) % self._every == 0:
            self._memories.append((len(self), step.memory.half()))
        self._norms.append(step.update_norm)
        self._gates.append(step.gate)
        self._counts.append(len(step.tokens))
        if len(self._memories) > self.max_memories:
            self._memories = self._memories[::2]
            self._every *= 2

    @property
    def memories(self) -> Tensor:
        """[K, m, d] float16: the memory after each of the segments `memory_segments`."""
        return _stack([memory for _, memory in self._memories])

    @property
    def memory_segments(self) -> Tensor:
        """[K] which segments, counted from 0 in this trace, `memories` are from."""
        return torch.tensor([segment for segment, _ in self._memories], dtype=torch.int64)

    @property
    def update_norms(self) -> Tensor:
        """[S, m] how far each memory token moved at each segment."""
        return _stack(self._norms)

    @property
    def gates(self) -> Tensor:
        """[S, m] how far each memory token was written, 0 to 1."""
        return _stack(self._gates)

    @property
    def token_counts(self) -> Tensor:
        """[S] text tokens in each segment."""
        return torch.tensor(self._counts, dtype=torch.int64)

    def save(self, folder: str | Path) -> None:
        """Write `trace.safetensors` and `trace.json` into a folder, which is made where it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        names = ("memories", "memory_segments", "update_norms", "gates", "token_counts")
        save_file({name: getattr(self, name) for name in names}, folder / "trace.safetensors")
        about = {"questions": self.questions, "beliefs": self.beliefs, "max_memories": self.max_memories}
        (folder / "trace.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> "Trace":
        """A trace as it was saved; more steps can be added to it.

        Raises:
            ValueError: if the folder holds no trace.
        """
        try:
            tensors = load_file(Path(folder) / "trace.safetensors")
            about = json.loads((Path(folder) / "trace.json").read_text(encoding="utf-8"))
            trace = cls(about["max_memories"])
            trace.questions, trace.beliefs = about["questions"], about["beliefs"]
            segments = tensors["memory_segments"].tolist()
            trace._memories = list(zip(segments, tensors["memories"], strict=True))
            trace._every = segments[1] - segments[0] if len(segments) > 1 else 1
            trace._norms, trace._gates = list(tensors["update_norms"]), list(tensors["gates"])
            trace._counts = tensors["token_counts"].tolist()
        except (OSError, SafetensorError, ValueError, KeyError) as error:
            raise ValueError(f"{folder} holds no trace: give one that Trace.save wrote.") from error
        return trace


def _stack(rows: list[Tensor]) -> Tensor:
    return torch.stack(rows) if rows else torch.empty(0)
