"""The browser demo:

python app.py                        # http://127.0.0.1:7860
python app.py --host 0.0.0.0         # also for other machines on the network
python app.py --mcp                  # also serves `read_and_ask` as an MCP tool
"""

import argparse
import os
import sys
from pathlib import Path

CHECKPOINT = Path(__file__).parent / "checkpoints" / "rmt-minilm"


def main(argv: list[str] | None = None) -> int:
    """Start the demo. Returns the exit code: 2 if the checkpoint, device or port is invalid."""
    parser = argparse.ArgumentParser(description="Recurrent Memory Transformer: the browser demo.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on (default: 7860)")
    parser.add_argument("--checkpoint", default=str(CHECKPOINT), help="folder or Hub id of a trained model")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--mcp", action="store_true", help="also serve read_and_ask over the Model Context Protocol")
    args = parser.parse_args(argv)

    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from rmt_demo.reader import Reader  # torch and gradio take seconds to load; --help should not wait
    from rmt_demo.ui.layout import build, launch

    try:
        page = build(Reader.from_pretrained(args.checkpoint, args.device), _shown(args.checkpoint))
        launch(page, args.host, args.port, args.mcp)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _shown(checkpoint: str) -> str:
    """The checkpoint's name on the page: a folder inside this repository becomes relative to its root."""
    path, root = Path(checkpoint).resolve(), Path(__file__).parent.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else checkpoint


if __name__ == "__main__":
    sys.exit(main())
