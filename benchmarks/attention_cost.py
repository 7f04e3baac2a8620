"""Full attention against RMT, measured: seconds and peak memory for texts of 512, 1,024, 2,048... tokens.

    python benchmarks/attention_cost.py                                   # up to 4 GiB and two minutes a text
    python benchmarks/attention_cost.py --limit 1 --seconds 5 --out /tmp  # a quick look

Three ways to take in the same text, each run in a process of its own, with the same weights and precision:

    scores  the checkpoint's backbone over the whole text at once, attention scores stored as in the textbook
    fused   the same with PyTorch's fused attention, which computes as much but never stores the scores
    rmt     the Reader, segment by segment, and a question at the end, which takes in the unfinished segment

MiniLM knows 512 positions. Beyond them its position ids start again from 0, so that full attention runs and can be
timed; what it computes there is of no use to anyone. A way is given up at the first length that does not fit into
--limit or that would take more than --seconds, going by the length before. Writes results/cost.json, whose "_mb" are
MiB, and "limit_gb" GiB.
"""

import argparse
import json
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
from rmt_demo.checkpoints import be_quiet, default_checkpoint
from rmt_demo.data.haystack import Haystack
from rmt_demo.segments import token_ids

SHORTEST = 512
FULL = {"scores": "eager", "fused": "sdpa"}  # way -> what `transformers` calls it
GROWTH = 4  # of full attention's time, at most, from one length to twice that length


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default=default_checkpoint())
    parser.add_argument("--out", default="results")
    parser.add_argument("--limit", type=float, default=4, metavar="GiB", help="memory of a process (on a GPU: its)")
    parser.add_argument("--seconds", type=float, default=120, help="for one text")
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)  # a way and a text: what the subprocesses do
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if args.read:
        print(json.dumps(measure(args.checkpoint, device, args.limit, *args.read)))
        return
    rows, stopped = compare(args)
    result = {
        "command": shlex.join(["python", *sys.argv]),
        "checkpoint": Path(args.checkpoint).name,
        "machine": backbones.describe_machine(device),
        "torch": torch.__version__,
        "date": date.today().isoformat(),
        "limit_gb": args.limit,
        "rows": rows,
        "stopped": stopped,
    }
    Path(args.out).mkdir(parents=True, exist_ok=True)
    (Path(args.out) / "cost.json").write_text(json.dumps(result, indent=1) + "\n")


def compare(args: argparse.Namespace) -> tuple[list[dict], list[dict]]:
    """Measure all ways at doubling lengths until RMT is the only one left; returns the rows and who stopped where."""
    rows, stopped, length, last = [], [], SHORTEST, dict.fromkeys(FULL, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        while last:
            text.write_text("".join(Haystack("kjv", length=length)), encoding="utf-8")
            for way in (*last, "rmt"):
                expected = GROWTH * last.get(way, 0.0)
                if expected > args.seconds:
                    why = f"might take {expected:,.0f} s"
                elif (row := start(args, way, text)) is None:
                    why = f"needs more than {args.limit:g} GiB"
                else:
                    rows.append({"way": way, "length": length, **row})
                    print(f"{way:6} {length:>9,} tokens: {row['seconds']:8.2f} s, peak {row['peak_mb']:8,.0f} MiB")
                    if way in FULL:
                        last[way] = row["seconds"]
                    continue
                stopped.append({"way": way, "length": length, "why": why})
                print(f"{way:6} {length:>9,} tokens: {why}")
                last.pop(way, None)
            length *= 2
    return rows, stopped


def start(args: argparse.Namespace, way: str, text: Path) -> dict | None:
    """`measure` in a fresh process, so that a peak is its own."""
    options = ["--checkpoint", str(args.checkpoint), "--limit", str(args.limit), "--read", way, str(text)]
    done = subprocess.run([sys.executable, __file__, *options], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def measure(checkpoint: str, device: torch.device, limit: float, way: str, path: str) -> dict | None:
    """Take in a text after a warm-up: tokens, seconds, memory before and at the peak; None if it does not fit."""
    be_quiet()
    reader, text = Reader.from_pretrained(checkpoint, device), Path(path).read_text(encoding="utf-8")
    take_in = by_segments if way == "rmt" else whole
    if way in FULL:
        reader.model.backbone.set_attn_implementation(FULL[way])
    limit_memory(device, limit)
    try:
        take_in(reader, text[:1000])
        reader.reset()
        loaded, began = peak_mb(device), time.perf_counter()
        tokens = take_in(reader, text)
        seconds, peak = time.perf_counter() - began, peak_mb(device)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error) or "alloc" in str(error):
            return None
        raise
    if peak > limit * 1024:  # where the system did not enforce it
        return None
    dtype = str(reader.model.dtype).removeprefix("torch.")
    return {"tokens": tokens, "seconds": round(seconds, 3), "loaded_mb": loaded, "peak_mb": peak, "dtype": dtype}


@torch.inference_mode()
def whole(reader: Reader, text: str) -> int:
    """Full attention: every token sees every token. Returns their number."""
    backbone = reader.model.backbone
    ids = torch.tensor(token_ids(reader.tokenizer, [text]), device=backbone.device)
    positions = torch.arange(ids.shape[1], device=ids.device)[None] % backbone.config.max_position_embeddings
    backbone(input_ids=ids, position_ids=positions).last_hidden_state[0, 0].tolist()  # waits until a GPU is done
    return ids.shape[1]


def by_segments(reader: Reader, text: str) -> int:
    """RMT: read, then ask. Returns the number of tokens."""
    for _ in reader.read(text):
        pass
    reader.ask("Where is Daniel?")
    return reader.state.tokens_read


def limit_memory(device: torch.device, gigabytes: float) -> None:
    """Have allocations beyond the limit fail, before the machine starts to swap (Linux and CUDA)."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * (1 << 30) / total))
    else:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (int(gigabytes * (1 << 30)), hard))


def peak_mb(device: torch.device) -> float:
    """The most memory used so far, in MiB: of the process, or of the GPU by it."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated() / (1 << 20), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)  # bytes there, KiB elsewhere


if __name__ == "__main__":
    main()
