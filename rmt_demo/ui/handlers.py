"""Event handlers for the page's upper half: reading and asking, on a shared model."""

import random
import time
from collections.abc import Iterator

import gradio as gr

from ..data import corpora
from ..reader import Reader
from . import inputs, links, presets
from .inputs import errors_shown
from .visits import Visit, Visits

FRAME_SECONDS = 0.1  # minimum time between frames of up to FRAME_ROWS memory tokens; larger frames are rarer
FRAME_ROWS = 256
MOST_SHOWN = 60  # characters of the question in the answer's label
READING = {"concurrency_id": "reading", "concurrency_limit": 2}  # two visitors read at a time; others wait in the queue
ASKING = {"concurrency_id": "asking", "concurrency_limit": 2}


class Handlers:
    """The event handlers.

    Args:
        reader: forked for each visitor; it never reads anything itself.
    """

    def __init__(self, reader: Reader):
        self.base, self.visits = reader, Visits(reader)

    def visit(self, request: gr.Request) -> Visit:
        """The visit that a request belongs to."""
        return self.visits.of(request.session_hash)

    def read(
        self,
        name: str,
        pasted: str,
        upload: str | None,
        length: float,
        facts: list,
        seed: float,
        preset: str,
        questions: list[str],
        request: gr.Request,
    ) -> Iterator[dict]:
        """Read a haystack from the start; yields frames of the live view, at most ten per second."""
        visit = self.visit(request)
        called_off, visit.waiting = visit.waiting is False, None
        if called_off:
            yield {"line": "Stopped before the reading began."}
            return
        visit.halt, visit.run = "", visit.run + 1  # from here on Stop works, even while the text is being prepared
        yield {"line": "Preparing the text …"}  # a partial frame leaves the rest of the view unchanged
        with errors_shown():
            try:
                text = inputs.haystack(self.base, name, pasted, upload, facts, length, seed)
                pinned = inputs.pins(self.base, questions)
                # A visitor's own text may mention the same people, so the preset's answers need not hold.
                drawn = presets.matching(preset, text.seed, facts) if name in corpora.PACKAGED else None
            except ValueError as error:
                visit.halt = "stopped"
                yield {"line": str(error)}
                raise
            if inputs.foreign(self.base, text):
                gr.Warning("The model's vocabulary is English: it reads much of this text as [UNK].")
            rows = [[fact.text, fact.position] for fact in text.facts]
            settings = {"text": name, "length": text.length, "seed": text.seed, "facts": rows, "preset": preset}
            with visit.reading:
                visit.begin(text, pinned, drawn, settings)
            yield from self._run(visit)

    def resume(self, request: gr.Request) -> Iterator[dict]:
        """Continue a paused reading."""
        visit = self.visit(request)
        with errors_shown():
            if visit.text is None or visit.finished or visit.halt != "paused":
                raise ValueError("No reading is paused: press Read to start one.")
            visit.halt, visit.run = "", visit.run + 1
            yield from self._run(visit)

    def _run(self, visit: Visit) -> Iterator[dict]:
        """Read until the end, or until the reading is halted."""
        mine, view = visit.run, visit.view
        view.resume()
        yield view.frame(beliefs=visit.beliefs)
        shown = time.perf_counter()
        try:
            while self._step(visit, mine):
                if time.perf_counter() - shown >= FRAME_SECONDS * max(1, view.rows / FRAME_ROWS):
                    yield view.frame(beliefs=visit.beliefs)
                    shown = time.perf_counter()
        finally:  # also if the visitor has left
            if visit.run == mine:  # otherwise a newer run has restarted the clock
                view.pause()
        if visit.run == mine:
            visit.trace.tail = visit.reader.tail
            yield view.frame(visit.halt or "done", len(visit.reader.tail), visit.beliefs)

    def _step(self, visit: Visit, mine: int) -> bool:
        """Read one segment; False if the run `mine` is over."""
        with visit.reading:
            if visit.halt or visit.run != mine:
                return False
            step = next(visit.steps, None)
            if step is None:
                visit.finished = True
                visit.beliefs.ask(visit.reader)  # including the tail, which is not a full segment
                return False
            visit.read_seconds += step.seconds
            visit.trace.add(step)
            visit.view.add(step)
            visit.beliefs.after(step, visit.reader)
            return True

    def make_way(self, request: gr.Request) -> None:
        """Halt the current reading because a new one is requested. From here on, a halt cancels the new one."""
        visit = self.visit(request)
        visit.halt, visit.waiting = "stopped", True

    def pause(self, request: gr.Request) -> None:
        """Halt the reading after the current segment; it can be resumed."""
        self._halt(self.visit(request), "paused")

    def stop(self, request: gr.Request):
        """End the reading after the current segment; if it was paused, update the live view at once."""
        visit = self.visit(request)
        paused = visit.halt == "paused" and visit.text is not None and not visit.finished
        self._halt(visit, "stopped")
        return visit.view.frame("stopped", len(visit.reader.tail), visit.beliefs) if paused else gr.skip()

    def _halt(self, visit: Visit, why: str) -> None:
        """End the current reading after its segment, and cancel one that waits in the queue."""
        visit.halt = why
        if visit.waiting:
            visit.waiting = False

    def leave(self, request: gr.Request) -> None:
        """End the reading of a visitor who has closed the page, and free the place in the queue."""
        self.visits.leave(request.session_hash)

    def follow(self, questions: list[str], request: gr.Request) -> None:
        """Change the followed questions from the next segment on. Questions that a preset filled in are for the next
        reading and change nothing now."""
        visit = self.visit(request)
        with errors_shown():
            if questions != visit.offered:
                visit.offered = None  # the visitor may choose the same ones again
                visit.beliefs.follow(inputs.pins(self.base, questions))

    def ask(self, question: str, request: gr.Request):
        """Answer from the current memory without disturbing the reading. Returns an update of a gr.Label."""
        with errors_shown():
            visit = self.visit(request)
            visit.check_read()
            fork = visit.reader.fork()  # a snapshot, while another thread reads on
            return self.answer(visit, fork, question)

    def answer(self, visit: Visit, reader: Reader, question: str):
        """Ask a reader, and add whether the answer is right if the truth is known: an update of a gr.Label."""
        question = inputs.plain(question)
        state, answer = reader.state, reader.ask(question)
        likely = {text: p for text, p in answer.candidates if p >= 0.005} or dict(answer.candidates)
        truth = visit.truth(question, state.tokens_read)
        right = answer.is_right(truth)
        noted = {"question": question, "answer": answer.text, "score": answer.score, "truth": truth}
        visit.answers = (visit.answers + [noted | {"tokens_read": state.tokens_read}])[-inputs.MOST_QUESTIONS :]
        by = f", thought: “{answer.thought}”" if answer.thought else ""
        asked = question if len(question) <= MOST_SHOWN else question[:MOST_SHOWN] + "…"
        label = f"“{asked}” after {state.tokens_read:,} tokens{by}"
        if truth is not None:
            label += ": ✓ right" if right else f": ✗ wrong, so far the hidden facts say {truth}"
        return gr.update(value=likely, label=label)

    def draw(self, name: str, seed: float, request: gr.Request) -> tuple:
        """Draw a preset's facts and questions: updates of the table, the examples, the question and the pins."""
        with errors_shown():
            preset = presets.draw(name, inputs.chosen_seed(seed))
        visit, questions = self.visit(request), list(preset.queries)
        visit.drawn, visit.offered = preset.rows, questions[: inputs.MOST_PINS]
        return (
            preset.rows,
            gr.update(samples=[[question] for question in questions]),
            questions[0],
            gr.update(choices=questions, value=visit.offered),
        )

    def draw_another(self, name: str, request: gr.Request) -> tuple:
        """`draw` with a new seed; also returns the seed."""
        seed = random.randrange(1, 10_000)
        return *self.draw(name, seed, request), seed

    def redraw(self, name: str, seed: float, rows: list, request: gr.Request):
        """`draw` again for a new seed, unless the visitor has edited the facts."""
        if seed is None or rows != self.visit(request).drawn:
            return [gr.skip()] * 4
        return self.draw(name, seed, request)

    def add_fact(self, rows: list, sentence: str, position: float) -> tuple[list, str]:
        """Add a fact to the table, and empty the box for the next one."""
        with errors_shown():
            if not (sentence or "").strip():
                raise ValueError("Type a sentence first, such as 'Anna keeps the lamp in the attic.'")
            rows = [row for row in rows if row[0]] + [[sentence.strip(), position]]
            inputs.parse_facts(rows)
        return rows, ""

    def link(self, preset: str, name: str, length: float, seed: float, facts: list, questions: list[str] | None) -> str:
        """The set-up as the query string of a link."""
        with errors_shown():
            return links.query(self.base, links.SetUp(preset, name, length, seed, facts, questions or []))

    def restore(self, request: gr.Request):
        """Restore the set-up in the page's address: updates of preset, text, length, seed, facts, pins, question and
        examples."""
        with errors_shown():
            setup = links.restore(self.base, request.query_params.multi_items())
        if setup is None:
            return [gr.skip()] * 8
        preset = presets.draw(setup.preset, setup.seed)
        asked = list(dict.fromkeys([*setup.pins, *preset.queries]))
        self.visit(request).drawn = preset.rows
        return (
            setup.preset,
            setup.source,
            setup.length,
            setup.seed,
            setup.facts,
            gr.update(choices=asked, value=setup.pins),
            asked[0],
            gr.update(samples=[[question] for question in asked]),
        )
