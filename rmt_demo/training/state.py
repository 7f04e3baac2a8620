"""What a killed or interrupted run goes on from: the folder `state`, and `run.json` beside it, which says whose state
it is.

A state is saved as `state-new` and takes its place by being renamed, so there is a whole one at every moment.
"""

import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import Accelerator


def begin(out: Path, run: dict) -> None:
    """Make `out` ready for a run, new or killed; for the main process only.

    Raises:
        ValueError: if there is a state, and it is another run's.
    """
    state, note = out / "state", out / "run.json"
    if _old(state).exists() and not state.exists():  # killed between the two renames of `save`
        _old(state).rename(state)
    if state.exists() and note.exists():
        saved = json.loads(note.read_text())
        if other := [name for name in run if saved.get(name) != run[name]]:
            raise ValueError(
                f"{out} holds an unfinished run with another {' and '.join(other)}: repeat its command to go on, "
                f"choose another --out, or delete {state} to start anew."
            )
    else:
        out.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(run, indent=1) + "\n")


def save(accelerator: Accelerator, state: Path) -> None:
    """Save all there is to resume from, in every process."""
    if accelerator.is_main_process:
        _remove(_new(state), _old(state))  # what a kill has left
    accelerator.wait_for_everyone()
    accelerator.save_state(str(_new(state)))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        if state.exists():
            state.rename(_old(state))
        _new(state).rename(state)
        _remove(_old(state))
    accelerator.wait_for_everyone()


def discard(state: Path) -> None:
    """Remove the state of a finished run."""
    _remove(_new(state), _old(state), state)


def _new(state: Path) -> Path:
    return state.with_name("state-new")


def _old(state: Path) -> Path:
    return state.with_name("state-old")


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def interrupts_wait(active: bool) -> Iterator[Callable[[], bool]]:
    """Keep Ctrl-C from cutting a step in two: yields a function that tells whether it was pressed. Pressed again, it
    works at once.

    Args:
        active: False leaves it as it always is, and so does another thread than the main one, which alone gets signals.
            Several processes would each hear of it at another step.
    """
    if not active or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = []

    def press(*signal_and_frame):
        if pressed:
            raise KeyboardInterrupt
        pressed.append(True)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)
