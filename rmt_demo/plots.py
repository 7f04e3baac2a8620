"""Figures of traces and attention, and of the cost of reading; figures of accuracies are in `accuracies.py`.

Each function turns data into a plotly Figure. Nothing here reads a file, and only `save` writes one.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
import torch
from plotly.offline import get_plotlyjs
from torch import Tensor

from .attention import SegmentAttention
from .charts import cells
from .evaluation.cost import PAPER_TOKENS, SEGMENT, full_attention_flops, opt, ratio, rmt_flops
from .style import CONFIG, GREY, PALETTE, SYMBOLS, empty, pick
from .trace import Trace

MOST_COLUMNS = 1500  # of a heat map; a screen shows no more, and a browser drawing a million cells stalls

SIZES = ("opt-125m", "opt-1.3b", "opt-13b", "opt-175b")


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


def memory(trace: Trace) -> go.Figure:
    """How much each memory token changed at each segment, as a heat map: first the working tokens, then the stored
    tokens up to the last one in use.

    Raises:
        ValueError: if the trace is empty.
    """
    title, unit, norms = "What each segment changed in the memory", "change<br>(L2 norm)", trace.update_norms
    if len(trace):
        used = norms.any(0).nonzero().flatten().tolist()
        norms = norms[:, : max([trace.gates.shape[1], *(token + 1 for token in used)])]
    return _heat_map(norms, title, unit, "moved by %{z:.3f}")


def writes(trace: Trace) -> go.Figure:
    """The write gates, from 0 (the memory token is kept) to 1 (it is overwritten), as a heat map.

    Raises:
        ValueError: if the trace is empty.
    """
    figure = _heat_map(trace.gates, "When the write gate opened", "gate<br>(0 to 1)", "gate %{z:.2f}")
    return figure.update_traces(zmin=0, zmax=1)


def beliefs(trace: Trace) -> go.Figure:
    """Confidence in the answer to each pinned question, with a mark and the answer wherever the answer changed.

    Raises:
        ValueError: if no question was pinned, or nothing was read since.
    """
    asked = {question: history for question, history in trace.beliefs.items() if history}
    if not asked:
        raise ValueError("This trace follows no question: call trace.pin(question) before reading.")
    figure = empty("What the model believes as it reads (marks: the answer changed)", "segment", "confidence (%)")
    for i, (question, history) in enumerate(asked.items()):
        answers = [escape(belief["text"], quote=False) for belief in history]
        changed = [k == 0 or answers[k] != answers[k - 1] for k in range(len(answers))]
        figure.add_scatter(
            x=[belief["segment"] for belief in history],
            y=[100 * belief["score"] for belief in history],
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
    return figure.update_layout(showlegend=True)  # even for a single line, since the legend shows the question


def _heat_map(values: Tensor, title: str, unit: str, hover: str) -> go.Figure:
    """A heat map of values [S, m], segments to the right and memory tokens downwards. If there are too many segments
    for a screen, each column shows the maximum of several, so that a single write among thousands stays visible."""
    if not values.numel():
        raise ValueError("This trace is empty: read at least one whole segment first.")
    width = -(-len(values) // MOST_COLUMNS)
    columns = [part.amax(0) for part in values.float().split(width)]
    if width > 1:
        title += f" (strongest of every {width} segments)"
    shown, x = torch.stack(columns, 1).tolist(), [width * i for i in range(len(columns))]
    hover = f"segment %{{x}}, memory token %{{y}}: {hover}<extra></extra>"
    return cells(shown, title, "segment", "memory token", unit, x=x, zmin=0, hovertemplate=hover)


def attention(seen: SegmentAttention, tokens: Sequence[str], title: str, rows: str = "memory token") -> go.Figure:
    """Attention of some rows of a segment, the mean over layers and heads, as a heat map. Memory tokens are on the
    left, the text on the right; [CLS] and [SEP] are left out, since they are attention sinks.

    Args:
        seen: from `attention.memory_attention` or `query_attention`.
        tokens: the WordPieces of `seen.text_ids`.
        title: of the figure.
        rows: name of the rows.
    """
    memory, text = (part.mean((0, 1)) for part in (seen.to_memory, seen.to_text[..., 2:-1]))
    names = [f"memory token {i}" for i in range(memory.shape[1])] + [escape(t, quote=False) for t in tokens[2:-1]]
    shown, hover = torch.cat([memory, text], 1).tolist(), f"{rows} %{{y}} on %{{customdata}}: %{{z:.1%}}<extra></extra>"
    told = {"customdata": [names] * len(memory), "zmin": 0, "hovertemplate": hover}
    figure = cells(shown, title, "memory, then text", rows, "attention", **told)
    figure.add_vline(x=memory.shape[1] - 0.5, line_color=GREY)
    return figure.update_yaxes(dtick=max(1, len(memory) // 8))


def save(figures: Sequence[go.Figure], file: Path, title: str) -> None:
    """Write figures into one web page that works offline; plotly.min.js (5 MB) is written beside it."""
    parts = "\n".join(figure.to_html(CONFIG, full_html=False, include_plotlyjs=False) for figure in figures)
    file.parent.mkdir(parents=True, exist_ok=True)
    (file.parent / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    file.write_text(
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n<style>:root { color-scheme: light dark }</style>\n'
        f'<script src="plotly.min.js"></script>\n{parts}\n</html>\n',
        encoding="utf-8",
    )
