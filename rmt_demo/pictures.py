"""Render a plotly figure as a static SVG image, for places that run no scripts: GitHub, nbviewer, a printed page.

    svg(figure) -> "<svg ...>"

It supports only what `plots.py`, `accuracies.py` and `charts.py` use of plotly: lines, marks, error bars, bars and heat
maps on linear, logarithmic or categorical axes, lines across the plot and a legend below it. The background is
transparent and text is grey, for light and dark pages.
"""

import math
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from .style import GREY

WIDTH, PLOT_HEIGHT = 760, 300
LEFT, RIGHT, TOP = 72, 96, 40
LEGEND_ROW = 18
DASHES = {"dash": "8 5", "dot": "2 4"}
SHADES = 32  # of a heat map, each drawn as one path


def svg(figure: go.Figure) -> str:
    """Draw a figure as SVG, 760 pixels wide.

    Raises:
        ValueError: if it has a kind of trace that is not supported.
    """
    if unknown := {trace.type for trace in figure.data} - {"scatter", "bar", "heatmap"}:
        raise ValueError(f"{unknown.pop()!r} traces cannot be drawn as SVG: use lines, bars or heat maps.")
    title, height = _plain(figure.layout.title.text), figure.layout.height or PLOT_HEIGHT + TOP + 50
    bottom = height - 50
    cells = any(trace.type == "heatmap" for trace in figure.data)
    x = _Axis(figure.layout.xaxis, _values(figure, "x"), LEFT, WIDTH - RIGHT, cells)
    y = _Axis(figure.layout.yaxis, _values(figure, "y"), bottom, TOP, cells)
    body = [*_frame(figure, x, y), *(part for trace in figure.data for part in DRAW[trace.type](trace, x, y))]
    body += _shapes(figure, x, y)
    legend = [trace for trace in figure.data if trace.name and trace.showlegend is not False]
    if figure.layout.showlegend is False or (len(legend) < 2 and not figure.layout.showlegend):
        legend = []
    for row, trace in enumerate(legend):
        middle = height + LEGEND_ROW * row
        body.append(_line([(LEFT, middle), (LEFT + 24, middle)], _colour(trace), 3, _dash(trace)))
        body.append(_text(LEFT + 32, middle + 4, trace.name))
    body.append(_text(LEFT, 20, title, size=15))
    size = f'viewBox="0 0 {WIDTH} {height + LEGEND_ROW * len(legend)}"'
    style = f'font-family="sans-serif" fill="{GREY}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" {size} {style}><title>{title}</title>' + (
        "\n".join(body) + "</svg>"
    )


