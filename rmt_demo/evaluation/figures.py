"""The paper's figures (arXiv 2304.11062) with our numbers: `python -m rmt_demo figure 1 --out docs`.

1   accuracy far beyond the training length, with the paper's curves    from results/{memorize,...}.json
3   FLOPs of full attention and of RMT                                  counted (see `cost.py`)
    and seconds and peak memory, if they were measured                  from results/cost.json
5   accuracy after every stage of a curriculum                          from results/figure5.json
6   attention of the memory when it writes, retains and reads           from a checkpoint
"""

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random

from .. import accuracies, charts, plots
from ..attention import SegmentAttention, memory_attention, query_attention, read, wrote
from ..data.batches import BatchMaker
from ..data.corpora import USUAL
from ..data.tasks import reasoning
from ..framing import frame
from ..questions import question_ids
from ..reader import Reader
from ..segments import token_ids
from .extrapolation import background_text
from .paper import PAPER_SEGMENTS, PAPER_STAGES

WAYS = {"scores": "full attention, scores stored", "fused": "full attention, fused", "rmt": "RMT"}  # of reading a text
FIRST = 64  # segments, the left end of the paper's figure 1
EVAL = "python -m rmt_demo eval"
SHARE = ("segments", "accuracy", "low", "high", "samples")  # the fields of a row that are drawn
FIGURE_1 = ("memorize", "detect", "reasoning", "open")
TITLES = {
    1: "Figure 1: accuracy far beyond the training length",
    3: "Figure 3: the cost of reading",
    5: "Figure 5: what each stage of the curriculum teaches",
    6: "Figure 6: operations with memory",
}


def draw(number: int, out: str | Path, results: str | Path = "results", checkpoint: str | Path = "") -> Path:
    """Draw one of the figures as `out`/figureN.html.

    Args:
        number: 1, 3, 5 or 6.
        out: folder for the page.
        results: folder of the measured results, for figures 1, 3 and 5.
        checkpoint: folder or Hub id of an RMT, for figure 6.

    Returns:
        Path of the page.

    Raises:
        ValueError: for another number, or if the results or the checkpoint are missing.
    """
    if number not in TITLES:
        raise ValueError(f"Figure {number} cannot be drawn: choose from {', '.join(map(str, TITLES))}.")
    if number == 1:
        figures = far_beyond(Path(results))
    elif number == 3:
        figures = [plots.cost(), *measured_cost(Path(results))]
    elif number == 5:
        figures = after_each_stage(Path(results))
    else:
        figures = operations(Reader.from_pretrained(checkpoint))
    page = Path(out) / f"figure{number}.html"
    plots.save(figures, page, TITLES[number])
    return page


def far_beyond(results: Path) -> list[plots.go.Figure]:
    """Figure 1, once by segments and once by tokens, since our segments carry fewer tokens than the paper's."""
    command = f"{EVAL} --out {results} --tasks {' '.join(FIGURE_1)} --segments {' '.join(map(str, PAPER_SEGMENTS))}"
    measured = {}
    for task in FIGURE_1:
        if task == "open" and not (results / f"{task}.json").exists():  # optional: not in the paper
            continue
        result = _load(results / f"{task}.json", command, SHARE)
        rows = [row for row in result["rows"] if row["segments"] >= FIRST and "tokens" in row]
        if not rows:
            raise ValueError(f"{results / task}.json has no rows of {FIRST} or more segments: run `{command}`.")
        measured[task] = result | {"rows": rows}
    return [accuracies.accuracy(measured, by, paper=True) for by in ("segments", "tokens")]


def measured_cost(results: Path) -> list[plots.go.Figure]:
    """Companions of figure 3: measured seconds and peak memory for texts of increasing length, up to where full
    attention ran out of memory; an empty list without results of `benchmarks/attention_cost.py`."""
    file = results / "cost.json"
    if not file.exists():
        return []
    result = _load(file, "python benchmarks/attention_cost.py", ("way", "length", "seconds", "peak_mb"))
    lengths = sorted({row["length"] for row in result["rows"]})
    figures = []
    for key, unit in (("seconds", "seconds"), ("peak_mb", "peak memory (MiB)")):
        measured = {(row["way"], row["length"]): row[key] for row in result["rows"]}
        series = {name: [measured.get((way, n)) for n in lengths] for way, name in WAYS.items()}
        title = f"Measured with {result['checkpoint']} on {result['machine']}"
        figures.append(charts.lines(series, lengths, title, "tokens", unit, log_x=True, log_y=True))
    return figures


def after_each_stage(results: Path) -> list[plots.go.Figure]:
    """Figure 5, once for each task."""
    result = _load(
        results / "figure5.json",
        f"{EVAL} --out {results} --figure5 paper --backbone bert-base-cased",
        ("task", "trained_on", *SHARE),
    )
    tasks = {row["task"] for row in result["rows"]}
    return [accuracies.stages(result, task, paper=True) for task in PAPER_STAGES if task in tasks]


def operations(reader: Reader, seed: int = 0) -> list[plots.go.Figure]:
    """Figure 6: what the memory tokens, or the answer's row, attend to in the four segments of a reasoning sample."""
    tokens = reader.tokenizer.convert_ids_to_tokens
    *steps, (asked, answering) = reasoning_sample(reader, seed)
    figures = []
    for name, (text, seen) in zip(("Write", "Retain", "Append"), steps, strict=True):
        title = f"{name}: {text}<br>text has {wrote(seen):.0%} of the attention; gates {seen.gate.mean():.0%} open"
        figures.append(plots.attention(seen, tokens(seen.text_ids), title))
    title = f"Read: {asked}<br>memory has {read(answering):.0%} of the attention"
    return [*figures, plots.attention(answering, tokens(answering.text_ids), title, "row of the answer")]


def reasoning_sample(reader: Reader, seed: int) -> list[tuple[str, SegmentAttention]]:
    """Read four full segments with facts in the first and third and the question at the end of the last. Returns, for
    each segment, the fact or question in it and its attention."""
    model, config, rng = reader.model, reader.config, Random(seed)
    maker = BatchMaker(config, reader.tokenizer, background_text(USUAL), "eval")
    story = reasoning(rng).story
    (first, second), question = story.sentences, story.questions[0].text
    memory, seen = model.base_model.initial_memory(1), []
    for sentence in (first, "", second):
        fact = token_ids(reader.tokenizer, [sentence]) if sentence else []
        ids, _ = frame([maker.segment(rng, config.text_capacity, fact)], config)
        seen.append((sentence or "no fact", memory_attention(model, ids, memory)))
        memory = seen[-1][1].memory
    asked = question_ids(reader.tokenizer, config, question)
    ids, _ = frame([maker.segment(rng, config.text_capacity - len(asked), []) + asked], config)
    return [*seen, (question, query_attention(model, ids, memory))]


def _load(file: Path, command: str, fields: Sequence[str]) -> dict:
    """Load a result and check that all of its rows have these fields."""
    if not file.exists():
        raise ValueError(f"There is no {file}: make it with `{command}`.")
    try:
        result = json.loads(file.read_text())
        [row[name] for row in result["rows"] for name in fields]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} holds no results: remove it, and make it again with `{command}`.") from error
    return result
