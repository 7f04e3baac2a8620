"""The lessons' charts, and their still pictures."""

import re
from xml.etree import ElementTree

import plotly.graph_objects as go
import pytest

from rmt_demo import accuracies, charts, pictures, plots

SVG = "{http://www.w3.org/2000/svg}"


def drawn(figure) -> ElementTree.Element:
    """The picture; parsing fails where it is no XML."""
    return ElementTree.fromstring(pictures.svg(figure))


def points(line: ElementTree.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in line.get("points").split()]


def words(picture) -> str:
    return " ".join(text.text for text in picture.iter(f"{SVG}text"))


def test_a_line_goes_through_its_values_and_a_none_is_a_gap():
    figure = charts.lines({"up": [1, 2, None, 4, 8], "flat": [1, 1, 1, 1, 1]}, title="T")
    picture = drawn(figure)
    lines = [points(p) for p in picture.iter(f"{SVG}polyline") if p.get("stroke") == plots.PALETTE[0]]
    assert [len(line) for line in lines] == [2, 2, 2], "two runs around the gap, and the legend's sample"
    assert lines[0][0][1] > lines[0][1][1], "larger values are higher up, so further from the top"
    assert len(list(picture.iter(f"{SVG}circle"))) == 4 + 5
    assert "up" in words(picture) and "flat" in words(picture)


def test_open_marks_are_not_filled():
    figure = charts.lines({"ours": [1, 2]})
    figure.data[0].update(mode="markers", marker_symbol="square-open")
    (first, second) = drawn(figure).iter(f"{SVG}circle")
    assert {mark.get("fill") for mark in (first, second)} == {"none"} and first.get("stroke") == plots.PALETTE[0]


def test_on_logarithmic_axes_equal_factors_are_equal_steps():
    picture = drawn(charts.lines({"double": [1, 10, 100]}, x=[1, 10, 100], log_x=True, log_y=True))
    (line,) = [points(p) for p in picture.iter(f"{SVG}polyline") if p.get("stroke") == plots.PALETTE[0]]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(line, line[1:], strict=False)]
    assert steps[0] == pytest.approx(steps[1], abs=0.2)


def test_bars_are_as_high_as_their_values():
    picture = drawn(charts.bars({"one": 1, "three": 3}))
    heights = [float(r.get("height")) for r in picture.iter(f"{SVG}rect")]
    assert heights[1] == pytest.approx(3 * heights[0], rel=0.02)
    assert "one" in words(picture) and "three" in words(picture)


def test_equal_cells_have_the_same_colour_and_the_first_row_is_on_top():
    picture = drawn(charts.cells([[0, 0, 1], [1, 1, 1]], names=["first", "second"]))
    paths = {path.get("d"): path.get("fill") for path in picture.iter(f"{SVG}path")}
    assert list(paths) == ["M0 0h2v1h-2z", "M2 0h1v1h-1zM0 1h3v1h-3z"]
    assert len(set(paths.values())) == 2


def test_a_line_across_the_plot_stands_between_the_cells_it_parts():
    figure = charts.cells([[0, 1, 1, 1], [1, 0, 0, 0]]).add_vline(x=0.5, line_color="red")
    figure.add_hline(y=0.5, line_color="blue")
    lines = {line.get("stroke"): points(line) for line in drawn(figure).iter(f"{SVG}polyline")}
    assert {"red", "blue"} <= lines.keys(), "a line of the layout is missing"
    left, right = pictures.LEFT, pictures.WIDTH - pictures.RIGHT
    (x0, y0), (x1, y1) = lines["red"]
    assert x0 == x1 == pytest.approx(left + (right - left) / 4, abs=0.2), "behind the first of four columns"
    assert y0 - y1 == pytest.approx(pictures.PLOT_HEIGHT), "from the bottom to the top"
    (x0, y2), (x1, y3) = lines["blue"]
    assert (x0, x1) == (left, right) and y2 == y3 == (y0 + y1) / 2, "below the first of two rows"


def test_rows_and_columns_of_a_heat_map_have_whole_numbers():
    text = words(drawn(charts.cells([[0, 1], [1, 0], [1, 1]], unit="")))
    assert re.search(r"\b2\b", text) and "0.5" not in text and "1.5" not in text, text


def test_a_strip_shows_segments_in_proportion_and_where_the_facts_are():
    picture = drawn(charts.strip([10, 30], [("the fact", 20, 10)]))
    (x0, w0), (x1, w1), (x2, w2) = ((float(r.get("x")), float(r.get("width"))) for r in picture.iter(f"{SVG}rect"))
    assert w1 == pytest.approx(3 * w0, rel=0.01) and x1 == pytest.approx(x0 + w0, abs=0.2)
    assert x2 == pytest.approx(x0 + 2 * w0, abs=0.5) and w2 == pytest.approx(w0, rel=0.02)
    assert "the fact" in words(picture)


def test_the_figures_of_plots_and_accuracies_have_pictures():
    result = {"rows": [{"segments": 2, "accuracy": 90.0, "low": 80, "high": 95, "samples": 9}]}
    for figure in (plots.cost(("opt-125m",)), accuracies.accuracy({"memorize": result}, paper=True)):
        text = words(drawn(figure))
        for trace in figure.data:
            assert trace.name in text, "the legend leaves a line out"


def test_what_users_typed_stays_text():
    picture = pictures.svg(charts.lines({"<script>alert(1)</script> & co": [1, 2], "b": [1, 2]}))
    assert "<script" not in picture
    ElementTree.fromstring(picture)


def test_what_cannot_be_drawn_is_refused_with_advice():
    with pytest.raises(ValueError, match="one for each"):
        charts.lines({"a": [1, 2]}, x=[1])
    with pytest.raises(ValueError, match="at least one"):
        charts.lines({})
    with pytest.raises(ValueError, match="cannot be drawn as SVG"):
        pictures.svg(go.Figure(go.Pie(values=[1])))


@pytest.mark.parametrize(
    "value, label", [(8192, "8,192"), (32_768, "32.8k"), (1.5e6, "1.5M"), (0.05, "0.05"), (0, "0")]
)
def test_numbers_on_axes_are_short(value, label):
    assert pictures._short(value) == label


def test_a_picture_has_ticks_on_both_axes():
    text = words(drawn(charts.lines({"a": [0, 100]})))
    assert re.search(r"\b1\.2\b", text) and re.search(r"\b80\b", text), text