class _Axis:
    """Maps the values of an axis to pixels."""

    def __init__(self, layout, values: list, start: float, end: float, cells: bool):
        self.layout, self.start, self.end = layout, start, end
        self.cells = cells  # a heat map's axis: its cells fill the plot, and its ticks are whole numbers
        self.names = list(dict.fromkeys(v for v in values if isinstance(v, str)))
        self.log = layout.type == "log" and not self.names
        known = [self.scaled(v) for v in values if v is not None and not (self.log and v <= 0)] or [0, 1]
        low, high = min(known), max(known)
        room = 0.5 if self.names else 0.0 if cells else 0.04 * (high - low) or 0.5
        self.low, self.high = layout.range or (low - room, high + room)
        if layout.autorange == "reversed":
            self.low, self.high = self.high, self.low

    def scaled(self, value) -> float:
        if self.names:
            return self.names.index(value) if isinstance(value, str) else value
        return math.log10(value) if self.log else float(value)

    def __call__(self, value, shift: float = 0.0) -> float:
        share = (self.scaled(value) + shift - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[tuple]:
        """(value, label) of each tick, usually about eight at most."""
        if self.names:
            step = -(-len(self.names) // 16)
            return [(name, name) for name in self.names[::step]]
        low, high = sorted((self.low, self.high))
        if self.layout.tickvals is not None:
            inside = [v for v in self.layout.tickvals if low - 1e-9 <= self.scaled(v) <= high + 1e-9]
            return [(v, _short(v)) for v in inside[:: -(-len(inside) // 9) or 1]]
        if self.log:
            powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
            if len(powers) > 1:
                return [(10.0**p, _short(10.0**p)) for p in powers[:: -(-len(powers) // 8)]]
            ladder = [k * 10.0**p for p in range(math.floor(low), math.ceil(high) + 1) for k in (1, 2, 5)]
            return [(v, _short(v)) for v in ladder if low <= math.log10(v) <= high]
        step = 10 ** math.floor(math.log10((high - low) / 4))
        step *= next(k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= 8)
        step = max(step, 1) if self.cells else step
        return [(i * step, _short(i * step)) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _values(figure: go.Figure, side: str) -> list:
    """All values that an axis must cover."""
    found = []
    for trace in figure.data:
        own = trace[side]
        if trace.type == "heatmap":  # a cell extends half a step to either side of its coordinate
            own = range(len(trace.z[0]) if side == "x" else len(trace.z)) if own is None else own
            found += own if isinstance(own[0], str) else [own[0] - 0.5 * _step(own), own[-1] + 0.5 * _step(own)]
            continue
        found += own
        if trace.type == "bar" and (trace.orientation == "h") == (side == "x"):
            base = trace.base if trace.base is not None else [0] * len(own)
            found += [*base, *(b + v for b, v in zip(base, own, strict=True)), 1.08 * max(own)]
    return found


def _step(places) -> float:
    return places[1] - places[0] if len(places) > 1 else 1


def _frame(figure: go.Figure, x: _Axis, y: _Axis) -> Iterator[str]:
    """Grid, ticks and titles of both axes."""
    bottom, shown = y.start, figure.layout.yaxis.visible is not False
    for value, label in x.ticks():
        yield _text(x(value), bottom + 18, label, anchor="middle")
    for value, label in y.ticks() if shown else ():
        if figure.layout.yaxis.showgrid is not False:
            yield _line([(x.start, y(value)), (x.end, y(value))], GREY, 0.3)
        yield _text(x.start - 8, y(value) + 4, label, anchor="end")
    yield _line([(x.start, bottom), (x.end, bottom)], GREY, 1)
    yield _text((x.start + x.end) / 2, bottom + 40, figure.layout.xaxis.title.text, anchor="middle")
    middle = (y.start + y.end) / 2
    words = _text(0, 0, figure.layout.yaxis.title.text if shown else "", anchor="middle")
    yield f'<g transform="translate(16 {middle}) rotate(-90)">{words}</g>'


def _shapes(figure: go.Figure, x: _Axis, y: _Axis) -> Iterator[str]:
    """The lines across the plot; in "domain" coordinates, 0 and 1 are the two ends of the plot."""
    for shape in figure.layout.shapes:
        if shape.type == "line":
            ends = [
                [axis.start + v * (axis.end - axis.start) if "domain" in (ref or "") else axis(v) for v in values]
                for axis, ref, values in (
                    (x, shape.xref, (shape.x0, shape.x1)),
                    (y, shape.yref, (shape.y0, shape.y1)),
                )
            ]
            yield _line(zip(*ends, strict=True), shape.line.color or GREY, shape.line.width or 2)


def _scatter(trace, x: _Axis, y: _Axis) -> Iterator[str]:
    known = [(a, b) for a, b in zip(trace.x, trace.y, strict=True)]
    seen = [None if b is None or (y.log and b <= 0) else (x(a), y(b)) for a, b in known]
    run = []
    for point in [*seen, None]:  # a gap ends a line
        if point is not None:
            run.append(point)
        elif len(run) > 1 and "lines" in (trace.mode or "lines"):
            yield _line(run, _colour(trace), 2, _dash(trace))
        run = run if point is not None else []
    up, down = trace.error_y.array, trace.error_y.arrayminus
    for i, point in enumerate(seen):
        if point is None:
            continue
        if up is not None:
            low, high = trace.y[i] - (up if down is None else down)[i], trace.y[i] + up[i]
            yield _line([(point[0], y(low)), (point[0], y(high))], _colour(trace), 1)
        size = trace.marker.size
        size = size[i] if isinstance(size, (tuple, list)) else size or 6
        if "markers" in (trace.mode or "") and size:
            is_open = (trace.marker.symbol or "").endswith("-open")
            paint = f'fill="none" stroke="{_colour(trace)}"' if is_open else f'fill="{_colour(trace)}"'
            yield f'<circle cx="{point[0]}" cy="{point[1]}" r="{size / 2}" {paint}/>'
        if trace.text is not None and "text" in (trace.mode or ""):
            yield _text(point[0], point[1] - 8, trace.text[i], anchor="middle")


def _bar(trace, x: _Axis, y: _Axis) -> Iterator[str]:
    flat, half = trace.orientation == "h", (trace.width or 0.7) / 2
    along, across, places, sizes = (x, y, trace.y, trace.x) if flat else (y, x, trace.x, trace.y)
    for i, (place, size) in enumerate(zip(places, sizes, strict=True)):
        base = 0 if trace.base is None else trace.base[i]
        ends = sorted((along(base), along(base + size)))
        sides = sorted((across(place, -half), across(place, half)))
        (left, right), (top, bottom) = (ends, sides) if flat else (sides, ends)
        box = f'x="{left}" y="{top}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
        yield f'<rect {box} fill="{_colour(trace)}"/>'
        if trace.text is not None:
            yield _text((left + right) / 2, top - 5, trace.text[i], anchor="middle")


def _heatmap(trace, x: _Axis, y: _Axis) -> Iterator[str]:
    rows = [[float(v) for v in row] for row in trace.z]
    flat = [v for row in rows for v in row]
    low = min(flat) if trace.zmin is None else trace.zmin
    high = max(max(flat) if trace.zmax is None else trace.zmax, low + 1e-12)
    paths: dict[int, list[str]] = {}
    for top, row in enumerate(rows):
        shades = [min(int((v - low) / (high - low) * SHADES), SHADES - 1) for v in row]
        start = 0
        for end in range(1, len(row) + 1):  # merge equal neighbours into one box
            if end == len(row) or shades[end] != shades[start]:
                paths.setdefault(shades[start], []).append(f"M{start} {top}h{end - start}v1h{start - end}z")
                start = end
    wide, tall = (x.end - x.start) / len(rows[0]), (y.start - y.end) / len(rows)
    colours = sample_colorscale([[*stop] for stop in trace.colorscale], [i / (SHADES - 1) for i in range(SHADES)])
    box = f'transform="translate({x.start} {y.end}) scale({wide:.4f} {tall:.4f})" shape-rendering="crispEdges"'
    yield f"<g {box}>"
    yield from (f'<path fill="{colours[shade]}" d="{"".join(boxes)}"/>' for shade, boxes in sorted(paths.items()))
    yield "</g>"
    tall = (y.start - y.end) / SHADES
    for i, colour in enumerate(colours):
        at = f'x="{x.end + 12}" y="{y.start - (i + 1) * tall:.1f}"'
        yield f'<rect {at} width="12" height="{tall + 0.5:.1f}" fill="{colour}"/>'
    yield _text(x.end + 28, y.start, _short(low))
    yield _text(x.end + 28, y.end + 10, _short(high))
    yield _text(WIDTH - 4, y.end - 6, trace.colorbar.title.text, size=11, anchor="end")


DRAW = {"scatter": _scatter, "bar": _bar, "heatmap": _heatmap}


def _colour(trace) -> str:
    return trace.marker.color if trace.type == "bar" else trace.line.color or GREY


def _dash(trace) -> str:
    return DASHES.get(trace.line.dash, "") if trace.type == "scatter" else ""


def _line(points: Iterable[tuple[float, float]], colour: str, width: float, dash: str = "") -> str:
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def _text(x: float, y: float, words, size: int = 12, anchor: str = "start") -> str:
    where = f'x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}"'
    return f"<text {where}>{_plain(words)}</text>" if words else ""


def _plain(words) -> str:
    """Remove plotly's tags and escape for XML."""
    return escape(unescape(re.sub(r"<[^<>]*>", " ", str(words or ""))), quote=False)


def _short(value: float) -> str:
    """Format an axis label: 0.05, 250, 8,192, 32.8k, 1.5M, 1e+15."""
    if abs(value) < 10_000:
        return f"{value:,.4g}" if value != int(value) else f"{int(value):,}"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < 1000 * size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
