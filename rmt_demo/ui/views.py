"""The page's custom views. Each is a gr.HTML with a fixed template. Its script draws the value it is given and inserts
strings as text, never as HTML."""

from pathlib import Path

import gradio as gr


def asset(name: str) -> str:
    """The content of a script or style file in this folder."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


PAINT, STYLE = asset("paint.js"), asset("live_view.css")  # shared by the views
# Fixed templates: gr.HTML evaluates ${...} and {{...}} in a template, so nothing is ever inserted into them.
LIVE = """
<div class="live">
  <p class="line">Nothing read yet. Press Read.</p>
  <p class="spoken" role="status"></p>
  <p class="caption">The text from left to right, with <b class="fact">▼ facts</b> and the reading position. Below: how
    much each segment changed the memory, in total (bars) and per memory token (rows; brighter is more).</p>
  <canvas class="timeline" role="img" aria-label="How much each segment changed each memory token"></canvas>
  <p class="caption">The memory now: one row of numbers per memory token, <b class="low">negative</b> to
    <b class="high">positive</b>; at the right, how much the latest segment changed it. Rows below the line are stored
    tokens.</p>
  <canvas class="memory" role="img" aria-label="The numbers in the memory tokens and their latest change"></canvas>
  <p class="caption">Bytes needed for attention, on a logarithmic scale (estimated from the model's shape)</p>
  <div class="meter">
    <span class="own"></span><i><b class="own-bar"></b></i>
    <span class="full"></span><i><b class="full-bar"></b></i>
  </div>
  <div class="beliefs" hidden>
    <p class="caption">Confidence in the current answer after each segment. ▲ learned, ▼ forgot, ● first answer or
      a new one, ▽ missed a fact that changes the answer.</p>
    <canvas class="confidence" role="img" aria-label="Confidence in the answers along the text"></canvas>
    <ul class="questions"></ul>
  </div>
</div>
"""
SEGMENT = """
<div>
  <p class="title">Read a text, then choose a segment.</p>
  <p class="line"></p>
  <p class="text"></p>
  <p class="hover" aria-hidden="true"></p>
  <p class="strongest"></p>
  <p class="caption">Attention of each memory token (row) to each token of the segment (column); brighter is more.</p>
  <canvas role="img" aria-label="Attention of each memory token to each token of the segment"></canvas>
</div>
"""
COMPARE = """
<div>
  <p class="line" role="status"></p>
  <p class="caption">How much each segment changed the memory: <b class="untouched">━ untouched</b>,
    <b class="operated">╍ after the surgery</b>. The vertical line marks the surgery.</p>
  <canvas role="img" aria-label="Change of the memory along the text, with and without the surgery"></canvas>
  <ul class="answers"></ul>
</div>
"""
RACE = """
<div>
  <p class="line" role="status"></p>
  <p class="caption">The text from left to right, with <b class="fact">▼ facts</b>: what was
    <b class="read">read</b>, and what is <b class="sees">in view</b> when the question is asked.</p>
  <ul class="lanes"></ul>
</div>
"""
# The initial values of three of them.
NO_SEGMENT = {"title": "", "line": "", "tokens": [], "facts": [], "weights": "", "peak": 0, "rows": 0, "row": -1}
NO_SURGERY = {
    "line": "Read a text, choose memory tokens, then apply an operation.",
    "facts": [],
    "before": "",
    "after": "",
    "start": -1,
    "answers": [],
}
NO_RACE = {"line": "Read a text, then race.", "facts": [], "lanes": []}
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
    return view("live", LIVE, STYLE, PAINT + asset("live_view.js"))


def segment() -> gr.HTML:
    """A segment and what the memory tokens attended to in it."""
    return view("segment", SEGMENT, asset("segment_view.css"), PAINT + asset("segment_view.js"))


def compare() -> gr.HTML:
    """A reading before and after surgery."""
    return view("compare", COMPARE, STYLE + MORE, PAINT + asset("compare_view.js"), NO_SURGERY)


def race() -> gr.HTML:
    """Three readers of one text."""
    return view("race", RACE, STYLE + MORE, PAINT + asset("race_view.js"), NO_RACE)


def view(name: str, template: str, style: str, script: str, value=None) -> gr.HTML:
    """One view, initially showing `value`."""
    return gr.HTML(
        value,
        html_template=template,
        css_template=style,
        js_on_load=script,
        elem_id=name,
        apply_default_css=False,
    )
