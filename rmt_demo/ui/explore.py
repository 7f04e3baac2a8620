"""Event handlers for the page's lower half: time travel, surgery and race."""

from collections.abc import Iterator

import gradio as gr
import torch

from .. import race
from ..attention import SegmentAttention, memory_attention, wrote
from ..framing import frame
from ..replay import Edit, Erase, Freeze, Noise, Swap, rerun, state_at
from ..trace import Trace
from . import views
from .handlers import Handlers
from .inputs import errors_shown, memory_tokens, plain
from .live_view import COLUMNS, pack
from .visits import Visit

ALL = 0  # layers, heads and memory tokens are numbered from 1 on the page; 0 is the mean of all of them
MOST_REREAD = 2_000  # segments
ACTIONS = [
    ("Erase: reset to the initial value", "erase"),
    ("Freeze: keep this value from here on", "freeze"),
    ("Swap two tokens", "swap"),
    ("Add noise", "noise"),
]
LANES = {  # {name of the lane in the race: label}
    race.RMT: "RMT: reads everything, answers from its memory tokens",
    race.SEGMENT: "The last segment only: same weights, no memory",
    race.WINDOW: "The longest window: same weights, as many tokens as its positions allow, no memory",
}


class Explore:
    """Time travel, surgery and race on a visitor's reading.

    Args:
        handlers: give access to the visits.
    """

    def __init__(self, handlers: Handlers):
        self.handlers, self.base = handlers, handlers.base

    def segments(self, request: gr.Request):
        """Set the slider's range to the segments read so far, at the first one with a fact (or else the last)."""
        visit = self.handlers.visit(request)
        first = next((at for _, at, _ in visit.facts), visit.reader.state.tokens_read)
        return self._slider(visit, first)

    def seek(self, event: gr.EventData, request: gr.Request):
        """Move the slider to the clicked position of the timeline."""
        visit = self.handlers.visit(request)
        if visit.text is None:
            return gr.skip()
        return self._slider(visit, int(float(event.share) * visit.text.tokens))

    def _slider(self, visit: Visit, token: int):
        """An update of the slider to the segment, numbered from 1, that contains a token of the text."""
        count = max(len(visit.trace), 1)
        return gr.update(maximum=max(count, 2), value=min(_segment_of(visit.trace, token) + 1, count))

    def look(self, segment: float, layer: int, head: int, token: int, request: gr.Request) -> dict:
        """Return a segment's text and the memory tokens' attention to it, for the segment view; without a segment, the
        title says why there is none."""
        visit = self.handlers.visit(request)
        if not len(visit.trace):
            return views.NO_SEGMENT | {"title": _why_no_segment(visit)}
        with errors_shown():
            visit, trace, index = self._at(segment, request)
            seen, ids = self._attention(visit, trace, index), trace.segment(index)
            weights = seen.to_text[..., 2:-1]  # [layers, heads, m, T]
            weights = weights.mean(0) if layer == ALL else weights[layer - 1]
            weights = weights.mean(0) if head == ALL else weights[head - 1]
            peak = max(weights.max().item(), 1e-9)
            began = int(trace.token_counts[:index].sum())
            ended = began + len(ids)
            title = f"Segment {index + 1:,} of {len(trace):,}: tokens {began + 1:,} to {ended:,}"
            if trace.tail and index + 1 == len(trace):
                title += f". Tokens {ended + 1:,} to {ended + len(trace.tail):,} do not fill a segment "
                title += "and are read only when a question is asked"
            line = f"The memory tokens gave {100 * wrote(seen):.0f}% of their attention to this text, the rest to each "
            line += "other and to special tokens."
            if self.base.config.memory_update == "gated":
                open_gates = int((trace.gates[index] > 0).sum())
                line += f" The write gate was at least partly open for {open_gates} of {len(weights)} memory tokens."
            return {
                "title": title,
                "line": line,
                "tokens": self.base.tokenizer.convert_ids_to_tokens(ids),
                "facts": [[at - began, end - began] for _, at, end in visit.facts if at < ended and end > began],
                "weights": pack(weights * (255 / peak)),
                "peak": peak,
                "rows": len(weights),
                "row": token - 1,  # -1: the mean of all
            }

    def ask(self, segment: float, question: str, request: gr.Request):
        """Answer from the memory as it was after a segment; returns an update of a gr.Label."""
        with errors_shown():
            visit, trace, index = self._at(segment, request)
            fork = visit.reader.fork()
            fork.restore(state_at(fork, trace, index + 1))
            return self.handlers.answer(visit, fork, question)

    def operate(
        self, segment: float, action: str, tokens: str, std: float, question: str, request: gr.Request
    ) -> Iterator[dict]:
        """Edit memory tokens ("1-4, 7") after a segment, read the rest again and compare; yields frames of the compare
        view."""
        with errors_shown():
            visit, trace, index = self._at(segment, request)
            visit.check_rest()
            start = index + 1
            if len(trace) - start > MOST_REREAD:
                raise ValueError(f"At most {MOST_REREAD:,} segments can be read again: choose a later segment.")
            chosen = memory_tokens(tokens, self.base.config.memory_size)
            edit = _edit(action, chosen, std)
            fork, run, question = visit.reader.fork(), visit.run, plain(question)
            untouched = visit.reader.fork().ask(question)
            steps = rerun(fork, trace, start, [edit])  # applies the edit at once, so an error leaves the view unchanged
            before = trace.update_norms.sum(-1)
            after = torch.full((len(trace),), -1.0)
            result = {"start": start / len(trace), "before": _line(before, before), "answers": []}
            holding = [_segment_of(trace, at) for _, at, _ in visit.facts]
            result["facts"] = [(index + 0.5) / len(trace) for index in holding if index < len(trace)]
            yield result | {"after": _line(after, before), "line": f"Reading on from segment {start + 1:,} …"}
            for number, step in enumerate(steps):
                after[start + number] = step.update_norm.sum()
                if visit.run != run:  # the visitor has started another reading or left
                    return
                if number % 20 == 0:
                    yield result | {
                        "after": _line(after, before),
                        "line": f"Read segment {start + number + 1:,} again …",
                    }
            operated = fork.ask(question)
            every = len(chosen) == self.base.config.memory_size
            named = "All memory tokens" if every else f"Memory tokens {tokens}"
            # The rerun starts from a memory stored in float16, so the last digits always differ.
            different = int(((after - before)[start:].abs() > 0.05 * before.max()).sum())
            answers = [
                _result(visit, fork, n, a, question) for n, a in (("Untouched", untouched), ("After surgery", operated))
            ]
            yield result | {
                "after": _line(after, before),
                "answers": answers,
                "line": f"{named}: {action} after segment {start:,}. {different:,} of the "
                f"{len(trace) - start:,} later segments changed the memory differently (by over 5% of the largest "
                "change).",
            }

    def race(self, question: str, request: gr.Request) -> dict:
        """Ask RMT, the last segment only and the longest window the same question, for the race view."""
        with errors_shown():
            visit = self.handlers.visit(request)
            visit.check_read()
            visit.check_rest()
            fork, end, question = visit.reader.fork(), [], plain(question)
            read = fork.state.tokens_read
            for index in range(len(visit.trace) - 1, -1, -1):
                if len(end) >= race.longest_input(fork):
                    break
                end = visit.trace.segment(index) + end
            lanes = race.race(fork, end + fork.tail, question, visit.read_seconds)
            return {
                "line": f"{read:,} tokens, one question: {question}",
                "facts": [at / read for _, at, _ in visit.facts if at < read],
                "lanes": [
                    _result(visit, fork, LANES[lane.name], lane.answer, question)
                    | {
                        "sees": lane.sees_tokens / read,
                        "read": lane.read_tokens / read,
                        "cost": (f"sees {lane.sees_tokens:,} tokens" if lane.sees_tokens else "sees only the memory")
                        + f", has read {lane.read_tokens:,} tokens · "
                        f"{lane.seconds:.2f} s measured · {lane.flops:.2g} FLOPs counted",
                    }
                    for lane in lanes
                ],
            }

    def _at(self, segment: float, request: gr.Request) -> tuple[Visit, Trace, int]:
        """The visit, its current trace (a new reading replaces it), and the index of a segment numbered from 1."""
        visit = self.handlers.visit(request)
        trace = visit.trace
        if not len(trace):
            raise ValueError(_why_no_segment(visit))
        return visit, trace, min(max(int(segment or 1), 1), len(trace)) - 1

    def _attention(self, visit: Visit, trace: Trace, index: int) -> SegmentAttention:
        """The attention in a segment; the latest one is cached."""
        seen = visit.seen
        if seen is None or seen[0] is not trace or seen[1] != index:
            memory = state_at(visit.reader, trace, index).memory
            framed, _ = frame([trace.segment(index)], self.base.config)
            seen = visit.seen = trace, index, memory_attention(self.base.model, framed, memory[None])
        return seen[2]


