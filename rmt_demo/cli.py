"""The command line: `python -m rmt_demo ask|replay|train|gates|eval|figure|cost`.

Results go to stdout, progress and errors to stderr. Bad input ends in exit code 2 and one line that says what to do.
Modules that train, measure or draw are imported only by the commands that need them.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from tqdm import tqdm

from . import Answer, Reader, ReaderState, Trace, state_at
from .checkpoints import be_quiet, default_checkpoint
from .data.files import file_text
from .data.haystack import Haystack, check_size
from .evaluation.cost import OPT, PAPER_TOKENS, SEGMENT, full_attention_flops, opt, ratio, rmt_flops
from .options import build_parser, parse_fact, parse_recipe
from .questions import question_ids


def main(argv: list[str] | None = None) -> int:
    """Run a command and return the exit code: 0, 2 for bad input, or 130 when interrupted."""
    try:
        args = build_parser(default_checkpoint()).parse_args(argv)
        COMMANDS[args.command](args)
    except (ValueError, OSError, SafetensorError) as error:  # safetensors raises its own error when the disk is full
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def run_ask(args: argparse.Namespace) -> None:
    """Read a text and print the answers to the questions."""
    facts = [parse_fact(text) for text in args.fact]
    if args.length and not args.corpus:
        raise ValueError("--length needs a --corpus: a file is always read to its end.")
    if args.haystack not in (None, "-") and (Path(args.haystack).is_dir() or not Path(args.haystack).exists()):
        raise ValueError(f"There is no file {args.haystack}: give the path of a UTF-8 text file.")
    if args.haystack == "-" and sys.stdin is None:
        raise ValueError("Standard input is closed: pipe a text into it, or give a file.")
    be_quiet()
    reader = Reader.from_pretrained(args.checkpoint, args.device)
    for question in args.question:
        question_ids(reader.tokenizer, reader.config, question)  # reject bad questions before a long read
    check_size(facts, reader.tokenizer, reader.config.text_capacity)
    if args.corpus:
        text = Haystack(args.corpus, facts, args.length or 10_000, args.seed, reader.tokenizer)
    else:
        text = file_text(args.haystack, facts)
    trace = Trace()
    for question in args.question if args.trace else ():
        trace.pin(question)
    began = time.perf_counter()
    total = text.tokens if args.corpus else None
    with tqdm(total=total, unit=" tokens", unit_scale=True, leave=False, disable=None) as bar:  # terminals only
        for step in reader.read(text):
            bar.update(len(step.tokens))
            if args.trace:
                trace.add(step, reader.ask_many(trace.questions))
    seconds = time.perf_counter() - began
    report(args, reader.ask_many(args.question), reader.state, seconds)
    if args.trace:
        trace.tail = reader.tail
        trace.save(args.trace, reader.model)


def report(args: argparse.Namespace, answers: Sequence[Answer], state: ReaderState, seconds: float) -> None:
    """Print answers to stdout and the speed to stderr."""
    tokens, segments = state.tokens_read, state.segments_read
    speed = tokens / max(seconds, 1e-9)
    print(f"Read {tokens:,} tokens in {seconds:.1f} s: {speed:,.0f} tokens/s.", file=sys.stderr)
    if args.json:
        read = {"tokens": tokens, "segments": segments, "seconds": seconds, "tokens_per_second": speed}
        print(json.dumps({"answers": as_json(args.question, answers), **read}))
    else:
        print_answers(args.question, answers)


def as_json(questions: Sequence[str], answers: Sequence[Answer]) -> list[dict]:
    return [answer.as_json(question) for question, answer in zip(questions, answers, strict=True)]


def print_answers(questions: Sequence[str], answers: Sequence[Answer]) -> None:
    for question, answer in zip(questions, answers, strict=True):
        thought = f", thought: {answer.thought}" if answer.thought else ""
        print(f"Q: {question}\nA: {answer.text}   ({answer.score:.0%} sure{thought})")


def run_replay(args: argparse.Namespace) -> None:
    """Summarise a saved trace; with questions, answer them from the memory after one of its segments."""
    if args.segment is not None and not args.question:
        raise ValueError("--segment says after which segment to ask: give a --question too.")
    trace, answers = Trace.load(args.trace), []
    segment = len(trace) if args.segment is None else args.segment
    tokens = len(trace.token_ids) + len(trace.tail)
    if args.question:
        be_quiet()
        reader = Reader.from_pretrained(args.checkpoint)
        reader.restore(state_at(reader, trace, segment))
        answers = reader.ask_many(args.question)
    if args.json:
        held = {
            "segments": len(trace),
            "tokens": tokens,
            "memories": len(trace.memory_segments),
            "beliefs": trace.beliefs,
        }
        asked = {"segment": segment, "answers": as_json(args.question, answers)} if answers else {}
        print(json.dumps(held | asked))
        return
    print(f"{len(trace):,} segments, {tokens:,} tokens, {len(trace.memory_segments):,} saved memory states.")
    for question, beliefs in trace.beliefs.items():
        print(f"Answers to {question!r} while reading:")
        changes = [b for a, b in zip([{"text": None}, *beliefs], beliefs, strict=False) if a["text"] != b["text"]]
        for belief in changes:
            print(f"  from segment {belief['segment'] + 1:,}: {belief['text']}   ({belief['score']:.0%} sure)")
    if answers:
        print(f"After {segment:,} segments:")
        print_answers(args.question, answers)


def run_train(args: argparse.Namespace) -> None:
    """Train by a recipe."""
    from .training.train import train

    train(parse_recipe(args.recipe), args.out, args.backbone, args.seed, args.background, args.init)


def run_gates(args: argparse.Namespace) -> None:
    """Train only the write gates."""
    from .training.gates import teach

    be_quiet()
    teach(args.init, args.out, args.background, args.batches, args.seed)


def run_eval(args: argparse.Namespace) -> None:
    """Measure a checkpoint, or with --figure5 the checkpoints of a curriculum's stages."""
    if args.backbone and not args.figure5:
        raise ValueError("--backbone is only for --figure5: leave it out, or name a recipe with --figure5.")
    if args.checkpoint and args.figure5:
        raise ValueError("--figure5 trains and measures its own checkpoints: leave --checkpoint out, or --figure5.")
    be_quiet()
    given = {name: getattr(args, name) for name in ("samples", "segments", "seed", "background")}
    given = {name: value for name, value in given.items() if value is not None}
    results = measure_stages(args, given) if args.figure5 else measure_checkpoint(args, given)
    if args.json:
        print(json.dumps(results))
        return
    for task, result in results.items():
        for row in result["rows"]:
            print_row(task, row)


