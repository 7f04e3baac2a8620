import zipfile

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import tiny_text

from rmt_demo import Reader, Trace
from rmt_demo.trace import Pile

QUESTIONS = ["Where is Mary?", "Where is John?"]


@pytest.fixture(scope="module")
def make_trace(make_model, tokenizer):
    """A trace of a text of about 40 segments, the first question pinned from the start, the second from segment 3."""
    stores = {"memory_update": "gated", "spread_memory": True, "num_stored_tokens": 300}
    model = make_model(text_attends_memory=False, **stores)

    def make(**options):
        reader, trace, steps = Reader(model, tokenizer), Trace(**options), []
        trace.pin(QUESTIONS[0])
        for step in reader.read(tiny_text(900)):
            if step.index == 3:
                trace.pin(QUESTIONS[1])
            trace.add(step, reader.ask_many(trace.questions))
            steps.append(step)
        return trace, steps

    return make


def test_a_trace_holds_what_the_steps_said(make_trace):
    trace, steps = make_trace()
    assert len(trace) == len(steps) > 30
    assert trace.memories.dtype == torch.float16
    assert torch.equal(trace.memories, torch.stack([step.memory for step in steps]).half())
    assert torch.equal(trace.update_norms, torch.stack([step.update_norm for step in steps]))
    assert torch.equal(trace.gates, torch.stack([step.gate for step in steps]))
    assert trace.token_counts.tolist() == [len(step.tokens) for step in steps]
    assert [trace.segment(i) for i in range(len(trace))] == [step.ids for step in steps]
    assert trace.token_ids.dtype == torch.int32 and trace.token_ids.tolist() == sum((s.ids for s in steps), [])
    first, second = (trace.beliefs[question] for question in QUESTIONS)
    assert [belief["segment"] for belief in first] == list(range(len(steps)))
    assert [belief["segment"] for belief in second] == list(range(3, len(steps))), "a belief from before it was pinned"


def same(one, other):
    names = ("memories", "memory_segments", "update_norms", "gates", "token_counts", "token_ids")
    assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in names)
    assert (one.questions, one.beliefs, one.tail) == (other.questions, other.beliefs, other.tail)
    assert one.model == other.model


@pytest.mark.parametrize("max_memories", [2048, 8])
def test_round_trip_and_going_on(make_trace, tmp_path, max_memories):
    trace, steps = make_trace(max_memories=max_memories)
    trace.tail, trace.model = [7, 8, 9], 12345
    trace.save(tmp_path / "deep" / "folder")
    saved = load_file(tmp_path / "deep" / "folder" / "trace.safetensors")["memories"]
    assert saved[-1].any() and saved.shape[1] < trace.memories.shape[1], "stored tokens that were never used"
    loaded = Trace.load(tmp_path / "deep" / "folder")
    same(loaded, trace)
    trace.questions.clear()
    loaded.questions.clear()
    for step in steps:
        trace.add(step)
        loaded.add(step)
    same(loaded, trace)
    assert trace.tail == [], "the tail of an earlier end was kept"


def test_a_zip_of_the_files_will_do(make_trace, tmp_path):
    trace, _ = make_trace()
    trace.save(tmp_path)
    with zipfile.ZipFile(tmp_path / "run.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("trace.safetensors", "trace.json"):
            archive.write(tmp_path / name, name)
        archive.writestr("settings.json", "{}")
    same(Trace.load(tmp_path / "run.zip"), trace)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("settings.json", "{}")
    with pytest.raises(ValueError, match="other.zip holds no trace"):
        Trace.load(tmp_path / "other.zip")


def test_the_latest_memory_before_a_segment(make_trace):
    trace, steps = make_trace(max_memories=8)
    assert trace.memory_before(0) is None
    kept = set(trace.memory_segments.tolist())
    for segment in range(1, len(steps) + 1):
        read, memory = trace.memory_before(segment)
        assert read == 1 + max(last for last in kept if last < segment)
        assert torch.equal(memory, steps[read - 1].memory.half())


def test_a_pile_is_one_block_however_many_tensors_are_in_it():
    tensors = [torch.full((n % 4, 3), float(n)) for n in range(200)]
    pile = Pile(tensors[:2])
    for tensor in tensors[2:]:
        pile.add(tensor)
    assert len(pile) == 200 and all(map(torch.equal, pile, tensors)) and torch.equal(pile[7], tensors[7])
    blocks = {part.untyped_storage().data_ptr() for part in pile if len(part)}
    assert len(blocks) == 1, "each small tensor by itself keeps the memory around it from being used again"


def test_an_empty_trace_round_trips(tmp_path):
    Trace().save(tmp_path)
    assert len(Trace.load(tmp_path)) == 0


def test_long_traces_are_thinned_evenly(make_trace):
    trace, steps = make_trace(max_memories=8)
    kept = trace.memory_segments.tolist()
    assert 4 <= len(kept) <= 8 and kept[0] == 0
    gaps = {b - a for a, b in zip(kept, kept[1:], strict=False)}
    assert len(gaps) == 1, f"memories are kept at uneven gaps: {kept}"
    assert torch.equal(trace.memories, torch.stack([steps[i].memory for i in kept]).half())
    assert len(trace.update_norms) == len(trace.gates) == len(steps), "norms and gates are kept of every segment"


def test_large_memories_are_thinned_too(make_trace, monkeypatch, tmp_path):
    whole = make_trace()[0].memories[0].nbytes
    monkeypatch.setattr("rmt_demo.trace.MOST_BYTES", 5 * whole)
    trace, steps = make_trace()
    gap = trace.memory_segments[1].item()
    assert 2 <= len(trace.memories) < len(steps) // 2 and trace.memory_segments.tolist() == [*range(0, len(steps), gap)]
    trace.save(tmp_path)
    same(Trace.load(tmp_path), trace)


def test_mistakes_are_named(make_trace, tmp_path):
    trace, steps = make_trace()
    with pytest.raises(ValueError, match="2 questions are pinned"):
        trace.add(steps[0])
    with pytest.raises(ValueError, match="holds no trace"):
        Trace.load(tmp_path)
    (tmp_path / "trace.safetensors").write_bytes(b"junk")
    with pytest.raises(ValueError, match="holds no trace"):
        Trace.load(tmp_path)


def test_traces_without_token_ids_and_torn_ones_are_named(make_trace, tmp_path):
    make_trace()[0].save(tmp_path)
    file = tmp_path / "trace.safetensors"
    tensors = load_file(file)
    save_file(tensors | {"token_ids": tensors["token_ids"][1:].clone()}, file)
    with pytest.raises(ValueError, match="holds no trace"):
        Trace.load(tmp_path)
    del tensors["token_ids"]
    save_file(tensors, file)
    with pytest.raises(ValueError, match="older format without token ids: record it again"):
        Trace.load(tmp_path)
