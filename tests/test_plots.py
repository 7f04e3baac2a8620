"""Figures show the data they were given, to everyone's eyes."""

import re
from pathlib import Path

import pytest
import torch
from tiny import row

from rmt_demo import SegmentStep, Trace, accuracies, plots
from rmt_demo.answers import Answer

QUESTION = "Is 1 < 2?"
TOLD = [("kitchen", 0.3), ("kitchen", 0.5), ("<b>garden</b>", 0.9), ("kitchen", 0.8)]


def make_trace(gates: torch.Tensor, told=()) -> Trace:
    """A trace with these gates [S, m], update norms twice as large and these answers to one pinned question."""
    trace = Trace()
    if told:
        trace.pin(QUESTION)
    for i, gate in enumerate(gates):
        step = SegmentStep(i, ["a"], torch.zeros(gates.shape[1], 3), 2 * gate, gate, 0.1)
        trace.add(step, [Answer(*told[i], ())] if told else ())
    return trace


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_cost_has_a_line_with_and_one_without_rmt():
    figure = plots.cost(("opt-125m", "opt-175b"))
    full, rmt = figure.data[2:]
    assert full.y[0] == rmt.y[0], "within one segment nothing is saved"
    assert full.y[-1] / rmt.y[-1] == pytest.approx(29.3, abs=0.05)
    assert rmt.text[-1] == "29×" and figure.data[1].text[-1] == "295×"
    assert (full.line.dash, rmt.line.dash) == (None, "dash") and full.line.color == rmt.line.color
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    with pytest.raises(ValueError, match="no model 'bert'"):
        plots.cost(("bert",))


def test_heat_maps_show_every_token_of_every_segment():
    gates = torch.tensor([[0.0, 1.0], [0.5, 0.0], [0.25, 0.0]])
    trace = make_trace(gates)
    [heat] = plots.writes(trace).data
    assert torch.equal(torch.tensor(heat.z), gates.T), "segments go to the right, memory tokens downwards"
    assert (heat.x, heat.y, heat.zmin, heat.zmax) == ((0, 1, 2), (0, 1), 0, 1)
    [heat] = plots.memory(trace).data
    assert torch.equal(torch.tensor(heat.z), 2 * gates.T)


def test_one_write_among_many_segments_stays_visible(monkeypatch):
    monkeypatch.setattr(plots, "MOST_COLUMNS", 50)
    gates = torch.zeros(501, 1)
    gates[432] = 1
    figure = plots.writes(make_trace(gates))
    [heat] = figure.data
    [column] = [i for i, gate in enumerate(heat.z[0]) if gate]
    assert len(heat.x) <= plots.MOST_COLUMNS
    assert heat.x[column] <= 432 < heat.x[column + 1], "the write is drawn at another segment"
    assert "strongest of every 11 segments" in figure.layout.title.text


def test_beliefs_mark_where_the_answer_changed():
    figure = plots.beliefs(make_trace(torch.zeros(4, 2), TOLD))
    [line] = figure.data
    assert line.x == (0, 1, 2, 3) and line.y == pytest.approx((30, 50, 90, 80))
    assert [size > 0 for size in line.marker.size] == [True, False, True, True]
    assert line.text == ("kitchen", "", "&lt;b&gt;garden&lt;/b&gt;", "kitchen"), "answers are text, not markup"
    assert line.name == "Is 1 &lt; 2?" and figure.layout.showlegend


def test_empty_traces_are_named():
    for plot in (plots.memory, plots.writes):
        with pytest.raises(ValueError, match="trace is empty"):
            plot(Trace())
    with pytest.raises(ValueError, match="trace.pin"):
        plots.beliefs(make_trace(torch.zeros(3, 2)))


def test_figures_are_legible_in_light_and_dark():
    trace = make_trace(torch.zeros(4, 2), TOLD)
    drawn = [
        plots.cost(),
        accuracies.accuracy({"open": {"rows": [row(1, 50.0)]}}),
        plots.memory(trace),
        plots.writes(trace),
        plots.beliefs(trace),
    ]
    for figure in drawn:
        assert figure.to_json(), "a page could not show it"
        layout = figure.layout
        assert layout.title.text and layout.xaxis.title.text and layout.yaxis.title.text, "say what is shown"
        assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
        assert layout.font.color == plots.GREY
    grey = luminance(plots.GREY)
    assert 1.05 / (grey + 0.05) >= 4.5 and (grey + 0.05) / 0.05 >= 4.5, "WCAG AA on white and on black"
    for colour in plots.PALETTE:
        assert 1.05 / (luminance(colour) + 0.05) > 2 < (luminance(colour) + 0.05) / 0.05, f"{colour} disappears"


def test_only_what_draws_imports_plotly():
    package = Path(plots.__file__).parent
    imports = {p.name for p in package.rglob("*.py") if re.search(r"^\s*(import|from) plotly", p.read_text(), re.M)}
    assert imports == {"style.py", "plots.py", "accuracies.py", "charts.py", "pictures.py", "widgets.py"}, (
        "so that nothing else needs plotly"
    )
