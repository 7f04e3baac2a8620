"""The browser demo:

python app.py                        # http://127.0.0.1:7860
python app.py --host 0.0.0.0         # for everybody on the network
"""

import argparse
import os
import sys
from pathlib import Path

CHECKPOINT = Path(__file__).parent / "checkpoints" / "rmt-minilm"


def main(argv: list[str] | None = None) -> int:
    """Start the demo; returns the exit code: 2 where the checkpoint, the device or the port is no good."""
    parser = argparse.ArgumentParser(description="Recurrent Memory Transformer: the browser demo.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="port to listen on (default: 7860)")
    parser.add_argument("--checkpoint", default=str(CHECKPOINT), help="folder or Hub id of a trained model")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    args = parser.parse_args(argv)

    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    from rmt_demo.reader import Reader  # torch and gradio take seconds to load; --help need not wait
    from rmt_demo.ui.layout import build, launch

    try:
        launch(build(Reader.from_pretrained(args.checkpoint, args.device)), args.host, args.port)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
