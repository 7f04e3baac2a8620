"""What a killed or interrupted run goes on from: the folder `state`, and `run.json` beside it, which says whose folder
it is. A finished run's says `training.json`, too.

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
        ValueError: as `refuse_another`.
    """
    refuse_another(out, run)
    state = out / "state"
    if _old(state).exists() and not state.exists():  # killed between the two renames of `save`
        _old(state).rename(state)
    out.mkdir(parents=True, exist_ok=True)
    (out / "run.json").write_text(json.dumps(run, indent=1) + "\n")


def is_finished(out: Path, run: dict) -> bool:
    """Does `out` hold the checkpoint of this very run?"""
    made = out / "training.json"
    return made.exists() and not _differing(made, run)


def refuse_another(out: Path, run: dict) -> None:
    """Nothing is trained over.

    Raises:
        ValueError: if `out` holds another run, finished or not, or a checkpoint that came from elsewhere.
    """
    notes = (out / name for name in ("run.json", "training.json", "config.json"))
    note = next((note for note in notes if note.exists()), None)
    if note and (other := _differing(note, run)):
        raise ValueError(
            f"{out} holds a run with another {' and '.join(other)}: repeat its command to go on with it, choose "
            f"another --out, or remove {out} to start anew."
        )


def _differing(note: Path, run: dict) -> list[str]:
    """In what a run is another than the one that a file tells of."""
    try:
        held = json.loads(note.read_text())
    except ValueError as error:
        raise ValueError(f"{note} was cut off while it was written: remove {note.parent} to start anew.") from error
    return [name for name, value in ({"init": None} | run).items() if held.get(name) != value]


def save(accelerator: Accelerator, state: Path) -> None:
    """Save all there is to resume from, in every process.

    Raises:
        OSError: if it cannot be written.
    """
    if accelerator.is_main_process:
        _remove(_new(state), _old(state))  # what a kill has left
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(_new(state)))
    except RuntimeError as error:  # as torch calls a full disk
        raise OSError(f"{_new(state)} cannot be written ({error}): make room for it.") from error
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
