"""Figures of measured accuracies with confidence intervals: against the length of the text, after each stage of a
curriculum, and against the number of facts or of memory tokens. Each function turns parsed results (`results/*.json`)
into a plotly Figure.
"""

from pathlib import Path

import plotly.graph_objects as go

from .evaluation.paper import PAPER_ACCURACY, PAPER_SEGMENTS, PAPER_STAGES, PAPER_TOKENS_READ
from .evaluation.tables import TITLES, trained_on
from .style import empty, line_style


def accuracy(results: dict[str, dict], by: str = "segments", paper: bool = False) -> go.Figure:
    """Accuracy against the length of the text with 95% intervals, one line per task: like the paper's figure 1.

    Args:
        results: task -> what `evaluate` returns for it, or the parsed `results/TASK.json`.
        by: "segments", or "tokens" if the rows have a number of tokens.
        paper: also draw the results of the paper's own model on its three tasks, as dotted lines.

    Raises:
        ValueError: if there are no results, if one holds no accuracies, or for another value of `by`.
    """
    if by not in ("segments", "tokens"):
        raise ValueError(f'Accuracy is drawn by "segments" or "tokens", not by {by!r}.')
    if not results:
        raise ValueError("There are no results to draw: measure some with `python -m rmt_demo eval`.")
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
        if not ticks or x > 1.3 * ticks[-1]:  # otherwise the labels would overlap
            ticks.append(x)
    figure.update_xaxes(type="log", tickvals=ticks, tickformat="," if by == "segments" else ".3~s")
    figure.update_yaxes(range=[0, 102])
    return figure


def stages(result: dict, task: str, paper: bool = False) -> go.Figure:
    """Accuracy against the number of segments after each stage of a curriculum: like the paper's figure 5.

    Args:
        result: what `evaluation.stages.measure` returns.
        task: one of its tasks.
        paper: also mark the values read off the paper's figure, and name the backbone of our model in the title.

    Raises:
        ValueError: if the result has no rows of the task, or with `paper`, if the paper has no values for it.
    """
    rows = [row for row in result.get("rows", ()) if row.get("task") == task]
    rows = _rows(task, {"rows": rows}, "segments")
    title, theirs = f"{TITLES.get(task, task)}: accuracy after each stage", {}
    if paper:
        if task not in PAPER_STAGES:
            raise ValueError(f"The paper's figure 5 has no task {task!r}: draw it without the paper.")
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
                showlegend=False,  # the title explains them
                hovertemplate="%{x} segments: about %{y}%",
            )
    figure.update_xaxes(dtick=1)
    return figure.update_yaxes(range=[0, 102]).update_layout(showlegend=True)


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
        ValueError: if it has no accuracies by facts and memory tokens, or only one number of memory tokens.
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


def _rows(task: str, result: dict, *by: str) -> list[dict]:
    """The rows of a result, checked to have the fields `by` and sorted by the first of these."""
    rows = result.get("rows") or [{}]
    if not all({*by, "accuracy", "low", "high", "samples"} <= row.keys() for row in rows):
        raise ValueError(f"The result {task!r} holds no accuracies by {' and '.join(by)}: leave it out.")
    return sorted(rows, key=lambda row: row[by[0]])


def _accuracy_line(figure: go.Figure, name: str, rows: list[dict], by: str, **style) -> None:
    """Draw the accuracies of some rows with their intervals, against the field `by`."""
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
