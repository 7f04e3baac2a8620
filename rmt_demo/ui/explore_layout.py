"""The page's lower half: time travel, surgery, race and downloads."""

from collections.abc import Callable

import gradio as gr

from . import takehome, views, words
from .explore import ACTIONS, ALL, Explore
from .handlers import ASKING, Handlers
from .haystack_panel import HEARD, QUIET, explained
from .inputs import errors_shown

# Without it Gradio refuses a segment number out of bounds; `Explore` takes the nearest segment instead.
TYPED = {"preprocess": False}
SLOW = {"api_visibility": "private", "show_progress": "minimal", **ASKING}


def build(explore: Explore, question: gr.Textbox, live: gr.HTML, checkpoint: str) -> tuple[Callable, dict]:
    """Build the tabs.

    Args:
        explore: the event handlers.
        question: the question box, shared by all tabs.
        live: the live view; a click on its timeline selects a segment.
        checkpoint: the model's name in the Python snippet.

    Returns:
        A function that attaches to the event that ends a reading, and {component: update that clears it before the next
        reading}.
    """
    gr.Markdown("## Look closer")
    with gr.Column(elem_id="explore"):
        with gr.Row():
            segment = gr.Slider(
                1,
                2,
                1,
                step=1,
                label="Segment (or click the timeline)",
                info="for Time travel and Surgery",
                buttons=[],
                scale=2,
                min_width=280,
            )
            same = gr.Textbox(
                question.value,
                label="Question (change it above)",
                info="for Time travel, Surgery and Race",
                interactive=False,
                min_width=280,
                elem_id="same-question",
            )
        question.change(None, question, same, js="(text) => text", api_visibility="private")
        with gr.Tabs():
            with gr.Tab("Time travel"):
                look, clears = _travel(explore, question, segment)
            with gr.Tab("Surgery"):
                clears |= _surgery(explore, question, segment)
            with gr.Tab("Race"):
                clears |= _race(explore, question)
            with gr.Tab("Download"):
                clears |= _take_home(explore.handlers, checkpoint)
    live.seek(explore.seek, None, segment, queue=False, **QUIET).then(**look)
    return lambda event: event.success(explore.segments, None, segment, queue=False, **QUIET).then(**look), clears


def _travel(explore: Explore, question: gr.Textbox, segment: gr.Slider) -> tuple[dict, dict]:
    """Returns the event arguments that show the chosen segment, and the updates that clear the tab."""
    backbone = explore.base.config.build_backbone_config()
    with gr.Row():
        choices = [
            gr.Dropdown(_numbered(what, count), value=ALL, label=what.capitalize(), min_width=170)
            for what, count in (
                ("layer", backbone.num_hidden_layers),
                ("head", backbone.num_attention_heads),
                ("memory token", explore.base.config.num_memory_tokens),
            )
        ]
    shown = views.segment()
    with gr.Row():
        ask = gr.Button("Ask here", min_width=100, elem_id="ask-here")
    label = "Answer at this moment"
    answer = gr.Label(label=label, num_top_classes=5, elem_id="answer-here")
    explained("time travel", words.TRAVEL)
    look = {"fn": explore.look, "inputs": [segment, *choices], "outputs": shown, **ASKING, **QUIET, **TYPED}
    gr.on([segment.input, *(choice.input for choice in choices)], **look, trigger_mode="always_last")
    ask.click(explore.ask, [segment, question], answer, **SLOW, **TYPED)
    return look, {answer: gr.update(value=None, label=label)}


def _surgery(explore: Explore, question: gr.Textbox, segment: gr.Slider) -> dict:
    config = explore.base.config
    stored = f" (stored tokens from {config.num_memory_tokens + 1})" if config.num_stored_tokens else ""
    with gr.Row():
        action = gr.Dropdown(ACTIONS, value="erase", label="Operation after this segment", min_width=280)
        std = gr.Slider(0, 3, 1, step=0.1, label="Noise strength", min_width=140, buttons=[])
    chosen = gr.Textbox(
        label=f"Memory tokens 1 to {config.memory_size:,}{stored}",
        placeholder="1-4, 7",
        max_length=2_000,
        elem_id="tokens",
    )
    with gr.Row():
        every = gr.Button("All", size="sm", min_width=80)
        none = gr.Button("None", size="sm", min_width=80)
        operate = gr.Button("Apply and read on", variant="primary", min_width=160)
    shown = views.compare()
    explained("surgery", words.SURGERY)
    every.click(lambda: f"1-{config.memory_size}", None, chosen, queue=False, **QUIET)
    none.click(lambda: "", None, chosen, queue=False, **QUIET)
    operate.click(explore.operate, [segment, action, chosen, std, question], shown, **SLOW, **TYPED)
    return {shown: views.NO_SURGERY}


def _race(explore: Explore, question: gr.Textbox) -> dict:
    go = gr.Button("Race", variant="primary", min_width=100)
    shown = views.race()
    explained("the race", words.RACE)
    go.click(explore.race, question, shown, **SLOW)
    return {shown: views.NO_RACE}


def _take_home(handlers: Handlers, checkpoint: str) -> dict:
    def pack(request: gr.Request):
        with errors_shown():
            return gr.update(value=str(takehome.run_zip(handlers.visit(request), checkpoint)), visible=True)

    def write(request: gr.Request):
        with errors_shown():
            return takehome.snippet(handlers.visit(request), checkpoint)

    with gr.Row():
        make = gr.Button("Make a zip of this run", min_width=140)
        show = gr.Button("Show the Python code", min_width=140)
    file = gr.File(label="The run", visible=False, interactive=False)
    code = gr.Code(label="The same in Python", language="python", interactive=False, wrap_lines=True, elem_id="snippet")
    explained("the download", words.HOME)
    make.click(pack, None, file, **SLOW)
    show.click(write, None, code, **HEARD)
    return {file: gr.update(value=None, visible=False), code: None}


def _numbered(what: str, count: int) -> list[tuple[str, int]]:
    return [(f"all {what}s (mean)", ALL), *((f"{what} {i}", i) for i in range(1, count + 1))]
