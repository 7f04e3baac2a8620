"""Figures and controls of the lessons. The page is a list here: what was shown, and what took its place."""

import json

import ipywidgets
import pytest

from rmt_demo import charts, widgets


@pytest.fixture
def page(monkeypatch):
    """Everything that was displayed, oldest first; a place that is updated shows its latest content."""
    places = {}

    class Handle:
        def display(self, bundle, raw):
            places[self] = bundle

        update = display

    monkeypatch.setattr(widgets, "DisplayHandle", Handle)
    monkeypatch.setattr(widgets, "display", lambda bundle, raw: places.setdefault(object(), bundle))
    return lambda: list(places.values())


def controls(bundle) -> tuple:
    """The live controls behind a displayed box."""
    return ipywidgets.widgets.widget._instances[bundle[widgets.CONTROL]["model_id"]].children


def test_a_figure_comes_interactive_still_and_as_a_title(page):
    widgets.show(charts.lines({"a": [1, 2]}, title="Two points"))
    (bundle,) = page()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert bundle["text/plain"] == "[Two points]"
    assert json.dumps(bundle[widgets.FIGURE]), "JupyterLab takes JSON"


def test_an_update_takes_the_same_place(page):
    live = widgets.show("before")
    live.update("after")
    assert page() == [{"text/plain": "after"}]


def test_moving_a_slider_draws_again(page):
    widgets.explore(lambda depth: f"depth {depth}", depth=(1, 9))
    box, result = page()
    assert "run the notebook" in box["text/plain"], "GitHub shows this in place of the control"
    assert result == {"text/plain": "depth 5"}, "the first result is saved with the notebook"
    (slider,) = controls(box)
    slider.value = 2
    assert page()[1] == {"text/plain": "depth 2"}


def test_with_a_button_nothing_happens_before_it_is_pressed(page):
    widgets.explore(lambda text: text.upper(), button="Read", text="a")
    field, button = controls(page()[0])
    field.value = "b"
    assert page()[1] == {"text/plain": "A"}
    button.click()
    assert page()[1] == {"text/plain": "B"}
    assert not button.disabled


def test_a_mistake_is_shown_as_its_sentence_and_can_be_corrected(page):
    def halve(n):
        if n % 2:
            raise ValueError("Give an even number.")
        return str(n // 2)

    widgets.explore(halve, n=ipywidgets.IntText(2))
    (field,) = controls(page()[0])
    field.value = 3
    assert page()[1] == {"text/plain": "Give an even number."}
    field.value = 4
    assert page()[1] == {"text/plain": "2"}


def test_what_no_control_can_be_made_of_is_refused(page):
    with pytest.raises(ValueError, match="No control can be made from depth"):
        widgets.explore(lambda depth: "", depth=object())
