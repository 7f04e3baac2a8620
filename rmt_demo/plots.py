"""Every shared figure. Functions from data that is already in hand to a plotly Figure; nothing here reads a file.

Backgrounds are transparent and text is a grey that reads on white as well as on black, so that one figure serves light
and dark pages. Line colours are Okabe and Ito's (jfly.uni-koeln.de/color), made to be told apart by colour-blind eyes.
"""

from html import escape

import plotly.graph_objects as go

from .evaluation.cost import PAPER_TOKENS, SEGMENT, full_attention_flops, opt, ratio, rmt_flops
from .evaluation.report import TITLES
from .trace import Trace

GREY = "#767676"  # contrast 4.5 on white and 4.6 on black
GRID = "rgba(128, 128, 128, 0.25)"
# Okabe and Ito's, without the yellow that disappears on white, and grey in place of the black that does on black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", GREY)
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "x")  # so that colour is not all
HEAT = "Cividis"  # the colour-blind-safe map: dark blue is low, yellow is high
MOST_COLUMNS = 1500  # of a heat map; a screen shows no more, and a browser drawing a million cells stalls

SIZES = ("opt-125m", "opt-1.3b", "opt-13b", "opt-175b")
PAPER_SEGMENTS = (64, 512, 1024, 2048, 4096)
PAPER_TOKENS_READ = (32_000, 256_000, 512_000, 1_024_000, 2_043_904)
# arXiv 2304.11062, figure 1: accuracy in percent at PAPER_SEGMENTS, trained on 7 segments. Read off the plot, so good
# to about one percent; the paper gives no intervals.
PAPER_ACCURACY = {
    "memorize": (98, 93, 92, 90, 90),
    "detect": (99, 98, 97, 97, 96),
    "reasoning": (89, 85, 84, 83, 82),
}


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
    figure = _figure("Forward FLOPs by length of text (counted, segments of 512 tokens)", "tokens", "FLOPs")
    for i, name in enumerate(sizes):
        shape = opt(name)
        line = {"x": lengths, "legendgroup": name, "line_color": _pick(PALETTE, i), "hovertemplate": "%{x:,}: %{y:.2e}"}
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
    tasks = sorted({*results, *(PAPER_ACCURACY if paper else ())}, key=_place)
    figure = _figure("Accuracy by length of text, with 95% confidence intervals", f"{by} read", "right answers (%)")
    for task in tasks:
        style = _style(_place(task) if task in TITLES else len(TITLES) + tasks.index(task))
        title = TITLES.get(task, task)
        if task in results:
            rows = _rows(task, results[task], by)
            figure.add_scatter(
                x=[row[by] for row in rows],
                y=[row["accuracy"] for row in rows],
                name=title,
                mode="lines+markers",
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [row["high"] - row["accuracy"] for row in rows],
                    "arrayminus": [row["accuracy"] - row["low"] for row in rows],
                },
                customdata=[row["samples"] for row in rows],
                hovertemplate=f"%{{x:,}} {by}: %{{y}}% of %{{customdata:,}}",
                **style,
            )
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
    ticks = sorted({x for line in figure.data for x in line.x})
    figure.update_xaxes(type="log", tickvals=ticks, tickformat="," if by == "segments" else ".3~s")
    figure.update_yaxes(range=[0, 102])
    return figure


def memory(trace: Trace) -> go.Figure:
    """How far each memory token moved at each segment, as a heat map.

    Raises:
        ValueError: if the trace is empty.
    """
    title, unit = "What each segment changed in the memory", "change<br>(L2 norm)"
    return _heat_map(trace.update_norms, title, unit, "moved by %{z:.3f}")


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
    figure = _figure("What the model believes as it reads (marks: the answer changed)", "segment", "confidence (%)")
    for i, (question, told) in enumerate(asked.items()):
        answers = [escape(belief["text"], quote=False) for belief in told]
        changed = [k == 0 or answers[k] != answers[k - 1] for k in range(len(answers))]
        figure.add_scatter(
            x=[belief["segment"] for belief in told],
            y=[100 * belief["score"] for belief in told],
            name=escape(question if len(question) <= 60 else question[:59] + "…", quote=False),
            mode="lines+markers+text",
            line_color=_pick(PALETTE, i),
            marker={"symbol": _pick(SYMBOLS, i), "size": [10 if new else 0 for new in changed], "opacity": 1},
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
    figure = _figure(title, "segment", "memory token")
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


def _rows(task: str, result: dict, by: str) -> list[dict]:
    """The rows of a result, shortest text first."""
    rows = result.get("rows") or [{}]
    if not all({by, "accuracy", "low", "high", "samples"} <= row.keys() for row in rows):
        raise ValueError(f"The result {task!r} holds no accuracies by {by}: leave it out.")
    return sorted(rows, key=lambda row: row[by])


def _place(task: str) -> int:
    return list(TITLES).index(task) if task in TITLES else len(TITLES)


def _style(i: int) -> dict:
    return {"line_color": _pick(PALETTE, i), "marker": {"symbol": _pick(SYMBOLS, i), "size": 8}}


def _pick(choices: tuple, i: int):
    return choices[i % len(choices)]


def _figure(title: str, x: str, y: str) -> go.Figure:
    """An empty figure in the house style."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        title={"text": title, "font_size": 15, "x": 0, "xref": "paper"},  # the buttons are on the right
        font={"color": GREY, "size": 12},
        modebar={"bgcolor": "rgba(0, 0, 0, 0)", "color": GREY},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},  # below, where a phone has room for it
        margin={"l": 60, "r": 40, "t": 50, "b": 50},
    )
    figure.update_xaxes(title=x, gridcolor=GRID, zeroline=False, linecolor=GREY, automargin=True)
    return figure.update_yaxes(title=y, gridcolor=GRID, zeroline=False, linecolor=GREY, automargin=True)
