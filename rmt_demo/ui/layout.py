"""The page: the haystack on the left, the reading on the right, a closer look below; and the server."""

import importlib.util
from copy import deepcopy

import gradio as gr

from ..heads import RMTForSequenceClassification
from ..questions import PLACES
from ..reader import Reader
from . import explore_layout, haystack_panel, inputs, presets, views, words
from .api import Api
from .explore import Explore
from .handlers import ASKING, READING, Handlers
from .haystack_panel import QUIET, explained
from .tour import tour

TITLE = "Recurrent Memory Transformer"
CSS = """
.gradio-container { max-width: 1280px !important; margin: 0 auto !important; overflow-x: clip; }
#ask, #again { align-self: flex-end; }
#buttons { gap: 6px; } /* four of them fit on a phone */
#buttons button { min-width: 0 !important; padding-inline: 4px; }
#explore .tab-container { max-width: 100%; }
#explore .tab-container .selected { color: var(--body-text-color); }
#explore .tab-container button { padding-inline: clamp(4px, 1.4vw, 16px); }
/* The label contains the question, up to three lines on a phone; the answer goes below it. */
:is(#answer, #answer-here) [data-testid=block-label] { position: static; }
:is(#answer, #answer-here) [data-testid=block-label] span { flex: none; }
:is(#answer, #answer-here) .output-class { padding-top: 0; }
/* The slider's own number is a logarithm; the number of tokens has a box below it. */
#log-length input[type=number], #log-length .min_value, #log-length .max_value { display: none; }
/* Gradio reserves no space for the position in the queue. */
#waiting .wrap.minimal { min-height: 28px; }
#waiting .progress-text { top: 0; margin: 0; transform: none; }
.toured { outline: 3px solid #1d4ed8; outline-offset: 4px; border-radius: 8px; }
"""


def theme() -> gr.Theme:
    """System fonts, so that nothing is fetched. Text has a contrast of at least 4.5 to 1."""
    soft = gr.themes.Soft(primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    return soft.set(
        block_label_text_color="*primary_700",
        block_title_text_color="*primary_700",
        block_info_text_color="*neutral_600",
        body_text_color_subdued="*neutral_600",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_300",
        link_text_color_dark="*secondary_300",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_700",
        button_secondary_background_fill_hover_dark="*primary_600",
    )


def build(reader: Reader, checkpoint: str) -> gr.Blocks:
    """Build the page around a loaded reader; `launch` starts it.

    Args:
        reader: all visitors share its model.
        checkpoint: the model's name in the page's Python snippet.
    """
    handlers, config = Handlers(reader), reader.config
    sizes = {"segment": config.segment_length, "text": config.text_capacity, "working": config.num_memory_tokens}
    about = words.ABOUT.format(
        layers=config.build_backbone_config().num_hidden_layers,
        segment=config.segment_length,
        memory=config.memory_size,
    )
    if isinstance(reader.model, RMTForSequenceClassification):
        about += words.PLACES_ONLY.format(places=", ".join(PLACES[:-1]), last=PLACES[-1])
    questions = list(presets.draw(presets.opening(reader.model), 0).queries)
    # Every ten minutes, files of visitors that are older than an hour are deleted.
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        question = gr.Textbox(
            label="Question", value=questions[0], max_length=2_000, scale=4, min_width=220, render=False
        )
        examples = gr.Dataset(
            components=[question], samples=[[q] for q in questions], label="Questions about the facts", render=False
        )
        gr.Markdown(about)
        tour()
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                haystack = haystack_panel.build(handlers, question, examples)
                with gr.Row(elem_id="buttons"):
                    read = gr.Button("Read", variant="primary", min_width=70)
                    pause, resume, stop = (gr.Button(name, min_width=70) for name in ("Pause", "Resume", "Stop"))
                waiting = gr.Markdown("", elem_id="waiting", min_height=28)
                haystack_panel.build_link(handlers, page, haystack, question, examples)
            with gr.Column(scale=3, min_width=320):
                live = views.live()
                explained("these pictures", words.LIVE.format(**sizes, stored=config.num_stored_tokens))
                with gr.Column(elem_id="asking"):
                    with gr.Row():
                        question.render()
                        ask = gr.Button("Ask", variant="primary", scale=1, min_width=80, elem_id="ask")
                    examples.render()
                    answer = gr.Label(label="Answer", num_top_classes=5, elem_id="answer")
                explained("following questions", words.BELIEFS)
        ended, clears = explore_layout.build(Explore(handlers), question, live, checkpoint)
        clears |= {answer: gr.update(value=None, label="Answer"), live: {"line": "Waiting in the queue …"}}

        def make_way(request: gr.Request) -> list:
            handlers.make_way(request)
            return deepcopy(list(clears.values()))  # Gradio removes the value from an update when it sends it

        # A visitor who has to wait sees the position in the queue at `waiting`.
        queued = {"api_visibility": "private", "show_progress": "minimal", "show_progress_on": waiting, **READING}
        asked = read.click(make_way, None, list(clears), queue=False, trigger_mode="multiple", **QUIET)
        ended(asked.then(handlers.read, haystack.values, live, trigger_mode="multiple", **queued))
        ended(resume.click(handlers.resume, None, live, **queued))
        pause.click(handlers.pause, None, None, queue=False, **QUIET)
        stop.click(handlers.stop, None, live, queue=False, **QUIET)
        gr.on([ask.click, question.submit], handlers.ask, question, answer, **ASKING, **QUIET)
        examples.click(lambda sample: sample[0], examples, question, queue=False, **QUIET)
        page.load(None, js=views.asset("aria.js"), api_visibility="private")
        page.unload(handlers.leave)
        gr.api(Api(reader).read_and_ask, api_name="read_and_ask", **READING)
    return page


def launch(page: gr.Blocks, host: str, port: int | None, mcp: bool = False, **options):
    """Serve the page on `host`, never through a public share link.

    Args:
        page: from `build`.
        host, port: to listen on; None for any free port.
        mcp: also serve `read_and_ask` over the Model Context Protocol.
        options: passed to `gr.Blocks.launch`.

    Raises:
        ValueError: if the port is taken or invalid, or the package that `mcp` needs is missing.
    """
    if mcp and importlib.util.find_spec("mcp") is None:
        raise ValueError("--mcp needs one more package: pip install 'gradio[mcp]'")
    try:
        return page.launch(
            server_name=host,
            server_port=port,
            share=False,
            theme=theme(),
            css=CSS,
            max_file_size=f"{inputs.UPLOAD_MB}mb",
            footer_links=["api"],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            # Skips Gradio's request to itself at the start, which fails after three seconds on a busy machine.
            _frontend=False,
            mcp_server=mcp,
            **options,
        )
    except (OSError, OverflowError) as error:
        raise ValueError(f"Port {port} on {host} cannot be opened: choose another one with --port.") from error
