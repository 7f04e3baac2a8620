"""What the command line takes: the commands, their options, and the values those may have."""

import argparse
import os
import re
from pathlib import Path

from .config import BACKBONE
from .data.corpora import CORPORA, USUAL
from .data.haystack import Fact
from .training.recipes import RECIPES


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise ValueError(f"{message} (see {self.prog} --help).")


def build_parser(checkpoint: Path) -> Parser:
    """All commands and their options; `command` is the name of the one given, `checkpoint` the one taken if none is."""
    parser = Parser(prog="python -m rmt_demo", description="The Recurrent Memory Transformer on the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="ask|replay|train|gates|eval|figure|cost")

    ask = commands.add_parser("ask", help="read a text of any length and answer questions about it")
    source = ask.add_mutually_exclusive_group(required=True)
    source.add_argument("--haystack", metavar="FILE", help="read this UTF-8 text file; - is standard input")
    source.add_argument("--corpus", metavar="NAME", help=f"read a text: {', '.join(CORPORA)} (from the Hub)")
    ask.add_argument("--length", type=positive, metavar="N", help="tokens to read of a --corpus (default 10000)")
    ask.add_argument(
        "--fact", action="append", default=[], metavar="TEXT@P", help="hide a fact; P is 0 for the start, 1 for the end"
    )
    ask.add_argument("--question", action="append", required=True, metavar="TEXT", help="may be given several times")
    ask.add_argument("--checkpoint", default=checkpoint, metavar="DIR", help="default: %(default)s")
    ask.add_argument("--seed", type=seed, default=0, help="where in the corpus to start")
    ask.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.add_argument("--trace", type=writable, metavar="DIR", help="save what happened at every segment")

    replay = commands.add_parser("replay", help="look into a saved reading and ask at any segment of it")
    replay.add_argument("--trace", required=True, metavar="DIR", help="what ask --trace saved, or a zip of it")
    replay.add_argument("--question", action="append", default=[], metavar="TEXT", help="may be given several times")
    replay.add_argument("--segment", type=from_zero, metavar="N", help="ask after N segments (default: after all)")
    replay.add_argument("--checkpoint", default=checkpoint, metavar="DIR", help="default: %(default)s")
    replay.add_argument("--json", action="store_true", help="print one JSON object")

    train = commands.add_parser("train", help="train a checkpoint by a recipe")
    train.add_argument("--recipe", default="open", metavar="NAME", help=f"{', '.join(RECIPES)} (default: %(default)s)")
    train.add_argument("--out", type=writable, required=True, metavar="DIR", help="folder for the checkpoint")
    train.add_argument("--backbone", default=BACKBONE, help="packaged name, folder or Hub id")
    on = ", ".join(name for name, recipe in RECIPES.items() if recipe.goes_on)
    train.add_argument("--init", metavar="DIR", help=f"go on from this checkpoint; {on} need one")
    train.add_argument("--seed", type=seed, default=0)
    train.add_argument("--background", nargs="+", default=USUAL, metavar="NAME", help="corpora, text files")

    gates = commands.add_parser("gates", help="teach a trained checkpoint's write gates, and those alone")
    gates.add_argument("--init", required=True, metavar="DIR", help="the trained checkpoint")
    gates.add_argument("--out", type=writable, required=True, metavar="DIR", help="folder for the new one")
    gates.add_argument("--background", nargs="+", default=USUAL, metavar="NAME", help="corpora, text files")
    gates.add_argument("--batches", type=positive, default=40, metavar="N", help="of each text (default: %(default)s)")
    gates.add_argument("--seed", type=seed, default=0)

    evaluate = commands.add_parser("eval", help="measure accuracy against the number of segments")
    evaluate.add_argument("--checkpoint", metavar="DIR", help=f"default: {checkpoint}")
    evaluate.add_argument("--out", type=writable, default="runs/results", metavar="DIR", help="default: %(default)s")
    evaluate.add_argument(
        "--tasks",
        nargs="+",
        metavar="TASK",
        help="default: all about 1 to 3 facts; capacity: up to 20; qa1 to qa5: bAbI's; writes: the write gates",
    )
    evaluate.add_argument("--samples", type=positive)
    evaluate.add_argument("--segments", type=positive, nargs="+", metavar="N")
    evaluate.add_argument("--seed", type=seed)
    evaluate.add_argument("--background", nargs="+", metavar="NAME", help="corpora, text files, or one strange kind")
    evaluate.add_argument("--json", action="store_true", help="print the results as one JSON object")
    evaluate.add_argument(
        "--figure5",
        metavar="RECIPE",
        help="train by this recipe (paper, or on a CPU paper-brief) and measure every stage, instead",
    )
    evaluate.add_argument("--backbone", metavar="NAME", help=f"of --figure5 (default: {BACKBONE})")

    figure = commands.add_parser("figure", help="draw one of the paper's figures with our numbers")
    figure.add_argument("number", type=positive, metavar="1|3|5|6")
    figure.add_argument(
        "--out", type=writable, default="docs", metavar="DIR", help="where the page goes (default: %(default)s)"
    )
    figure.add_argument("--results", default="results", metavar="DIR", help="for 1, 3 and 5 (default: %(default)s)")
    figure.add_argument("--checkpoint", default=checkpoint, metavar="DIR", help="for 6 (default: %(default)s)")

    cost = commands.add_parser("cost", help="count the FLOPs of full attention and of RMT")
    cost.add_argument("--tokens", type=positive, metavar="N", help="length of the text (default 4096 segments of 512)")
    cost.add_argument("--model", metavar="NAME", help="one OPT model, such as opt-175b (default: all of them)")
    cost.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def writable(text: str) -> str:
    """A folder that can be written to or made, found out now and not after hours of work."""
    folder = Path(text)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise argparse.ArgumentTypeError(f"nothing can be written to {text}: give another folder")
    return text


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number from 1, not {text!r}")
    return int(text)


def from_zero(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"give a whole number from 0, not {text!r}")
    return int(text)


def seed(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text):  # PyTorch takes 64 bits
        raise argparse.ArgumentTypeError(f"give a whole number of up to 18 digits, not {text[:40]!r}")
    return int(text)


def parse_fact(text: str) -> Fact:
    """A fact as written on the command line, TEXT@POSITION."""
    sentence, at, position = text.rpartition("@")
    try:
        where = float(position) if at else None
    except ValueError:
        where = None
    if where is None:
        raise ValueError(f"The fact {text[:40]!r} has no position: write it as 'Daniel went to the garden.@0.3'.")
    return Fact(sentence, where)
