"""Output of the lessons: figures that are also visible where no scripts run, and interactive controls (ipywidgets).

    show(plots.cost())                           show a figure
    live = show(figure); live.update(figure)     replace it in place, for example during training
    explore(draw, depth=(1, 8))                  show draw(depth=4), and again whenever the slider is moved
    explore(draw, button="Read", text="...")     show draw(text="..."), and again whenever the button is pressed

A figure is interactive in JupyterLab and a static image on GitHub. The first result of a control is computed when the
cell runs and is saved with the notebook, so it is visible without a running kernel; only the control has no effect.
"""

import json
from collections.abc import Callable

import ipywidgets
import plotly.graph_objects as go
from IPython.display import DisplayHandle, display

from .pictures import svg
from .style import CONFIG

CONTROL = "application/vnd.jupyter.widget-view+json"
FIGURE = "application/vnd.plotly.v1+json"
STYLE = {"description_width": "initial"}


class Shown:
    """Displayed output that can be replaced in place."""

    def __init__(self, handle: DisplayHandle):
        self._handle = handle

    def update(self, what: go.Figure | str) -> None:
        """Replace the output by a figure or a text; call it at most about ten times a second."""
        bundle = _bundle(what)
        if FIGURE in bundle:  # plotly's renderer keeps the old graph unless something else is shown in between
            static = {kind: content for kind, content in bundle.items() if kind != FIGURE}
            self._handle.update(static, raw=True)
        self._handle.update(bundle, raw=True)


def show(what: go.Figure | str) -> Shown:
    """Show a figure or a plain text below the cell. As the last line of a cell, end it with a semicolon."""
    handle = DisplayHandle()
    handle.display(_bundle(what), raw=True)
    return Shown(handle)


def explore(draw: Callable[..., go.Figure | str], /, button: str | None = None, **controls) -> None:
    """Show controls, and below them a result that depends on their values.

    Args:
        draw: called with the controls' values by name, returns the figure or text to show. If it raises ValueError
            after a change, the message is shown. What it prints goes to JupyterLab's log, so return text instead.
        button: label of a button that updates the result, instead of an update at every change: for slow functions.
            The first result is computed at once in either case.
        controls: name=initial value (number, text, True or False), name=(low, high[, step]) for a slider,
            name=[choices], name={label: choice}, or any widget of ipywidgets that has a value.

    Raises:
        ValueError: if no control can be made from a value. Errors of the first call of `draw` are raised too.
    """
    inputs = {name: _control(name, value) for name, value in controls.items()}
    row = [*inputs.values()]
    pressed = ipywidgets.Button(description=button) if button else None
    if pressed:
        row.append(pressed)
    _show_controls(ipywidgets.VBox(row))

    def result() -> go.Figure | str:
        return draw(**{name: control.value for name, control in inputs.items()})

    shown = show(result())

    def again(_) -> None:
        if pressed:
            pressed.disabled = True
        try:
            shown.update(result())
        except ValueError as error:
            shown.update(str(error))
        finally:
            if pressed:
                pressed.disabled = False

    if pressed:
        pressed.on_click(again)
    else:
        for control in inputs.values():
            control.observe(again, names="value")


def _control(name: str, value) -> ipywidgets.Widget:
    control = ipywidgets.interactive.widget_from_abbrev(value)
    if control is None:
        raise ValueError(f"No control can be made from {name}={value!r}: give a number, text, (low, high) or choices.")
    if not control.description:
        control.description = name.replace("_", " ")
    control.style = STYLE
    control.layout.width = "32em"
    if hasattr(control, "continuous_update"):  # update once when the slider is released, not continuously
        control.continuous_update = False
    return control


def _show_controls(box: ipywidgets.Widget) -> None:
    bundle = {CONTROL: {"version_major": 2, "version_minor": 0, "model_id": box.model_id}}
    display({**bundle, "text/plain": "(run the notebook to use the controls)"}, raw=True)


def _bundle(what: go.Figure | str) -> dict:
    """The MIME bundle of a figure or text; the front end shows the richest type that it supports."""
    if isinstance(what, str):
        return {"text/plain": what}
    title = what.layout.title.text or "figure"
    figure = json.loads(what.to_json()) | {"config": CONFIG}
    return {FIGURE: figure, "image/svg+xml": svg(what), "text/plain": f"[{title}]"}