def measure_checkpoint(args: argparse.Namespace, given: dict) -> dict:
    """{task: result} of a checkpoint; `given` are the options that override defaults."""
    from .evaluation import capacity, extrapolation, writes

    checkpoint, tasks = args.checkpoint or default_checkpoint(), args.tasks or ()
    others = {module.TASK: module for module in (capacity, writes)}
    answering = (*extrapolation.TASKS, extrapolation.STREAM)
    if unknown := [task for task in tasks if task not in (*answering, *others)]:
        raise ValueError(f"There is no task {unknown[0]!r}: choose from {', '.join((*answering, *others))}.")
    # Loading first means that a checkpoint is refused before anything is measured.
    readers = {task: module.load(checkpoint) for task, module in others.items() if task in tasks}
    asked, results = [task for task in tasks if task in answering], {}
    if asked or not tasks:
        results = extrapolation.evaluate(checkpoint, args.out, tasks=asked or None, **given)
    for task, reader in readers.items():
        results[task] = others[task].measure(checkpoint, reader, args.out, **given)
    return results


def measure_stages(args: argparse.Namespace, given: dict) -> dict:
    """Train the stages of a recipe in runs/figure5-RECIPE and measure them."""
    from .evaluation import stages

    given |= {name: getattr(args, name) for name in ("tasks", "backbone") if getattr(args, name) is not None}
    return {stages.TASK: stages.measure(parse_recipe(args.figure5), f"runs/figure5-{args.figure5}", args.out, **given)}


def print_row(task: str, row: dict) -> None:
    """Print a row of results, one line for each percentage in it."""
    fields = [name for name in ("task", "facts", "memory_tokens", "trained_on") if name in row]
    more = "".join(f", {name.replace('_', ' ')} {row[name]}" for name in fields)
    shares = {"right": row} if "accuracy" in row else {name: row[name] for name in ("precision", "recall")}
    for name, share in shares.items():
        if share:
            interval = f"({share['low']:.1f} to {share['high']:.1f})"
            print(f"{task:10} {row['segments']:6} segments{more}: {share['accuracy']:5.1f}% {name} {interval}")


def run_figure(args: argparse.Namespace) -> None:
    """Draw a figure."""
    from .evaluation.figures import draw

    be_quiet()
    print(draw(args.number, args.out, args.results, args.checkpoint))


def run_cost(args: argparse.Namespace) -> None:
    """Count the FLOPs of reading a text, as in figure 3 of the paper."""
    tokens, rows = args.tokens or PAPER_TOKENS, []
    for name in OPT if args.model is None else [args.model.lower()]:
        shape = opt(name)
        flops = {"full_attention_flops": full_attention_flops(shape, tokens), "rmt_flops": rmt_flops(shape, tokens)}
        rows.append({"model": name, **flops, "ratio": ratio(shape, tokens)})
    if args.json:
        print(json.dumps({"tokens": tokens, "segment": SEGMENT, "rows": rows}))
        return
    print(f"Forward FLOPs for {tokens:,} tokens, RMT in segments of {SEGMENT}:")
    print(f"{'model':10} {'full attention':>14} {'RMT':>10} {'ratio':>8}")
    for row in rows:
        full, rmt = row["full_attention_flops"], row["rmt_flops"]
        print(f"{row['model']:10} {full:14.2e} {rmt:10.2e} {row['ratio']:8,.1f}")


COMMANDS = {
    "ask": run_ask,
    "replay": run_replay,
    "train": run_train,
    "gates": run_gates,
    "eval": run_eval,
    "figure": run_figure,
    "cost": run_cost,
}
