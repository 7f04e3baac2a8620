"""What a lesson puts on the page: figures that can be seen where no script runs, and controls made with ipywidgets.

    show(plots.cost())                           a figure
    live = show(figure); live.update(figure)     the same place drawn anew, for example during training
    explore(draw, depth=(1, 8))                  draw(depth=4), and again whenever the slider has moved
    explore(draw, button="Read", text="...")     draw(text="..."), and again whenever the button is pressed

A figure is interactive in JupyterLab and a still picture on GitHub. What a control shows at first is made when the cell
runs and saved with the notebook, so a reader without a running kernel sees it too, and only the control does nothing.
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
    """A place on the page whose content can be replaced."""

    def __init__(self, handle: DisplayHandle):
        self._handle = handle

    def update(self, what: go.Figure | str) -> None:
        """Show a figure or a text in the place of what is there. Ten times a second is enough for any eye."""
        bundle = _bundle(what)
        if FIGURE in bundle:  # plotly's renderer keeps the graph it has until something else stands in its place
            still = {kind: content for kind, content in bundle.items() if kind != FIGURE}
            self._handle.update(still, raw=True)
        self._handle.update(bundle, raw=True)


def show(what: go.Figure | str) -> Shown:
    """Show a figure or a text, as it is, below the cell; end the line with a semicolon where it is the cell's last."""
    handle = DisplayHandle()
    handle.display(_bundle(what), raw=True)
    return Shown(handle)


def explore(draw: Callable[..., go.Figure | str], /, button: str | None = None, **controls) -> None:
    """Controls with a result below them that follows their values.

    Args:
        draw: called with the controls' values by name, returns the figure or text to show. Later on, a ValueError it
            raises is shown as its one sentence. What it prints goes to JupyterLab's log, so return it instead.
        button: draw when this button is pressed, instead of whenever a value changes: for what takes longer than a
            blink. The first result is made at once in either case.
        controls: name=starting value (number, text, True or False), name=(low, high[, step]) for a slider,
            name=[choices], name={label: choice}, or any widget of ipywidgets that has a value.

    Raises:
        ValueError: if no control can be made of a value; at the starting values also whatever `draw` raises.
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
        raise ValueError(f"No control can be made of {name}={value!r}: give a number, text, (low, high) or choices.")
    if not control.description:
        control.description = name.replace("_", " ")
    control.style = STYLE
    control.layout.width = "32em"
    if hasattr(control, "continuous_update"):  # one result when the slider is let go, not a queue of them
        control.continuous_update = False
    return control


def _show_controls(box: ipywidgets.Widget) -> None:
    bundle = {CONTROL: {"version_major": 2, "version_minor": 0, "model_id": box.model_id}}
    display({**bundle, "text/plain": "(run the notebook to use the controls)"}, raw=True)


def _bundle(what: go.Figure | str) -> dict:
    """What the page can choose from: it takes the richest kind it knows."""
    if isinstance(what, str):
        return {"text/plain": what}
    title = what.layout.title.text or "figure"
    figure = json.loads(what.to_json()) | {"config": CONFIG}
    return {FIGURE: figure, "image/svg+xml": svg(what), "text/plain": f"[{title}]"}
