"""General charts in the project's style, for the lessons: lines, bars, heat maps, and a text as a strip of segments.

Each function turns numbers into a plotly Figure; for figures of traces and results see `plots.py` and `accuracies.py`.
"""

from collections.abc import Sequence

import plotly.graph_objects as go

from .style import GREY, HEAT, PALETTE, empty, line_style, pick

NEUTRAL = "rgba(128, 128, 128, 0.35)"


def lines(
    series: dict[str, Sequence[float | None]],
    x: Sequence[float] | None = None,
    title: str = "",
    x_title: str = "",
    y_title: str = "",
    log_x: bool = False,
    log_y: bool = False,
) -> go.Figure:
    """One line with marks for each series.

    Args:
        series: name -> values; None leaves a gap. More than 100 values are drawn without marks.
        x: x coordinates, the same for all series; by default 1, 2, 3...
        title, x_title, y_title: of the figure and its axes.
        log_x, log_y: use logarithmic axes.

    Raises:
        ValueError: if there is no series, or one is not as long as `x`.
    """
    if not series:
        raise ValueError("Give at least one series of numbers to draw.")
    figure = empty(title, x_title, y_title)
    for i, (name, values) in enumerate(series.items()):
        at = list(range(1, len(values) + 1)) if x is None else list(x)
        if len(at) != len(values):
            raise ValueError(f"{name!r} has {len(values)} values for {len(at)} x coordinates: give one for each.")
        mode = "lines+markers" if len(values) <= 100 else "lines"
        figure.add_scatter(x=at, y=list(values), name=name, mode=mode, **line_style(i))
    for wanted, update in ((log_x, figure.update_xaxes), (log_y, figure.update_yaxes)):
        if wanted:
            update(type="log", exponentformat="power")
    if log_x and x is not None and len(x) <= 12:
        figure.update_xaxes(tickvals=list(x), tickformat=",")
    return figure


def bars(values: dict[str, float], title: str = "", x_title: str = "", y_title: str = "") -> go.Figure:
    """One bar for each name, with its value above."""
    figure = empty(title, x_title, y_title)
    heights = list(values.values())
    labels = [f"{height:,.4g}" for height in heights]
    figure.add_bar(x=[str(name) for name in values], y=heights, text=labels, marker_color=PALETTE[0])
    return figure.update_traces(textposition="outside", cliponaxis=False).update_xaxes(type="category")


def cells(
    values: Sequence[Sequence[float]],
    title: str = "",
    x_title: str = "",
    y_title: str = "",
    unit: str = "",
    names: Sequence[str] | None = None,
    **more,
) -> go.Figure:
    """A heat map from dark blue (low) to yellow (high), with the first row on top.

    Args:
        values: [rows][columns]; pass a tensor as `tensor.tolist()`.
        title, x_title, y_title: of the figure and its axes.
        unit: of the values, shown at the colour bar.
        names: of the rows; by default 0, 1, 2...
        more: further arguments of plotly's heat map.
    """
    figure = empty(title, x_title, y_title)
    rows = list(range(len(values))) if names is None else list(names)
    figure.add_heatmap(z=values, y=rows, colorscale=HEAT, colorbar={"title": unit, "outlinewidth": 0}, **more)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_xaxes(showgrid=False)


def strip(counts: Sequence[int], facts: Sequence[tuple[str, int, int]] = (), title: str = "") -> go.Figure:
    """A text as a horizontal strip: one block for each segment, and each fact at its position.

    Args:
        counts: tokens in each segment, in the order of the text.
        facts: (label, offset of the first token in the text, number of tokens).
        title: of the figure.
    """
    figure = empty(title, "token", "")
    end = 0
    for i, count in enumerate(counts):
        about = f"segment {i}: {count} tokens"
        colour = NEUTRAL if i % 2 else "rgba(128, 128, 128, 0.2)"
        block = {"base": [end], "orientation": "h", "width": 0.8, "marker_color": colour, "showlegend": False}
        figure.add_bar(x=[count], y=["text"], name=about, hovertemplate="%{fullData.name}<extra></extra>", **block)
        end += count
    for i, (label, first, length) in enumerate(facts):
        hover = f"tokens {first} to {first + length - 1}"
        mark = {"base": [first], "orientation": "h", "width": 0.8, "marker_color": pick(PALETTE, i)}
        figure.add_bar(x=[max(length, end / 300)], y=["text"], name=label, hovertemplate=hover, **mark)
    figure.update_layout(barmode="overlay", height=220, showlegend=bool(facts))
    figure.update_yaxes(visible=False, showgrid=False)
    return figure.update_xaxes(range=[0, max(end, 1)], showgrid=False, linecolor=GREY)
