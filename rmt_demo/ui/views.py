"""The page's pictures. Each is one gr.HTML with a fixed page: what it shows comes as its value and is painted by its
script, words as text and never as HTML."""

import gradio as gr

from .live_view import HERE, PAINT, SCRIPT, STYLE, TEMPLATE

SEGMENT = """
<div>
  <p class="title">Read a text, then choose a segment.</p>
  <p class="line"></p>
  <p class="text"></p>
  <p class="hover" aria-hidden="true"></p>
  <p class="strongest"></p>
  <p class="caption">All memory tokens (rows) on all tokens of the segment (columns): the brighter, the more
    attention.</p>
  <canvas role="img" aria-label="Attention of each memory token to each token of the segment"></canvas>
</div>
"""
COMPARE = """
<div>
  <p class="line" role="status">Read a text, choose memory tokens and operate.</p>
  <p class="caption">How much each segment changed the memory: <b class="untouched">━ untouched</b>,
    <b class="operated">╍ after the surgery</b>. The upright line is where it was done.</p>
  <canvas role="img" aria-label="Change of the memory along the text, with and without the surgery"></canvas>
  <ul class="answers"></ul>
</div>
"""
RACE = """
<div>
  <p class="line" role="status">Read a text, then race.</p>
  <p class="caption">The text from left to right, with <b class="fact">▼ facts</b>: what was
    <b class="read">read</b>, and what is <b class="sees">in view</b> when the question is asked.</p>
  <ul class="lanes"></ul>
</div>
"""
# What two of them show before there is anything to show.
NO_SURGERY = {
    "line": "Choose memory tokens and operate.",
    "facts": [],
    "before": "",
    "after": "",
    "start": -1,
    "answers": [],
}
NO_RACE = {"line": "Ask a question, then race.", "facts": [], "lanes": []}
MORE = """
canvas { height: 150px; }
.lanes canvas { height: 34px; }
ul { list-style: none; margin: 8px 0 0; padding: 0; font-size: 15px; overflow-wrap: anywhere; }
.lanes li { margin: 0 0 14px; }
.lanes p { margin: 0; }
.lanes .name { font-weight: 600; }
.cost { font-size: 13px; }
.read { color: #0072b2; }
.sees { color: #c2410c; }
&.night .read { color: #56b4e9; }
&.night .sees { color: #e69f00; }
"""


def live() -> gr.HTML:
    """What happens while the model reads (see `live_view.py`)."""
    return _view("live", TEMPLATE, STYLE, SCRIPT)


def segment() -> gr.HTML:
    """A segment and what the memory tokens attended to in it."""
    style = (HERE / "segment_view.css").read_text(encoding="utf-8")
    return _view("segment", SEGMENT, style, PAINT + _script("segment"))


def compare() -> gr.HTML:
    """A reading before and after surgery."""
    return _view("compare", COMPARE, STYLE + MORE, PAINT + _script("compare"))


def race() -> gr.HTML:
    """Three readers of one text."""
    return _view("race", RACE, STYLE + MORE, PAINT + _script("race"))


def _script(name: str) -> str:
    return (HERE / f"{name}_view.js").read_text(encoding="utf-8")


def _view(name: str, template: str, style: str, script: str) -> gr.HTML:
    return gr.HTML(
        None,
        html_template=template,
        css_template=style,
        js_on_load=script,
        elem_id=name,
        apply_default_css=False,
    )
