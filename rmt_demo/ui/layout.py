"""The page: what is on it, and which handler each button calls."""

import gradio as gr

from ..reader import Reader
from . import inputs
from .handlers import FACTS, QUESTIONS, Handlers
from .live_view import SCRIPT, STYLE, TEMPLATE

TITLE = "Recurrent Memory Transformer"
ABOUT = """
# Recurrent Memory Transformer

A {layers}-layer Transformer that sees {segment} tokens at a time reads a text of any length by carrying
**{memory} memory tokens** from one segment to the next. Hide facts in a long text, watch the memory while the model
reads it, and ask: only what the memory kept can be answered.
"""
SOURCES = [
    ("King James Bible", "kjv"),
    ("Python reference", "pydoc"),
    ("Paste a text", inputs.PASTED),
    ("Upload a text file", inputs.UPLOADED),
]
CSS = """
.gradio-container { max-width: 1280px !important; margin: 0 auto !important; }
#ask { align-self: flex-end; }
"""


def theme() -> gr.Theme:
    """The system's own fonts: nothing is fetched from anywhere."""
    return gr.themes.Soft(primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])


def build(reader: Reader) -> gr.Blocks:
    """The whole page around one loaded reader; `launch` starts it."""
    handlers = Handlers(reader)
    config = reader.config
    about = ABOUT.format(
        layers=config.build_backbone_config().num_hidden_layers,
        segment=config.segment_length,
        memory=config.num_memory_tokens,
    )
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        session = gr.State()
        gr.Markdown(about)
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                source = gr.Dropdown(SOURCES, value="kjv", label="Background text")
                pasted = gr.Textbox(label="Your text", lines=6, max_lines=12, visible=False)
                upload = gr.File(label="A UTF-8 text file", file_types=["text"], visible=False)
                with gr.Row():
                    length = gr.Number(
                        20_000,
                        label="Length in tokens",
                        info="1,000 to 10,000,000",
                        precision=0,
                        min_width=140,
                    )
                    seed = gr.Number(0, label="Seed", info="where the text starts", precision=0, min_width=100)
                facts = gr.Dataframe(
                    FACTS,
                    headers=["Fact", "Position"],
                    datatype=["str", "number"],
                    type="array",
                    column_count=2,
                    column_widths=["72%", "28%"],
                    label="Facts to hide, each at a position from 0 (beginning) to 1 (end). Edit them, add your own.",
                    wrap=True,
                    interactive=True,
                    buttons=[],
                )
                draw = gr.Button("Draw other facts", size="sm")
                with gr.Row():
                    read = gr.Button("Read", variant="primary", min_width=120)
                    stop = gr.Button("Stop", min_width=120)
            with gr.Column(scale=3, min_width=320):
                live = gr.HTML(
                    None,
                    html_template=TEMPLATE,
                    css_template=STYLE,
                    js_on_load=SCRIPT,
                    elem_id="live",
                    apply_default_css=False,
                )
                with gr.Row():
                    question = gr.Textbox(
                        label="Question", value=QUESTIONS[0], max_length=2_000, scale=4, min_width=220
                    )
                    ask = gr.Button("Ask", variant="primary", scale=1, min_width=80, elem_id="ask")
                examples = gr.Dataset(
                    components=[question], samples=[[q] for q in QUESTIONS], label="Questions about the facts"
                )
                answer = gr.Label(label="Answer", num_top_classes=5)

        quiet = {"show_progress": "hidden", "api_visibility": "private"}
        source.change(
            lambda name: (
                gr.update(visible=name == inputs.PASTED),
                gr.update(visible=name == inputs.UPLOADED),
            ),
            source,
            [pasted, upload],
            queue=False,
            **quiet,
        )
        read.click(
            handlers.read,
            [session, source, pasted, upload, length, facts, seed],
            [session, live],
            concurrency_id="reading",
            concurrency_limit=2,
            **quiet,
        )
        stop.click(handlers.stop, session, None, queue=False, **quiet)
        gr.on(
            [ask.click, question.submit],
            handlers.ask,
            [session, question],
            answer,
            concurrency_id="asking",
            concurrency_limit=2,
            **quiet,
        )
        draw.click(handlers.draw, None, [facts, examples, question], queue=False, **quiet)
        examples.click(lambda sample: sample[0], examples, question, queue=False, **quiet)
        gr.api(handlers.read_and_ask, api_name="read_and_ask", concurrency_id="reading", concurrency_limit=2)
    return page


def launch(page: gr.Blocks, host: str, port: int | None, **options):
    """Serve the page, to this machine and the network `host` is on and to nobody else.

    Raises:
        ValueError: if the port is taken or no port at all.
    """
    try:
        return page.launch(
            server_name=host,
            server_port=port,
            share=False,
            theme=theme(),
            css=CSS,
            max_file_size="10mb",
            footer_links=["api"],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            **options,
        )
    except (OSError, OverflowError) as error:
        raise ValueError(f"Port {port} on {host} cannot be opened: choose another one with --port.") from error
