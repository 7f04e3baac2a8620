"""Reading takes the same memory for any length: tokens/s and peak RAM for 10,000 and for 1,000,000 tokens.

    python benchmarks/reading.py                                  # about 2 minutes on 2 cores
    python benchmarks/reading.py --checkpoint DIR --out results

Each length is read in a process of its own, from a file, by the Reader; writes results/reading.json,
whose "peak_mb" is in MiB.
"""

import argparse
import json
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import torch

from rmt_demo import Reader, backbones
from rmt_demo.checkpoints import default_checkpoint
from rmt_demo.data.haystack import Haystack

LENGTHS = (10_000, 1_000_000)
LINUX = sys.platform == "linux"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default=default_checkpoint())
    parser.add_argument("--out", default="results")
    parser.add_argument("--read", help=argparse.SUPPRESS)  # what the subprocesses do
    args = parser.parse_args()
    if args.read:
        print(json.dumps(read(args.checkpoint, args.read)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(args.checkpoint, length, Path(folder)) for length in LENGTHS]
    growth = rows[-1]["peak_mb"] - rows[0]["peak_mb"]
    print(f"peak memory grows by {growth:.1f} MiB from {LENGTHS[0]:,} to {LENGTHS[-1]:,} tokens")
    result = {
        "command": shlex.join(["python", *sys.argv]),
        "checkpoint": Path(args.checkpoint).name,
        "machine": backbones.describe_machine(backbones.pick_device()),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
        "growth_mb": round(growth, 1),
        "rows": rows,
    }
    Path(args.out).mkdir(parents=True, exist_ok=True)
    (Path(args.out) / "reading.json").write_text(json.dumps(result, indent=1) + "\n")


def measure(checkpoint: str | Path, length: int, folder: Path) -> dict:
    """Write a text of `length` tokens and have a fresh process read it."""
    path = folder / f"{length}.txt"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(Haystack("kjv", length=length))
    command = [sys.executable, __file__, "--checkpoint", str(checkpoint), "--read", str(path)]
    row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"{row['tokens']:>9,} tokens: {row['tokens_per_second']:>8,.0f} tokens/s, peak {row['peak_mb']:,.1f} MiB")
    return row


def read(checkpoint: str, path: str) -> dict:
    """Read a file and say how fast it went and how much memory the process took at its peak meanwhile."""
    reader = Reader.from_pretrained(checkpoint)
    forget_peak()  # loading took more at times than reading does, which would hide what reading adds
    began = time.perf_counter()
    with open(path, encoding="utf-8") as file:
        for _ in reader.read(iter(lambda: file.read(1 << 16), "")):
            pass
    seconds = time.perf_counter() - began
    return {
        "tokens": reader.state.tokens_read,
        "segments": reader.state.segments_read,
        "seconds": round(seconds, 2),
        "tokens_per_second": round(reader.state.tokens_read / seconds),
        "peak_mb": round(peak_mb(), 1),
        "device": str(reader.model.device),
        "dtype": str(reader.model.dtype).removeprefix("torch."),
    }


def forget_peak() -> None:
    """Let the peak of this process's memory be what it takes now; only Linux can."""
    if LINUX:
        Path("/proc/self/clear_refs").write_text("5")


def peak_mb() -> float:
    """The most memory that this process took, in MiB, since `forget_peak` where there is that."""
    if LINUX:
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)[1]) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # macOS counts bytes


if __name__ == "__main__":
    main()
