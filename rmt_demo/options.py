"""The options of the command line and the checks of their values."""

import argparse
import os
import re
from pathlib import Path

from .config import BACKBONE
from .data.corpora import CORPORA, USUAL
from .data.haystack import Fact
from .data.strange import KINDS
from .training.curriculum import Recipe
from .training.recipes import RECIPES


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise ValueError(f"{message} (see {self.prog} --help).")


def build_parser(checkpoint: Path) -> Parser:
    """A parser for all commands; `checkpoint` is the default one. The parsed `command` is the name of the command."""
    parser = Parser(prog="python -m rmt_demo", description="The Recurrent Memory Transformer on the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="ask|replay|train|gates|eval|figure|cost")
    default = "(default: %(default)s)"
    trained = f"trained checkpoint {default}"
    backgrounds = f"built-in texts or text files to hide facts in (default: {' '.join(USUAL)})"

    def command(name: str, does: str) -> Parser:
        return commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")

    ask = command("ask", "read a text of any length and answer questions about it")
    source = ask.add_mutually_exclusive_group(required=True)
    source.add_argument("--haystack", metavar="FILE", help="UTF-8 text file to read; - for standard input")
    source.add_argument(
        "--corpus",
        metavar="NAME",
        help=f"built-in text to read: {', '.join(CORPORA)} (pg19 from the Hugging Face Hub)",
    )
    ask.add_argument("--length", type=positive, metavar="N", help="tokens to read from a --corpus (default: 10000)")
    ask.add_argument(
        "--fact",
        action="append",
        default=[],
        metavar="TEXT@P",
        help="sentence to hide in the text; P is its position, from 0 (start) to 1 (end); repeatable",
    )
    ask.add_argument(
        "--question", action="append", required=True, metavar="TEXT", help="question about the text; repeatable"
    )
    ask.add_argument("--checkpoint", default=checkpoint, metavar="DIR", help=trained)
    ask.add_argument("--seed", type=seed, default=0, metavar="N", help=f"chooses where the --corpus starts {default}")
    ask.add_argument("--device", default="auto", help=f"auto, cpu, cuda or mps {default}")
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    ask.add_argument("--trace", type=writable, metavar="DIR", help="folder for the memory and answers at every segment")

    replay = command("replay", "show a saved trace, and ask questions after any of its segments")
    replay.add_argument("--trace", required=True, metavar="DIR", help="folder saved by ask --trace, or a zip of it")
    replay.add_argument("--question", action="append", default=[], metavar="TEXT", help="question to ask; repeatable")
    replay.add_argument("--segment", type=from_zero, metavar="N", help="ask after N segments (default: after all)")
    replay.add_argument("--checkpoint", default=checkpoint, metavar="DIR", help=trained)
    replay.add_argument("--json", action="store_true", help="print one JSON object")

    train = command("train", "train a checkpoint by a recipe")
    train.add_argument("--recipe", default="open", metavar="NAME", help=f"one of {', '.join(RECIPES)} {default}")
    train.add_argument("--out", type=writable, required=True, metavar="DIR", help="folder for the checkpoint")
    train.add_argument(
        "--backbone", default=BACKBONE, metavar="NAME", help=f"packaged name, folder or Hub id {default}"
    )
    need = ", ".join(name for name, recipe in RECIPES.items() if recipe.goes_on)
    train.add_argument("--init", metavar="DIR", help=f"checkpoint to start from; required for {need}")
    train.add_argument("--seed", type=seed, default=0, metavar="N", help=f"of new weights and batches {default}")
    train.add_argument("--background", nargs="+", default=USUAL, metavar="NAME", help=backgrounds)

    gates = command("gates", "train only the write gates of a trained checkpoint")
    gates.add_argument("--init", required=True, metavar="DIR", help="the trained checkpoint")
    gates.add_argument("--out", type=writable, required=True, metavar="DIR", help="folder for the new checkpoint")
    gates.add_argument("--background", nargs="+", default=USUAL, metavar="NAME", help=backgrounds)
    gates.add_argument("--batches", type=positive, default=40, metavar="N", help=f"batches from each text {default}")
    gates.add_argument("--seed", type=seed, default=0, metavar="N", help=f"of the stories and new weights {default}")

    evaluate = command("eval", "measure accuracy against the length of the text")
    evaluate.add_argument("--checkpoint", metavar="DIR", help=f"trained checkpoint (default: {checkpoint})")
    evaluate.add_argument("--out", type=writable, default="runs/results", metavar="DIR", help=f"result files {default}")
    evaluate.add_argument(
        "--tasks",
        nargs="+",
        metavar="TASK",
        help="default: all tasks with 1 to 3 facts that the checkpoint can do; others: qa1 to qa5 (bAbI), "
        "capacity (up to 20 facts), writes (precision and recall of the write gates)",
    )
    evaluate.add_argument("--samples", type=positive, metavar="N", help="texts per task and length (default: 500)")
    evaluate.add_argument("--segments", type=positive, nargs="+", metavar="N", help="lengths of the texts, in segments")
    evaluate.add_argument("--seed", type=seed, metavar="N", help="of the texts (default: 0)")
    evaluate.add_argument(
        "--background",
        nargs="+",
        metavar="NAME",
        help=f"built-in texts or text files (default: {' '.join(USUAL)}), or one of {', '.join(KINDS)}",
    )
    evaluate.add_argument("--json", action="store_true", help="print the results as one JSON object")
    evaluate.add_argument(
        "--figure5",
        metavar="RECIPE",
        help="instead of measuring a checkpoint, train by this recipe (paper, or paper-brief on a CPU) and measure "
        "after every stage",
    )
    evaluate.add_argument("--backbone", metavar="NAME", help=f"backbone for --figure5 (default: {BACKBONE})")

    figure = command("figure", "draw one of the paper's figures with our results")
    figure.add_argument(
        "number",
        type=positive,
        metavar="1|3|5|6",
        help="1: accuracy by length; 3: FLOPs; 5: accuracy after each training stage; 6: attention of the memory",
    )
    figure.add_argument(
        "--out", type=writable, default="docs", metavar="DIR", help=f"folder for the web page {default}"
    )
    figure.add_argument(
        "--results", default="results", metavar="DIR", help=f"folder of result files, for figures 1, 3 and 5 {default}"
    )
    figure.add_argument("--checkpoint", default=checkpoint, metavar="DIR", help=f"for figure 6 {default}")

    cost = command("cost", "count the FLOPs of full attention and of RMT")
    cost.add_argument("--tokens", type=positive, metavar="N", help="length of the text (default: 4096 segments of 512)")
    cost.add_argument("--model", metavar="NAME", help="one OPT model, such as opt-175b (default: all of them)")
    cost.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def writable(text: str) -> str:
    """A folder that exists and is writable or can be created; checked before hours of work and not after."""
    folder = Path(text)
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
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
    """Parse a fact from the command line, TEXT@POSITION."""
    sentence, at, position = text.rpartition("@")
    try:
        where = float(position) if at else None
    except ValueError:
        where = None
    if where is None:
        raise ValueError(f"The fact {text[:40]!r} has no position: write it as 'Daniel went to the garden.@0.3'.")
    return Fact(sentence, where)


def parse_recipe(name: str) -> Recipe:
    """Look up a recipe by its name."""
    if name not in RECIPES:
        raise ValueError(f"There is no recipe {name!r}: choose from {', '.join(RECIPES)}.")
    return RECIPES[name]
