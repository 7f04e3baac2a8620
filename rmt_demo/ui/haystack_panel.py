"""The page's left column: what to hide where in which text, and a link to it."""

import math
from dataclasses import dataclass

import gradio as gr

from . import inputs, presets, words
from .handlers import Handlers

QUIET = {"show_progress": "hidden", "api_visibility": "private"}
# Of what may raise: Gradio shows no error of an event outside its queue. It never waits there.
HEARD = {"concurrency_limit": None, **QUIET}
# The slider is logarithmic in the browser alone; the server knows tokens only.
TO_TOKENS = "(power) => Math.round(10 ** power)"
# What says these tokens already stays where it is: it may be in somebody's hand.
TO_POWER = f"(tokens, power) => ({TO_TOKENS})(power) === tokens ? power : Math.log10(Math.max(Number(tokens) || 1, 1))"
ADDRESS = "(query) => query && window.location.origin + window.location.pathname + '?' + query"


@dataclass(eq=False)
class Panel:
    """The components that say what is read, in the order `Handlers.read` takes their values."""

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


def explained(text: str) -> None:
    """A closed panel that says what is shown beside it."""
    with gr.Accordion("What is this?", open=False):
        gr.Markdown(text)


def build(handlers: Handlers, question: gr.Textbox, examples: gr.Dataset) -> Panel:
    """Everything up to the buttons; `question` and `examples` follow the preset.

    Args:
        handlers: what it calls.
        question: the box that questions are typed into.
        examples: questions about the facts.
    """
    shortest, opening = handlers.base.config.text_capacity, presets.opening(handlers.base.model)
    first = presets.draw(opening, 0)
    asked = list(first.queries)
    with gr.Column(elem_id="haystack"):
        with gr.Row():
            preset = gr.Dropdown(presets.PRESETS, value=opening, label="Preset", scale=3, min_width=200)
            again = gr.Button("Draw another", size="sm", scale=1, min_width=100, elem_id="again")
        source = gr.Dropdown(inputs.SOURCES, value="kjv", label="Background text")
        pasted = gr.Textbox(
            label="Your text",
            lines=6,
            max_lines=12,
            visible=False,
            info=f"up to {inputs.MOST_CHARACTERS:,} characters; read from a sentence that the seed draws, "
            "and repeated or cut to the length below",
        )
        upload = gr.File(label=f"A UTF-8 text file, up to {inputs.UPLOAD_MB} MB", file_types=["text"], visible=False)
        power = gr.Slider(
            _power(shortest),
            _power(inputs.LONGEST),
            value=_power(inputs.START),
            step=0.01,
            label="Length (logarithmic: from one segment to 10 million tokens)",
            elem_id="log-length",
            buttons=[],
        )
        with gr.Row():
            length = gr.Number(inputs.START, label="Length in tokens", precision=0, min_width=130)
            seed = gr.Number(
                0, label="Seed", info="draws the facts and where the text starts", precision=0, min_width=130
            )
        facts = gr.Dataframe(
            first.rows,
            headers=["Fact", "Position"],
            datatype=["str", "number"],
            type="array",
            column_count=2,
            column_widths=["72%", "28%"],
            label="Facts to hide, each at a position from 0 (beginning) to 1 (end)",
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
            info="up to three: choose, or type your own and press Enter",
            multiselect=True,
            allow_custom_value=True,
            max_choices=inputs.MOST_PINS,
            elem_id="pins",
        )
        explained(words.HAYSTACK.format(upload_mb=inputs.UPLOAD_MB, characters=inputs.MOST_CHARACTERS))

    source.change(_own_text, source, [pasted, upload], queue=False, **QUIET)
    power.input(None, power, length, js=TO_TOKENS, api_visibility="private")
    length.change(None, [length, power], power, js=TO_POWER, api_visibility="private")
    drawn = [facts, examples, question, pins]
    preset.input(handlers.draw, [preset, seed], drawn, **HEARD)
    again.click(handlers.draw_another, preset, [*drawn, seed], **HEARD)
    # Not into the seed's own box, where the next digit may have been typed meanwhile.
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
    """A link that restores the set-up, and what happens when somebody comes by it."""
    with gr.Accordion("A link to this set-up", open=False):
        make = gr.Button("Make the link", size="sm")
        link = gr.Textbox(label="Link", interactive=False, buttons=["copy"], elem_id="link")
    parts = [haystack.preset, haystack.source, haystack.length, haystack.seed, haystack.facts, haystack.pins]
    made = make.click(handlers.link, parts, link, **HEARD)
    made.success(None, link, link, js=ADDRESS, api_visibility="private")
    page.load(handlers.restore, None, [*parts, question, examples], **HEARD)


def _own_text(name: str):
    """The box or the file for a text of one's own, where that is chosen."""
    return gr.update(visible=name == inputs.PASTED), gr.update(visible=name == inputs.UPLOADED)


def _power(tokens: int) -> float:
    """Where so many tokens are on the slider."""
    return round(math.log10(tokens), 2)
