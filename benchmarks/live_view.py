"""What the live view costs of the reading speed: the same haystack read bare, with frames, and with beliefs and frames.

    python benchmarks/live_view.py                       # about a minute on 2 free cores
    python benchmarks/live_view.py --length 200000 --rounds 5

Each way reads the text as often as there are rounds, in turn, so that a busy machine slows all of them; the median
counts. Frames are made and written as JSON, as for the network, at most ten a second; what a browser does with them is
not in it.
Prints a table, and with --out writes live_view.json into that folder.
"""

import argparse
import json
import shlex
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from rmt_demo import Reader, backbones
from rmt_demo.checkpoints import default_checkpoint
from rmt_demo.data.haystack import Fact, Haystack
from rmt_demo.ui import presets
from rmt_demo.ui.handlers import Handlers

VISITOR = SimpleNamespace(session_hash="benchmark")


def bare(reader: Reader, length: int) -> int:
    """Read and look at nothing."""
    fork = reader.fork()
    preset = presets.draw(presets.FIRST, 0)
    facts = [Fact(*row) for row in preset.rows]
    for _ in fork.read(Haystack("kjv", facts, length, seed=0, tokenizer=reader.tokenizer)):
        pass
    return fork.state.tokens_read


def shown(reader: Reader, length: int, questions: list[str]) -> int:
    """Read as the page does."""
    handlers, preset = Handlers(reader), presets.draw(presets.FIRST, 0)
    for frame in handlers.read("kjv", "", None, length, preset.rows, 0, presets.FIRST, questions, VISITOR):
        json.dumps(frame)
    return handlers.visit(VISITOR).reader.state.tokens_read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default=default_checkpoint())
    parser.add_argument("--length", type=int, default=100_000, help="tokens to read each time (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for live_view.json (default: nothing is written)")
    args = parser.parse_args()
    reader = Reader.from_pretrained(args.checkpoint)
    asked = list(presets.draw(presets.FIRST, 0).queries)
    ways = {
        "bare": lambda length: bare(reader, length),
        "frames": lambda length: shown(reader, length, []),
        "frames and 3 questions": lambda length: shown(reader, length, asked),
    }
    speeds = {name: [] for name in ways}
    bare(reader, 5_000)  # the first kernels and the background's token counts
    for _ in range(args.rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            tokens = way(args.length)
            speeds[name].append(tokens / (time.perf_counter() - began))
    medians = {name: statistics.median(rates) for name, rates in speeds.items()}
    rows = [
        {"way": name, "tokens_per_second": round(rate), "cost_percent": round(100 * (1 - rate / medians["bare"]), 1)}
        for name, rate in medians.items()
    ]
    for row in rows:
        print(f"{row['way']:<24} {row['tokens_per_second']:>8,} tokens/s   costs {row['cost_percent']:.1f}%")
    if args.out:
        about = {
            "command": shlex.join(["python", *sys.argv]),
            "checkpoint": Path(args.checkpoint).name,
            "machine": backbones.describe_machine(reader.model.device),
            "tokens": args.length,
            "rounds": args.rounds,
            "rows": rows,
        }
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "live_view.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
