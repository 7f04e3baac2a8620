"""Files of measured numbers: `results/TASK.json`, a list of rows beside all that is needed to measure them again.

    {"task", "checkpoint", "sha256", "memory_tokens", "segment_length", "seed", "background", "rows": [...]}

The file is rewritten after every row, so a measurement that is killed keeps what it has. Rows of the same task,
weights, seed and background come together in one file, whatever commands measured them; every row says which one did,
and on what machine. What a file has of as many samples or more is not measured again. A row of anything else starts the
file anew, and what was in it is kept as `TASK.json.old-1`, `-2` and so on.
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
    """What all rows of one file have in common."""
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
    """ "open.json", and "open-logs.json" on another background than usual."""
    kinds = () if tuple(background) == USUAL else (Path(name).stem for name in background)
    return "-".join([task, *kinds]) + ".json"


class Row:
    """Times one row: `row = Row(model)`, measure, `row.done(segments=64, accuracy=...)`."""

    def __init__(self, model: RMTPreTrainedModel):
        self.device, self.dtype, self.began = model.device, model.dtype, time.time()
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def done(self, **measured) -> dict:
        """The row as it is written: what was measured, then how.

        "peak_memory_mb" is the GPU's for this row alone; on a CPU it is the whole process's up to now, which no
        later row can be below.
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
    """The most memory used, in millions of bytes: of the GPU since it was last reset, or of this process."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6, 1)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes on Linux
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)


class Results:
    """The rows of one measurement, and the file that keeps them.

    Args:
        file: made with the first row, if it is not there.
        common: what all rows have in common, see `about`; a file of anything else is set aside for them.
        keys: the fields that tell rows apart; the rows are in their order, and those without them go.
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
        """Those of a task in the folder `out`; the rest as in `about`."""
        return cls(Path(out) / file_name(task, background), about(task, checkpoint, reader, seed, background), keys)

    @property
    def rows(self) -> list[dict]:
        """The rows that the file has of this measurement, if any."""
        try:
            known = json.loads(self.file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        rows = known.pop("rows", []) if isinstance(known, dict) else []
        return rows if known == self.common else []

    @property
    def whole(self) -> dict:
        """All that is known so far, as it is written."""
        return self.common | {"rows": self.rows}

    def has(self, samples: int, **same) -> bool:
        """Is there a row with the fields `same`, of as many samples or more? If so, says that it is kept."""
        rows = [row for row in self.rows if same.items() <= row.items()]
        there = max((row.get("samples", 0) for row in rows), default=0)
        if there < samples:
            return False
        what = ", ".join(f"{name} {value}" for name, value in same.items())
        kept = f"{self.file} has {what} with {there} samples and keeps it"
        print(f"{kept}: remove the file to measure again.", file=sys.stderr)
        return True

    def add(self, row: dict) -> None:
        """Put a row into the file, in place of one with the same `keys`."""
        known = self.rows
        if self.file.exists() and not known:
            numbered = (self.file.with_suffix(f".json.old-{number}") for number in itertools.count(1))
            aside = next(path for path in numbered if not path.exists())
            self.file.rename(aside)
            print(
                f"{self.file} had nothing of this checkpoint, seed and background: it is {aside} now.", file=sys.stderr
            )
        rows = [other for other in known if {*self.keys} <= other.keys()]
        rows = [other for other in rows if any(other[key] != row[key] for key in self.keys)] + [row]
        result = self.common | {"rows": sorted(rows, key=lambda row: [row[key] for key in self.keys])}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".tmp")
        draft.write_text(json.dumps(result, indent=1) + "\n")
        os.replace(draft, self.file)  # at once, so that there is a whole file at every moment
