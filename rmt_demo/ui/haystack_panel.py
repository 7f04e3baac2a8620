"""The page's left column: the background text, the facts to hide in it, and a link to this set-up."""

import math
from dataclasses import dataclass

import gradio as gr

from . import inputs, presets, words
from .handlers import Handlers

QUIET = {"show_progress": "hidden", "api_visibility": "private"}
# For handlers that may raise: Gradio shows errors of queued events only. Without a limit they never wait.
HEARD = {"concurrency_limit": None, **QUIET}
# The slider is logarithmic in the browser alone; the server knows tokens only.
TO_TOKENS = "(power) => Math.round(10 ** power)"
# The slider does not move if it already stands for these tokens: the visitor may be dragging it.
TO_POWER = f"(tokens, power) => ({TO_TOKENS})(power) === tokens ? power : Math.log10(Math.max(Number(tokens) || 1, 1))"
ADDRESS = "(query) => query && window.location.origin + window.location.pathname + '?' + query"


@dataclass(eq=False)
class Panel:
    """The components that define what is read, in the order in which `Handlers.read` takes their values."""

    source: gr.Dropdown
    pasted: gr.Textbox
    upload: gr.File
    length: gr.Number
    facts: gr.Dataframe
    seed: gr.Number
    preset: gr.Dropdown
    pins: gr.Dropdown

    @property
    def values(self) -> list:
        """All of them."""
        return list(vars(self).values())


def explained(what: str, text: str) -> None:
    """A closed accordion with an explanation."""
    with gr.Accordion(f"About {what}", open=False):
        gr.Markdown(text)


def build(handlers: Handlers, question: gr.Textbox, examples: gr.Dataset) -> Panel:
    """Build everything above the buttons; `question` and `examples` follow the preset.

    Args:
        handlers: the event handlers.
        question: the question box.
        examples: questions about the facts.
    """
    shortest, opening = handlers.base.config.text_capacity, presets.opening(handlers.base.model)
    first = presets.draw(opening, 0)
    asked = list(first.queries)
    with gr.Column(elem_id="haystack"):
        with gr.Row():
            preset = gr.Dropdown(presets.PRESETS, value=opening, label="Preset", scale=3, min_width=200)
            again = gr.Button("New seed", size="sm", scale=1, min_width=100, elem_id="again")
        source = gr.Dropdown(inputs.SOURCES, value="kjv", label="Background text")
        pasted = gr.Textbox(
            label="Your text",
            lines=6,
            max_lines=12,
            visible=False,
            info=f"up to {inputs.MOST_CHARACTERS:,} characters; starts at a random sentence, "
            "repeated or cut to the length below",
        )
        upload = gr.File(label=f"A UTF-8 text file, up to {inputs.UPLOAD_MB} MB", file_types=["text"], visible=False)
        power = gr.Slider(
            _power(shortest),
            _power(inputs.LONGEST),
            value=_power(inputs.START),
            step=0.01,
            label="Length, up to 10 million tokens (log scale)",
            elem_id="log-length",
            buttons=[],
        )
        with gr.Row():
            length = gr.Number(
                inputs.START,
                label="Length in tokens",
                info=f"at least {shortest}, one segment",
                precision=0,
                min_width=130,
            )
            seed = gr.Number(0, label="Seed", info="for facts and text", precision=0, min_width=130)
        facts = gr.Dataframe(
            first.rows,
            headers=["Fact", "Position"],
            datatype=["str", "number"],
            type="array",
            column_count=2,
            column_widths=["72%", "28%"],
            label="Facts to hide, at positions from 0 (start) to 1 (end)",
            wrap=True,
            interactive=True,
            buttons=[],
        )
        with gr.Row():
            sentence = gr.Textbox(label="A fact of your own", placeholder="Anna keeps the lamp in the attic.", scale=3)
            position = gr.Slider(0, 1, 0.5, step=0.01, label="Position", scale=2, min_width=150, buttons=[])
        with gr.Row():
            add = gr.Button("Add this fact", size="sm", min_width=100)
            clear = gr.Button("Remove all facts", size="sm", min_width=100)
        pins = gr.Dropdown(
            asked,
            value=asked,
            label="Questions to follow while reading",
            info="up to three; type your own and press Enter",
            multiselect=True,
            allow_custom_value=True,
            max_choices=inputs.MOST_PINS,
            elem_id="pins",
        )
        explained("haystacks", words.HAYSTACK.format(upload_mb=inputs.UPLOAD_MB, characters=inputs.MOST_CHARACTERS))

    source.change(_own_text, source, [pasted, upload], queue=False, **QUIET)
    power.input(None, power, length, js=TO_TOKENS, api_visibility="private")
    length.change(None, [length, power], power, js=TO_POWER, api_visibility="private")
    drawn = [facts, examples, question, pins]
    preset.input(handlers.draw, [preset, seed], drawn, **HEARD)
    again.click(handlers.draw_another, preset, [*drawn, seed], **HEARD)
    # The seed's own box is no output: the visitor may have typed the next digit meanwhile.
    seed.input(handlers.redraw, [preset, seed, facts], drawn, trigger_mode="always_last", **HEARD)
    gr.on(
        [add.click, sentence.submit],
        handlers.add_fact,
        [facts, sentence, position],
        [facts, sentence],
        **HEARD,
    )
    clear.click(lambda: [["", None]], None, facts, queue=False, **QUIET)
    pins.change(handlers.follow, pins, None, **HEARD)  # Gradio's input event hears neither Enter nor Clear
    return Panel(source, pasted, upload, length, facts, seed, preset, pins)


def build_link(handlers: Handlers, page: gr.Blocks, haystack: Panel, question, examples) -> None:
    """A link that restores the set-up, and the handler that restores it when the page is opened with one."""
    with gr.Accordion("A link to this set-up", open=False):
        make = gr.Button("Make the link", size="sm")
        link = gr.Textbox(label="Link", interactive=False, buttons=["copy"], elem_id="link")
    parts = [haystack.preset, haystack.source, haystack.length, haystack.seed, haystack.facts, haystack.pins]
    made = make.click(handlers.link, parts, link, **HEARD)
    made.success(None, link, link, js=ADDRESS, api_visibility="private")
    page.load(handlers.restore, None, [*parts, question, examples], **HEARD)


def _own_text(name: str):
    """Show the text box or the file upload when the visitor chooses it."""
    return gr.update(visible=name == inputs.PASTED), gr.update(visible=name == inputs.UPLOADED)


def _power(tokens: int) -> float:
    """The slider's value for a number of tokens."""
    return round(math.log10(tokens), 2)