def _why_no_segment(visit: Visit) -> str:
    """A sentence that says why there is no segment to look at."""
    if visit.finished:
        return "The text is shorter than one segment, so nothing was written to memory: make it longer."
    return "No complete segment has been read yet: press Read first."


def _segment_of(trace: Trace, token: int) -> int:
    """The index of the segment that contains a token of the text; len(trace) if none does yet."""
    return int((trace.token_counts.cumsum(0) <= token).sum())


def _edit(action: str, tokens: list[int], std: float) -> Edit:
    if action == "noise":
        return Noise(tokens, float(std))
    kinds = {"erase": Erase, "freeze": Freeze, "swap": Swap}
    if action not in kinds:
        raise ValueError(f"There is no operation {str(action)[:40]!r}: choose one from the list.")
    return kinds[action](tokens)


def _line(values: torch.Tensor, scale: torch.Tensor) -> str:
    """Values [S], one for each segment, as COLUMNS bytes, 255 where there is none (below 0)."""
    columns = torch.full((COLUMNS,), -1.0)
    at = torch.arange(COLUMNS) * len(values) // COLUMNS
    if len(values) > COLUMNS:
        at = torch.arange(len(values)) * COLUMNS // len(values)
        columns.scatter_reduce_(0, at, values, "amax")
    else:
        columns = values[at]
    scaled = (columns / max(scale.max().item(), 1e-9) * 250).clamp(max=250)
    return pack(torch.where(columns < 0, 255.0, scaled))


def _result(visit: Visit, reader, name: str, answer, question: str) -> dict:
    """An answer as the compare and race views show it."""
    right = answer.is_right(visit.truth(question, reader.state.tokens_read))
    return {"name": name, "answer": answer.text, "score": answer.score, "right": right}
