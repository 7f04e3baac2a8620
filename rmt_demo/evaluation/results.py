"""Result files: `results/TASK.json` holds a list of rows, and everything needed to reproduce them.

    {"task", "checkpoint", "sha256", "memory_tokens", "segment_length", "seed", "background", "rows": [...]}

The file is rewritten after every row, so a killed measurement keeps its finished rows. Rows of the same task, weights,
seed and background share a file even if different commands measured them; every row records its command and machine. A
row is not measured again if the file has it with at least as many samples. When a row of other weights, another seed or
another background is added, the old file is kept as `TASK.json.old-1`, `-2` and so on, and a new one is started.
"""

import hashlib
import itertools
import json
import os
import resource
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from .. import backbones, checkpoints
from ..data.corpora import USUAL
from ..pretrained import RMTPreTrainedModel
from ..reader import Reader


def about(task: str, checkpoint: str | Path, reader: Reader, seed: int, background: Sequence[str]) -> dict:
    """The fields that all rows of a file have in common."""
    with open(checkpoints.weights_of(str(checkpoint)), "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "task": task,
        "checkpoint": Path(checkpoint).name,
        "sha256": sha256,  # of its weights
        "memory_tokens": reader.config.memory_size,
        "segment_length": reader.config.segment_length,
        "seed": seed,
        "background": [f"{name} (evaluation part)" for name in background],
    }


def file_name(task: str, background: Sequence[str]) -> str:
    """The name of a result file: "open.json", or "open-logs.json" with another background than the default."""
    kinds = () if tuple(background) == USUAL else (Path(name).stem for name in background)
    return "-".join([task, *kinds]) + ".json"


class Row:
    """Times one row: `row = Row(model)`, measure, `row.done(segments=64, accuracy=...)`."""

    def __init__(self, model: RMTPreTrainedModel):
        self.device, self.dtype, self.began = model.device, model.dtype, time.time()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def done(self, **measured) -> dict:
        """The complete row: the measured values, then how they were measured.

        "peak_memory_mb" on a GPU is the peak for this row alone; on a CPU it is the peak of the whole process so far,
        so it never falls from row to row.
        """
        return measured | {
            "minutes": round((time.time() - self.began) / 60, 2),
            "peak_memory_mb": peak_memory_mb(self.device),
            "machine": backbones.describe_machine(self.device),
            "dtype": str(self.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "command": shlex.join(["python", "-m", "rmt_demo", *sys.argv[1:]]),
        }


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory in millions of bytes: of the GPU since its last reset, or of this process since it started."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes, Linux kibibytes
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


class Results:
    """The rows of one measurement, and the file that keeps them.

    Args:
        file: created with the first row if it does not exist.
        common: the fields that all rows have in common, see `about`; a file with other values is renamed.
        keys: the fields that identify a row; rows are sorted by them, and rows without them are dropped.
    """

    def __init__(self, file: Path, common: dict, keys: Sequence[str] = ("segments",)):
        self.file, self.common, self.keys = file, common, keys

    @classmethod
    def of(
        cls,
        task: str,
        out: str | Path,
        checkpoint: str | Path,
        reader: Reader,
        seed: int,
        background: Sequence[str],
        keys: Sequence[str] = ("segments",),
    ) -> "Results":
        """The results of a task in the folder `out`; the other arguments are as for `about`."""
        return cls(Path(out) / file_name(task, background), about(task, checkpoint, reader, seed, background), keys)

    @property
    def rows(self) -> list[dict]:
        """The rows of this measurement that the file has, if any."""
        try:
            known = json.loads(self.file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        rows = known.pop("rows", []) if isinstance(known, dict) else []
        return rows if known == self.common else []

    @property
    def whole(self) -> dict:
        """The content of the file so far."""
        return self.common | {"rows": self.rows}

    def has(self, samples: int, **same) -> bool:
        """Whether a row with the fields `same` and at least `samples` samples exists; if so, say so on stderr."""
        rows = [row for row in self.rows if same.items() <= row.items()]
        found = max((row.get("samples", 0) for row in rows), default=0)
        if found < samples:
            return False
        what = ", ".join(f"{name} {value}" for name, value in same.items())
        kept = f"{self.file} already has {what} with {found} samples"
        print(f"{kept}: remove the file to measure again.", file=sys.stderr)
        return True

    def add(self, row: dict) -> None:
        """Add a row to the file, replacing one with the same `keys`."""
        known = self.rows
        if self.file.exists() and not known:
            numbered = (self.file.with_suffix(f".json.old-{number}") for number in itertools.count(1))
            old = next(path for path in numbered if not path.exists())
            self.file.rename(old)
            print(f"{self.file} was of another checkpoint, seed or background: renamed to {old}.", file=sys.stderr)
        rows = [other for other in known if {*self.keys} <= other.keys()]
        rows = [other for other in rows if any(other[key] != row[key] for key in self.keys)] + [row]
        result = self.common | {"rows": sorted(rows, key=lambda row: [row[key] for key in self.keys])}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".tmp")
        draft.write_text(json.dumps(result, indent=1) + "\n")
        os.replace(draft, self.file)  # atomic, so that there is a complete file at every moment
