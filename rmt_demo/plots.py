"""Every shared figure. Functions from data that is already in hand to a plotly Figure; nothing here reads a file, and
`save` alone writes one.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from .attention import SegmentAttention
from .evaluation.cost import PAPER_TOKENS, SEGMENT, full_attention_flops, opt, ratio, rmt_flops
from .evaluation.report import PAPER_ACCURACY, PAPER_SEGMENTS, PAPER_STAGES, TITLES, trained_on
from .style import CONFIG, GREY, HEAT, PALETTE, SYMBOLS, empty, line_style, pick
from .trace import Trace

MOST_COLUMNS = 1500  # of a heat map; a screen shows no more, and a browser drawing a million cells stalls

SIZES = ("opt-125m", "opt-1.3b", "opt-13b", "opt-175b")
PAPER_TOKENS_READ = (32_000, 256_000, 512_000, 1_024_000, 2_043_904)  # at PAPER_SEGMENTS


def cost(sizes: tuple[str, ...] = SIZES) -> go.Figure:
    """FLOPs against the length of the text, with full attention (solid) and with RMT (dashed): the paper's figure 3.

    Args:
        sizes: names of OPT models.

    Raises:
        ValueError: if there is no such model.
    """
    lengths = [SEGMENT]
    while lengths[-1] < PAPER_TOKENS:
        lengths.append(2 * lengths[-1])
    figure = empty("Forward FLOPs by length of text (counted, segments of 512 tokens)", "tokens", "FLOPs")
    for i, name in enumerate(sizes):
        shape = opt(name)
        line = {"x": lengths, "legendgroup": name, "line_color": pick(PALETTE, i), "hovertemplate": "%{x:,}: %{y:.2e}"}
        # Floats, as the counts outgrow the 64-bit integers that plotly can write.
        full, rmt = ([float(count(shape, n)) for n in lengths] for count in (full_attention_flops, rmt_flops))
        figure.add_scatter(y=full, name=f"{name.upper()}, full attention", mode="lines", **line)
        times = f"{ratio(shape, lengths[-1]):.0f}×"
        labels = [""] * (len(lengths) - 1) + [times]
        figure.add_scatter(
            y=rmt,
            name=f"{name.upper()}, RMT ({times} fewer at {lengths[-1]:,})",
            mode="lines+text",
            line_dash="dash",
            text=labels,
            textposition="middle right",
            cliponaxis=False,
            **line,
        )
    figure.update_xaxes(type="log", tickvals=lengths[::2], tickformat=".3~s")
    figure.update_yaxes(type="log", exponentformat="power", dtick=2)
    return figure


def accuracy(results: dict[str, dict], by: str = "segments", paper: bool = False) -> go.Figure:
    """Accuracy against the length of the text with 95% intervals, one line per task: like the paper's figure 1.

    Args:
        results: task -> what `evaluate` returns for it, or the parsed `results/TASK.json`.
        by: "segments", or "tokens" for rows that say how many tokens they are about.
        paper: also draw, dotted, the paper's own model on its three tasks.

    Raises:
        ValueError: if there are no results, or one holds no accuracies, or `by` is something else.
    """
    if by not in ("segments", "tokens"):
        raise ValueError(f'Accuracy is drawn by "segments" or "tokens", not by {by!r}.')
    if not results:
        raise ValueError("There are no results to draw: make some with `python -m rmt_demo eval`.")
    tasks = sorted({*results, *(PAPER_ACCURACY if paper else ())}, key=lambda task: (_place(task), task))
    figure = empty("Accuracy by length of text, with 95% confidence intervals", f"{by} read", "right answers (%)")
    for task in tasks:
        style = line_style(_place(task) if task in TITLES else len(TITLES) + tasks.index(task))
        title = TITLES.get(task, task)
        if task in results:
            _accuracy_line(figure, title, _rows(task, results[task], by), by, **style)
        if paper and task in PAPER_ACCURACY:
            figure.add_scatter(
                x=PAPER_SEGMENTS if by == "segments" else PAPER_TOKENS_READ,
                y=PAPER_ACCURACY[task],
                name=f"{title}, the paper's model (about)",
                mode="lines+markers",
                line_dash="dot",
                hovertemplate=f"%{{x:,}} {by}: about %{{y}}%",
                **style,
            )
    ticks = []
    for x in sorted({x for line in figure.data for x in line.x}):
        if not ticks or x > 1.3 * ticks[-1]:  # closer, their labels would overlap
            ticks.append(x)
    figure.update_xaxes(type="log", tickvals=ticks, tickformat="," if by == "segments" else ".3~s")
    figure.update_yaxes(range=[0, 102])
    return figure


def memory(trace: Trace) -> go.Figure:
    """How far each memory token moved at each segment, as a heat map: the working tokens, and behind them the stored
    ones up to the last that anything was stored in.

    Raises:
        ValueError: if the trace is empty.
    """
    title, unit, moved = "What each segment changed in the memory", "change<br>(L2 norm)", trace.update_norms
    if len(trace):
        used = moved.any(0).nonzero().flatten().tolist()
        moved = moved[:, : max([trace.gates.shape[1], *(token + 1 for token in used)])]
    return _heat_map(moved, title, unit, "moved by %{z:.3f}")


def writes(trace: Trace) -> go.Figure:
    """The write gates, 0 (the memory token is kept as it is) to 1 (written anew), as a heat map.

    Raises:
        ValueError: if the trace is empty.
    """
    figure = _heat_map(trace.gates, "When the write gate opened", "gate<br>(0 to 1)", "gate %{z:.2f}")
    return figure.update_traces(zmin=0, zmax=1)


def beliefs(trace: Trace) -> go.Figure:
    """How sure the model was of its answer to each pinned question, a mark and the answer wherever the answer changed.

    Raises:
        ValueError: if no question was pinned or nothing read since.
    """
    asked = {question: told for question, told in trace.beliefs.items() if told}
    if not asked:
        raise ValueError("This trace follows no question: call trace.pin(question) before reading.")
    figure = empty("What the model believes as it reads (marks: the answer changed)", "segment", "confidence (%)")
    for i, (question, told) in enumerate(asked.items()):
        answers = [escape(belief["text"], quote=False) for belief in told]
        changed = [k == 0 or answers[k] != answers[k - 1] for k in range(len(answers))]
        figure.add_scatter(
            x=[belief["segment"] for belief in told],
            y=[100 * belief["score"] for belief in told],
            name=escape(question if len(question) <= 60 else question[:59] + "…", quote=False),
            mode="lines+markers+text",
            line_color=pick(PALETTE, i),
            marker={"symbol": pick(SYMBOLS, i), "size": [10 if new else 0 for new in changed], "opacity": 1},
            text=[answer if new else "" for answer, new in zip(answers, changed, strict=True)],
            textposition="top center",
            customdata=answers,
            hovertemplate="segment %{x}: %{customdata} (%{y:.0f}%)",
        )
    figure.update_yaxes(range=[0, 110], tickvals=[0, 25, 50, 75, 100])
    return figure.update_layout(showlegend=True)  # one line alone has a legend too: it is the question


def _heat_map(values, title: str, unit: str, hover: str) -> go.Figure:
    """values [S, m] -> segments to the right, memory tokens downwards. What is too long for a screen is gathered, each
    column showing the strongest of its segments, so that a single write among thousands stays visible."""
    if not values.numel():
        raise ValueError("This trace is empty: read at least one whole segment first.")
    width = -(-len(values) // MOST_COLUMNS)
    columns = [part.amax(0) for part in values.float().split(width)]
    if width > 1:
        title += f" (strongest of every {width} segments)"
    figure = empty(title, "segment", "memory token")
    figure.add_heatmap(
        x=[width * i for i in range(len(columns))],
        y=list(range(values.shape[1])),
        z=[list(row) for row in zip(*(column.tolist() for column in columns), strict=True)],
        colorscale=HEAT,
        zmin=0,
        colorbar={"title": unit, "outlinewidth": 0},
        hovertemplate=f"segment %{{x}}, memory token %{{y}}: {hover}<extra></extra>",
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_xaxes(showgrid=False)


def _rows(task: str, result: dict, *by: str) -> list[dict]:
    """The rows of a result, in the order of the first of these fields."""
    rows = result.get("rows") or [{}]
    if not all({*by, "accuracy", "low", "high", "samples"} <= row.keys() for row in rows):
        raise ValueError(f"The result {task!r} holds no accuracies by {' and '.join(by)}: leave it out.")
    return sorted(rows, key=lambda row: row[by[0]])


def _accuracy_line(figure: go.Figure, name: str, rows: list[dict], by: str, **style) -> None:
    """The accuracies of some rows with their intervals, against their field `by`."""
    figure.add_scatter(
        x=[row[by] for row in rows],
        y=[row["accuracy"] for row in rows],
        name=name,
        mode="lines+markers",
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [row["high"] - row["accuracy"] for row in rows],
            "arrayminus": [row["accuracy"] - row["low"] for row in rows],
        },
        customdata=[row["samples"] for row in rows],
        hovertemplate=f"%{{x:,}} {by.replace('_', ' ')}: %{{y}}% of %{{customdata:,}}",
        **style,
    )


def _place(task: str) -> int:
    return list(TITLES).index(task) if task in TITLES else len(TITLES)


def capacity(result: dict) -> go.Figure:
    """Accuracy against the number of facts to remember, a line per number of memory tokens and of segments.

    Args:
        result: what `evaluation.capacity.measure` returns.

    Raises:
        ValueError: if it holds no accuracies by facts and memory tokens.
    """
    title = f"{result['checkpoint']}: accuracy by facts to remember, with 95% confidence intervals"
    figure = empty(title, "facts", "right answers (%)")
    rows = _rows("capacity", result, "facts", "memory_tokens")
    for tokens, segments in sorted({(row["memory_tokens"], row["segments"]) for row in rows}, reverse=True):
        these = [row for row in rows if (row["memory_tokens"], row["segments"]) == (tokens, segments)]
        name = f"{tokens:,} memory tokens, {segments} segments"
        _accuracy_line(figure, name, these, "facts", **line_style(len(figure.data)))
    figure.update_xaxes(tickvals=sorted({x for line in figure.data for x in line.x}))
    return figure.update_yaxes(range=[0, 102]).update_layout(showlegend=True)


def capacity_by_memory(result: dict) -> go.Figure:
    """Accuracy against the number of memory tokens, a line per number of facts and of segments.

    Args:
        result: what `evaluation.capacity.measure` returns of a checkpoint with stored tokens.

    Raises:
        ValueError: if it holds no accuracies by facts and memory tokens, or all with one number of these.
    """
    rows = _rows("capacity", result, "memory_tokens", "facts")
    sizes = sorted({row["memory_tokens"] for row in rows})
    if len(sizes) < 2:
        raise ValueError(
            "Accuracy by memory tokens needs a checkpoint with stored tokens, measured with fewer of them."
        )
    figure = empty(f"{result['checkpoint']}: accuracy by size of the memory", "memory tokens", "right answers (%)")
    for segments, facts in sorted(
        {(row["segments"], row["facts"]) for row in rows if row["memory_tokens"] == sizes[0]}
    ):
        these = [row for row in rows if (row["segments"], row["facts"]) == (segments, facts)]
        name = f"{facts} fact{'s' * (facts > 1)}, {segments} segments"
        _accuracy_line(figure, name, these, "memory_tokens", **line_style(len(figure.data)))
    figure.update_xaxes(type="log", tickvals=sizes, tickformat=",")
    return figure.update_yaxes(range=[0, 102]).update_layout(showlegend=True)


def stages(result: dict, task: str, paper: bool = False) -> go.Figure:
    """Accuracy against the number of segments after each stage of a curriculum: like the paper's figure 5.

    Args:
        result: what `evaluation.stages.measure` returns.
        task: one of its tasks.
        paper: also mark what can be read off the paper's figure, and say which backbone ours began with.

    Raises:
        ValueError: if the result holds nothing about the task.
    """
    rows = [row for row in result.get("rows", ()) if row.get("task") == task]
    rows = _rows(task, {"rows": rows}, "segments")
    title, theirs = f"{TITLES.get(task, task)}: accuracy after each stage", {}
    if paper:
        theirs = PAPER_STAGES[task]
        title = f"{TITLES[task]}: each stage from {Path(rows[0]['backbone']).name} (open: the paper's)"
    figure = empty(title, "segments", "right answers (%)")
    for number in sorted({row["trained_on"] for row in rows}):
        these, style = [row for row in rows if row["trained_on"] == number], line_style(number - 1)
        _accuracy_line(figure, trained_on(number), these, "segments", **style)
        if number in theirs:
            figure.add_scatter(
                x=[*theirs[number]],
                y=[*theirs[number].values()],
                name=f"the paper's, {trained_on(number)} (about)",
                mode="markers",
                line_color=style["line_color"],
                marker={"symbol": f"{style['marker']['symbol']}-open", "size": 14},
                cliponaxis=False,
                showlegend=False,  # the title says what they are
                hovertemplate="%{x} segments: about %{y}%",
            )
    figure.update_xaxes(dtick=1)
    return figure.update_yaxes(range=[0, 102]).update_layout(showlegend=True)


def attention(seen: SegmentAttention, tokens: Sequence[str], title: str, rows: str = "memory token") -> go.Figure:
    """What some rows of a segment looked at, the mean over layers and heads, as a heat map. The memory stands on the
    left, the text on the right; [CLS] and [SEP], where attention rests that has nothing to look for, are left out.

    Args:
        seen: from `attention.memory_attention` or `query_attention`.
        tokens: the words of `seen.text_ids`.
        title: what the segment is.
        rows: what the rows are.
    """
    memory, text = (part.mean((0, 1)) for part in (seen.to_memory, seen.to_text[..., 2:-1]))
    names = [f"memory token {i}" for i in range(memory.shape[1])] + [escape(t, quote=False) for t in tokens[2:-1]]
    figure = empty(title, "memory, then text", rows)
    figure.add_heatmap(
        z=[[*left, *right] for left, right in zip(memory.tolist(), text.tolist(), strict=True)],
        customdata=[names] * len(memory),
        colorscale=HEAT,
        zmin=0,
        colorbar={"title": "attention", "outlinewidth": 0},
        hovertemplate=f"{rows} %{{y}} on %{{customdata}}: %{{z:.1%}}<extra></extra>",
    )
    figure.add_vline(x=memory.shape[1] - 0.5, line_color=GREY)
    figure.update_yaxes(autorange="reversed", showgrid=False, dtick=max(1, len(memory) // 8))
    return figure.update_xaxes(showgrid=False)


def save(figures: Sequence[go.Figure], file: Path, title: str) -> None:
    """Write figures below each other into one web page that works offline: plotly.min.js, 5 MB, goes beside it once."""
    parts = "\n".join(figure.to_html(CONFIG, full_html=False, include_plotlyjs=False) for figure in figures)
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    file.write_text(
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n<style>:root { color-scheme: light dark }</style>\n'
        f'<script src="plotly.min.js"></script>\n{parts}\n</html>\n',
        encoding="utf-8",
    )
