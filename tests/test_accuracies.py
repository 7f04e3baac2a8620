"""Curves show the accuracies they were given, with their intervals."""

import pytest
from tiny import row

from rmt_demo import accuracies
from rmt_demo.evaluation.tables import TITLES


def test_accuracy_draws_intervals_in_order_of_length():
    results = {"open": {"rows": [row(64, 40.0), row(1, 90.0)]}}
    [line] = accuracies.accuracy(results).data
    assert (line.name, line.x, line.y) == (TITLES["open"], (1, 64), (90.0, 40.0))
    assert line.error_y.array == (1.0, 1.0) and line.error_y.arrayminus == (2.0, 2.0)


def test_accuracy_puts_the_paper_beside_ours_in_the_same_colour():
    results = {"detect": {"rows": [row(4096, 99.0, tokens=2_000_000)]}}
    by_segments, by_tokens = (accuracies.accuracy(results, by, paper=True) for by in ("segments", "tokens"))
    lines = {line.name: line for line in by_segments.data}
    ours, paper = lines[TITLES["detect"]], lines[f"{TITLES['detect']}, the paper's model (about)"]
    assert ours.line.color == paper.line.color and paper.line.dash == "dot" and paper.error_y.array is None
    assert dict(zip(paper.x, paper.y, strict=True))[4096] == 96
    assert len(lines) == 4, "ours, and the paper's three tasks"
    assert {line.x[-1] for line in by_tokens.data} == {2_000_000, 2_043_904}
    assert by_tokens.layout.xaxis.tickvals[-1] == 2_000_000, "two labels there would overlap"


def test_accuracy_refuses_what_holds_none():
    with pytest.raises(ValueError, match="no results"):
        accuracies.accuracy({})
    for other in ({"rows": [{"tokens": 9978, "seconds": 1.1}]}, {"rows": []}, {"minutes": 3}):
        with pytest.raises(ValueError, match="'reading' holds no accuracies by segments"):
            accuracies.accuracy({"reading": other})
    with pytest.raises(ValueError, match="no accuracies by tokens"):
        accuracies.accuracy({"open": {"rows": [row(1, 50.0)]}}, by="tokens")
    with pytest.raises(ValueError, match="not by 'words'"):
        accuracies.accuracy({}, by="words")
