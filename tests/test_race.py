"""The three readers see what the race says they see, and no more."""

import pytest
import torch
from tiny import tiny_text

from rmt_demo import Reader, RMTForMaskedLM, answers
from rmt_demo.evaluation.cost import Shape, full_attention_flops
from rmt_demo.questions import question_ids
from rmt_demo.race import longest_input, race

TEXT = tiny_text(900)
QUESTION = "Where is Mary?"
VARIANTS = {
    "masked_lm": {"memory_update": "gated", "text_attends_memory": False, "cut_at_sentences": True},
    "classification": {},
}


@pytest.fixture(scope="module", params=VARIANTS)
def reader(request, make_model, tokenizer):
    """32-token segments, 25 of them text, on a backbone with 128 positions."""
    return Reader(make_model(request.param, **VARIANTS[request.param]), tokenizer)


def ids_of(reader, text):
    return reader.tokenizer(text, add_special_tokens=False)["input_ids"]


def run(reader, text, question=QUESTION):
    """The race on a text, its reading taken to last 100 seconds."""
    done = reader.fork()
    for _ in done.read(text):
        pass
    return race(done, ids_of(reader, text), question, read_seconds=100)


def told(lanes):
    """All that is not a time."""
    return [(lane.name, lane.sees_tokens, lane.read_tokens, lane.answer, lane.flops) for lane in lanes]


def test_what_each_reader_sees(reader):
    before = reader.state
    rmt, segment, window = run(reader, TEXT)
    alone = reader.fork()
    for _ in alone.read(TEXT):
        pass
    asked = len(question_ids(reader.tokenizer, reader.config, QUESTION))
    assert (rmt.name, segment.name, window.name) == ("RMT", "one segment", "longest window")
    assert rmt.read_tokens == len(ids_of(reader, TEXT)) and rmt.answer == alone.ask(QUESTION)
    beside = len(alone.tail) + asked <= 25 and not reader.config.asks_alone
    assert rmt.sees_tokens == (len(alone.tail) if beside else 0)
    assert segment.sees_tokens == segment.read_tokens == 25 - asked
    assert window.sees_tokens == window.read_tokens == 128 - 4 - 3 - asked
    assert rmt.flops > window.flops > segment.flops and rmt.seconds > 100 > segment.seconds > 0
    assert torch.equal(reader.state.memory, before.memory), "a race changed the reader"


def test_only_the_end_counts_for_those_without_memory(reader):
    one, other = (run(reader, tiny_text(300, seed=seed) + " " + TEXT[-2000:]) for seed in (1, 2))
    assert told(one)[1:] == told(other)[1:], "a reader without memory knew what stood before its window"
    assert one[0].answer.candidates != other[0].answer.candidates, "RMT did not notice another text"


def test_the_longest_window_by_hand(reader):
    """Wider than the config allows: straight through the backbone's cell and the head."""
    model, config = reader.model, reader.config
    asked = question_ids(reader.tokenizer, config, QUESTION)
    seen = ids_of(reader, TEXT)[-(128 - 7 - len(asked)) :]
    ids = torch.tensor([[config.cls_token_id, *seen, *asked, config.sep_token_id]])
    with torch.no_grad():
        if isinstance(model, RMTForMaskedLM):
            memory = model.rmt.initial_memory(1)
            [expected] = answers.ask(model, reader.tokenizer, ids, torch.ones_like(ids), memory)
        else:
            hidden = model.rmt.cell(ids, model.rmt.initial_memory(1))[0]
            expected = answers.place(model.classifier(hidden[:, 0])[0])
    window = run(reader, TEXT)[2]
    assert window.answer.text == expected.text
    assert window.answer.score == pytest.approx(expected.score, rel=1e-3)


def test_a_short_text_is_seen_by_all(reader):
    rmt, segment, window = run(reader, "mary went back to the garden.")
    asked = len(question_ids(reader.tokenizer, reader.config, QUESTION))
    shape = Shape(2, 32, 4, 64, 0)
    flops = full_attention_flops(shape, 7 + asked + 4 + 3)
    assert (segment.sees_tokens, window.sees_tokens, window.flops) == (7, 7, flops)
    assert rmt.answer.text == segment.answer.text, "the same input got different answers"
    if reader.config.asks_alone:  # the text first, then the question
        flops = full_attention_flops(shape, 7 + 4 + 3) + full_attention_flops(shape, asked + 4 + 3)
        assert (rmt.sees_tokens, rmt.flops, segment.flops) == (0, flops, flops)
    else:
        assert (rmt.sees_tokens, rmt.flops, segment.flops) == (7, flops, flops)
        assert rmt.answer.text == window.answer.text


def test_a_question_that_fills_the_segment_leaves_no_room_for_text(reader):
    question = "is it red " * ((25 - reader.config.num_answer_slots) // 3)
    room = 25 - len(question_ids(reader.tokenizer, reader.config, question))
    assert run(reader, TEXT, question)[1].sees_tokens == room
    full = question + "key " * room
    rmt, segment, _ = run(reader, TEXT, full)
    assert segment.sees_tokens == 0 == rmt.sees_tokens, "text was seen where there is no room for any"


def test_mistakes_are_one_sentence(reader):
    with pytest.raises(ValueError, match="no text to race on"):
        run(reader, "")
    with pytest.raises(ValueError, match="question is empty"):
        run(reader, TEXT, " ")


def test_positions_of_the_backbone(reader):
    assert longest_input(reader) == 128
