"""The page's pictures. Each is one gr.HTML with a fixed page: what it shows comes as its value and is painted by its
script, words as text and never as HTML."""

from pathlib import Path

import gradio as gr


def asset(name: str) -> str:
    """A script or style that stands beside this file."""
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


PAINT, STYLE = asset("paint.js"), asset("live_view.css")  # what the pictures share
# Fixed pages: gr.HTML evaluates ${...} and {{...}} in a template, so nothing is ever filled in.
LIVE = """
<div class="live">
  <p class="line">Nothing read yet. Press Read.</p>
  <p class="spoken" role="status"></p>
  <p class="caption">The text from left to right, with <b class="fact">▼ facts</b> and the reading head. Below it the
    write events: how much each segment changed the memory, in all (bars) and each memory token (rows; the brighter,
    the more).</p>
  <canvas class="timeline" role="img" aria-label="How much each segment changed each memory token"></canvas>
  <p class="caption">The memory now: one row of numbers per memory token, <b class="low">negative</b> to
    <b class="high">positive</b>; at the right, how much this segment rewrote it. Below the line, if there is one:
    stored tokens.</p>
  <canvas class="memory" role="img" aria-label="The numbers in the memory tokens and their latest change"></canvas>
  <p class="caption">Room that attention needs, on a logarithmic scale (an estimate from the model's shape)</p>
  <div class="meter">
    <span class="own"></span><i><b class="own-bar"></b></i>
    <span class="full"></span><i><b class="full-bar"></b></i>
  </div>
  <div class="beliefs" hidden>
    <p class="caption">What it believes: confidence in its answer after each segment. ▲ learned, ▼ forgot,
      ● a first or another answer, ▽ missed that the facts now say something else.</p>
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
  <p class="caption">All memory tokens (rows) on all tokens of the segment (columns): the brighter, the more
    attention.</p>
  <canvas role="img" aria-label="Attention of each memory token to each token of the segment"></canvas>
</div>
"""
COMPARE = """
<div>
  <p class="line" role="status"></p>
  <p class="caption">How much each segment changed the memory: <b class="untouched">━ untouched</b>,
    <b class="operated">╍ after the surgery</b>. The upright line is where it was done.</p>
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
# What three of them show before there is anything to show.
NO_SEGMENT = {"title": "", "line": "", "tokens": [], "facts": [], "weights": "", "peak": 0, "rows": 0, "row": -1}
NO_SURGERY = {
    "line": "Read a text, choose memory tokens and operate.",
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
    """One picture, at first of `value`."""
    return gr.HTML(
        value,
        html_template=template,
        css_template=style,
        js_on_load=script,
        elem_id=name,
        apply_default_css=False,
    )
