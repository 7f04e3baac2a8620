"""Going back in a recorded reading is exact, and surgery does to the memory what it says."""

import dataclasses

import pytest
import torch
from tiny import tiny_text
from torch.testing import assert_close

from rmt_demo import Erase, Freeze, Noise, Reader, Swap, Trace, backbones, rerun, state_at
from rmt_demo.replay import operate

M = 4  # memory tokens of the tiny model
QUESTION = "Where is Mary?"


@pytest.fixture(scope="module")
def reader(make_model, tokenizer):
    """A reader that has read a text of about 40 segments and a tail."""
    return Reader(make_model(memory_update="gated", text_attends_memory=False), tokenizer)


@pytest.fixture(scope="module")
def record(reader):
    """record(max_memories): the trace of a reading, and the reader's states after 0, 1, 2 ... segments."""

    def make(max_memories=2048):
        reader.reset()
        trace, states = Trace(max_memories), [reader.state]
        for step in reader.read(tiny_text(900)):
            trace.add(step)
            states.append(reader.state)
        trace.tail = reader.tail
        assert len(trace) > 30 and trace.tail, "this text should be many segments and a tail"
        states[-1] = reader.state
        return trace, states

    return make


def memories(steps):
    return torch.stack([step.memory for step in steps])


@pytest.mark.parametrize("max_memories", [2048, 8])
def test_the_state_after_any_segment(reader, record, max_memories):
    """Memories are kept in float16, so a state is as exact as that; the beginning is exact."""
    trace, states = record(max_memories)
    before = reader.state
    for segments, expected in enumerate(states):
        state = state_at(reader, trace, segments)
        assert_close(state.memory, expected.memory, atol=5e-3, rtol=1e-2, msg=f"the state after {segments} segments")
        found = (state.tail, state.segments_read, state.tokens_read)
        assert found == (expected.tail, expected.segments_read, expected.tokens_read)
    assert torch.equal(state_at(reader, trace, 0).memory, states[0].memory)
    assert torch.equal(reader.state.memory, before.memory), "looking back changed the reader"


def test_without_edits_the_same_is_read_again(reader, record):
    trace, states = record()
    fork = reader.fork()
    steps = list(rerun(fork, trace))
    assert torch.equal(memories(steps).half(), trace.memories)
    assert [step.ids for step in steps] == [trace.segment(i) for i in range(len(trace))]
    end = fork.state
    assert torch.equal(end.memory, states[-1].memory)
    assert (end.tail, end.tokens_read) == (states[-1].tail, states[-1].tokens_read), "the tail is missing"
    assert fork.ask(QUESTION) == reader.ask(QUESTION)
    assert [step.index for step in rerun(fork, trace, 30)] == list(range(30, len(trace)))


def test_frozen_tokens_never_move(reader, record):
    trace, _ = record()
    fork = reader.fork()
    steps = list(rerun(fork, trace, 3, [Freeze(range(M))]))
    held = state_at(reader, trace, 3).memory
    assert len(steps) == len(trace) - 3
    assert all(torch.equal(step.memory, held) for step in steps), "a frozen token moved"
    assert all(not step.update_norm.any() and not step.gate.any() for step in steps)
    assert torch.equal(fork.state.memory, held) and fork.state.tail == tuple(trace.tail)

    some = list(rerun(fork, trace, 3, [Freeze([1])]))
    assert all(torch.equal(step.memory[1], held[1]) for step in some), "the frozen token moved"
    assert any(step.update_norm[0] for step in some), "a token that is not frozen stood still"


def test_a_frozen_token_is_not_stored_again_and_again(make_model, tokenizer):
    """What a working token holds is stored when others are written; a frozen one is still there afterwards."""
    config = {"memory_update": "gated", "text_attends_memory": False, "spread_memory": True, "num_stored_tokens": 40}
    reader, trace = Reader(make_model(**config), tokenizer), Trace()
    for step in reader.read(tiny_text(100)):
        trace.add(step)
    held = state_at(reader, trace, 2).memory
    *_, last = rerun(reader.fork(), trace, 2, [Freeze([1, M])])
    assert torch.equal(last.memory[1], held[1]) and torch.equal(last.memory[M], held[M])
    same = (last.memory[:, None] == last.memory).all(-1) & last.memory.any(-1)
    assert same.sum() == last.memory.any(-1).sum() > 8, "something stands there twice"


