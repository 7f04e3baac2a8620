"""Save and resume training runs. The output folder holds the folder `state`, and `run.json`, which identifies the run;
when the run is finished, `training.json` does so too.

A state is written to `state-new` and then renamed, so there is a complete state at every moment.
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
    """Prepare `out` for a new or resumed run; call this in the main process only.

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
    """Whether `out` holds the checkpoint of exactly this run."""
    made = out / "training.json"
    return made.exists() and not _differing(made, run)


def refuse_another(out: Path, run: dict) -> None:
    """Refuse to overwrite another run.

    Raises:
        ValueError: if `out` holds another run, finished or not, or a checkpoint from elsewhere.
    """
    notes = (out / name for name in ("run.json", "training.json", "config.json"))
    note = next((note for note in notes if note.exists()), None)
    if note and (other := _differing(note, run)):
        raise ValueError(
            f"{out} holds a run with another {' and '.join(other)}: repeat its command to continue it, choose "
            f"another --out, or remove {out} to start over."
        )


def _differing(note: Path, run: dict) -> list[str]:
    """The names of the settings in which `run` differs from the run described in the file `note`."""
    try:
        held = json.loads(note.read_text())
    except ValueError as error:
        raise ValueError(f"{note} is incomplete: remove {note.parent} to start over.") from error
    return [name for name, value in ({"init": None} | run).items() if held.get(name) != value]


def save(accelerator: Accelerator, state: Path) -> None:
    """Save everything needed to resume; call this in every process.

    Raises:
        OSError: if it cannot be written.
    """
    if accelerator.is_main_process:
        _remove(_new(state), _old(state))  # leftovers of a killed run
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(_new(state)))
    except RuntimeError as error:  # what torch raises when the disk is full
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
    """Delay Ctrl-C to the end of a training step: yields a function that tells whether it was pressed. A second Ctrl-C
    interrupts at once.

    Args:
        active: False leaves Ctrl-C as it is. Pass False with several processes: each would see the signal at another
            step. Outside the main thread, which alone receives signals, Ctrl-C is always left as it is.
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
