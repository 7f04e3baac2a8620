"""The guided tour: an optional button that can be pressed again."""

import gradio as gr

from .views import asset, view
from .words import TOUR

TEMPLATE = """
<button class="start" type="button">Take the tour (5 steps)</button>
<div class="card" role="dialog" aria-label="Guided tour" hidden>
  <p class="where"></p>
  <p class="words" aria-live="polite"></p>
  <div class="keys">
    <button class="skip" type="button">Skip</button>
    <button class="back" type="button">Back</button>
    <button class="next" type="button">Next</button>
  </div>
</div>
"""
STYLE = """
button { font: inherit; font-size: 14px; padding: 6px 12px; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--border-color-primary); background: var(--background-fill-primary);
  color: var(--body-text-color); }
button:disabled { opacity: 0.5; cursor: default; }
.new, .next { background: #1d4ed8; border-color: #1d4ed8; color: #fff; }
.card[hidden] { display: none; }
.card { position: fixed; z-index: 1000; left: 50%; bottom: 16px; transform: translateX(-50%); width: min(440px, 92vw);
  box-sizing: border-box; padding: 14px 16px; border-radius: 10px; border: 2px solid #1d4ed8;
  background: var(--background-fill-primary); color: var(--body-text-color);
  box-shadow: 0 6px 24px rgba(0, 0, 0, 0.3); }
.where { margin: 0 0 4px; font-size: 13px; font-weight: 600; }
.words { margin: 0 0 12px; font-size: 15px; line-height: 1.45; min-height: 4.4em; }
.keys { display: flex; gap: 8px; justify-content: flex-end; }
"""


def tour() -> gr.HTML:
    """The tour button and its card."""
    return view("tour", TEMPLATE, STYLE, asset("tour.js"), TOUR)