def test_frozen_tokens_keep_what_surgery_gave_them(reader, record):
    trace, _ = record()
    initial = reader.model.rmt.memory.detach()
    for step in rerun(reader.fork(), trace, 5, [Erase([0]), Freeze([0])]):
        assert torch.equal(step.memory[0], initial[0])


def test_surgery_does_what_it_says(reader, record):
    trace, states = record()
    state, initial = states[7], reader.model.rmt.memory.detach()
    before = state.memory.clone()

    erased = operate(reader, state, [Erase([1, 3])]).memory
    assert torch.equal(erased[[1, 3]], initial[[1, 3]]) and torch.equal(erased[[0, 2]], before[[0, 2]])

    swapped = operate(reader, state, [Swap((0, 2))])
    assert torch.equal(swapped.memory, before[[2, 1, 0, 3]])
    assert torch.equal(operate(reader, swapped, [Swap((0, 2))]).memory, before), "swapping twice is the identity"

    noisy = operate(reader, state, [Noise([2], std=0.5, seed=1)]).memory
    assert torch.equal(noisy, operate(reader, state, [Noise([2], std=0.5, seed=1)]).memory)
    assert not torch.equal(noisy, operate(reader, state, [Noise([2], std=0.5, seed=2)]).memory), "the seed is ignored"
    assert torch.equal(noisy[[0, 1, 3]], before[[0, 1, 3]]), "noise on tokens that were not chosen"
    share = (noisy[2] - before[2]).norm() / before[2].norm()
    assert 0.3 < share < 0.7, f"the noise is {share:.2f} times as long as the token, not about 0.5"

    assert torch.equal(operate(reader, state, [Freeze([0])]).memory, before)
    assert torch.equal(state.memory, before), "surgery on a state changed the state"
    assert operate(reader, state, []).tokens_read == state.tokens_read


def test_surgery_changes_what_is_read_and_answered(reader, record):
    trace, _ = record()
    fork = reader.fork()
    steps = list(rerun(fork, trace, len(trace) - 2, [Erase(range(M)), Noise(range(M), std=3.0)]))
    assert not torch.equal(memories(steps).half(), trace.memories[-2:])
    assert fork.ask(QUESTION).candidates != reader.ask(QUESTION).candidates


@pytest.mark.parametrize(
    "edit, words",
    [
        (Erase([4]), "memory tokens 0 to 3: there is no token 4"),
        (Freeze([-1]), "no token -1"),
        (Swap((0, 9)), "no token 9"),
        (Swap((0, 1, 2)), "Swap takes exactly two memory tokens, not 3"),
        (Noise([0], std=-1), "standard deviation"),
        (Noise([0], std=float("nan")), "standard deviation"),
    ],
)
def test_wrong_edits_are_one_sentence(reader, record, edit, words):
    trace, _ = record()
    fork = reader.fork()
    with pytest.raises(ValueError, match=words):
        rerun(fork, trace, 2, [edit])
    assert torch.equal(fork.state.memory, reader.state.memory), "a refused edit changed the reader"


def test_wrong_traces_are_one_sentence(reader, record, make_model, tokenizer):
    trace, _ = record()
    for segments in (-1, len(trace) + 1):
        with pytest.raises(ValueError, match=f"choose 0 to {len(trace)}, not {segments}"):
            state_at(reader, trace, segments)
    other = Reader(make_model(num_memory_tokens=3), tokenizer)
    with pytest.raises(ValueError, match=r"memory is \(3, 32\)"):
        state_at(other, trace, 5)
    trace.model = backbones.checksum(reader.model)
    assert state_at(reader, trace, 5).segments_read == 5
    alike = Reader(make_model(seed=1, memory_update="gated", text_attends_memory=False), tokenizer)
    with pytest.raises(ValueError, match="read by another model: give the checkpoint"):
        state_at(alike, trace, 5)


def test_edits_are_values():
    assert Erase((1, 2)) == Erase((1, 2)) and Erase((1,)) != Freeze((1,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Erase((1,)).tokens = (2,)
