"""Slots are filled one after another: a beam search, checked against a scripted head and by hand on a tiny model."""

from types import SimpleNamespace

import pytest
import torch
from tiny import tiny_tokenizer

from rmt_demo.answers import Answer, ask, fill, tidy
from rmt_demo.framing import frame
from rmt_demo.questions import THEREFORE, question_ids

CERTAIN = {"[SEP]": 1.0}


class Scripted:
    """A model that says what stands in a script: {pieces so far: {next piece: probability}}."""

    def __init__(self, config, tokenizer, script):
        self.config, self.tokenizer, self.script = config, tokenizer, script
        self.rmt, self.recall, self.batches = SimpleNamespace(cell=self.cell), lambda memory, *_: memory, []

    def modules(self):
        return []

    def cell(self, ids, memory, mask):
        assert len(ids) == len(memory) == len(mask)
        self.batches.append(len(ids))
        return ids[:, None].expand(-1, ids.shape[1], -1), None  # a hidden state is all of the segment

    def slot_logits(self, hidden):
        logits = torch.full((len(hidden), len(self.tokenizer)), -30.0)
        for row, ids in zip(logits, hidden.tolist(), strict=True):
            end = max(at for at, i in enumerate(ids) if i == self.config.sep_token_id)
            filled = [i for i in ids[end - self.config.num_answer_slots : end] if i != self.config.mask_token_id]
            said = self.script.get(" ".join(self.tokenizer.convert_ids_to_tokens(filled)), CERTAIN)
            for piece, p in said.items():
                row[self.tokenizer.convert_tokens_to_ids(piece)] = torch.tensor(p).log()
        return logits


@pytest.fixture
def scripted(make_model, tokenizer):
    """scripted(script, questions=1): the answers of a scripted model, and the model."""
    config = make_model().config

    def answer(script, questions=("Where is Mary?",)):
        model = Scripted(config, tokenizer, script)
        ids, mask = frame([question_ids(tokenizer, config, question) for question in questions], config)
        return fill(model, tokenizer.all_special_ids, ids, mask, torch.zeros(len(ids), 1, 1)), model

    return answer


def words(tokenizer, found):
    return {" ".join(tokenizer.convert_ids_to_tokens(ids)): p for ids, p in found.items()}


def test_each_piece_is_said_in_view_of_those_before_it(scripted, tokenizer):
    script = {"": {"red": 0.55, "blue": 0.45}, "red": {"key": 0.9, "[SEP]": 0.1}, "blue": {"[SEP]": 1.0}}
    [found], model = scripted(script)
    likely = {text: p for text, p in words(tokenizer, found).items() if p > 1e-3}
    assert likely == pytest.approx({"red key [SEP]": 0.495, "red [SEP]": 0.055, "blue [SEP]": 0.45}, abs=1e-4)
    assert model.batches == [1, 2, 1], "both beginnings are gone on with, and then the one that has not ended"


def test_an_answer_has_a_first_piece_and_fits_the_slots(scripted, tokenizer):
    [found], _ = scripted({"": {"[SEP]": 0.9, "red": 0.1}, "red": {"red": 1.0}, "red red": {"red": 1.0}})
    assert max(words(tokenizer, found).items(), key=lambda pair: pair[1]) == ("red red red", pytest.approx(1.0))


def test_what_is_unlikely_is_not_gone_on_with(scripted, tokenizer):
    [found], model = scripted({"": {"red": 0.995, "blue": 0.005}})
    assert model.batches == [1, 1] and set(words(tokenizer, found)) >= {"red [SEP]"}
    assert not any(text.startswith("blue") for text in words(tokenizer, found)), "half an answer is none"


def test_questions_together_are_answered_as_alone(make_model, tokenizer):
    model = make_model(num_memory_tokens=2, segment_length=64)
    config = model.config
    texts = [question_ids(tokenizer, config, q) for q in ("Where is Mary?", "Is the key red or is the key blue?")]
    memory = torch.randn(2, 2, model.rmt.memory.shape[1])
    together = ask(model, tokenizer, *frame(texts, config), memory)
    for number, (text, expected) in enumerate(zip(texts, together, strict=True)):
        [alone] = ask(model, tokenizer, *frame([text], config), memory[number : number + 1])
        assert alone.text == expected.text
        assert dict(alone.candidates) == pytest.approx(dict(expected.candidates), rel=1e-3)


def test_probabilities_by_hand(make_model, tokenizer):
    """The chain rule, with one forward pass for each piece."""
    model = make_model(segment_length=64)
    ids, mask = frame([question_ids(tokenizer, model.config, "Where is Mary?")], model.config)
    memory, first = model.rmt.initial_memory(1), ids.shape[1] - 1 - model.config.num_answer_slots
    [found] = fill(model, tokenizer.all_special_ids, ids, mask, memory)
    assert len(found) >= 5
    for pieces, given in list(found.items())[:5]:
        filled, expected = ids.clone(), 1.0
        for slot, piece in enumerate(pieces):
            with torch.no_grad():
                logits = model.slot_logits(model.rmt.cell(filled, memory, mask)[0][0, first + slot])
            special = [i for i in tokenizer.all_special_ids if slot == 0 or i != model.config.sep_token_id]
            logits[special] = -torch.inf
            expected *= logits.softmax(-1)[piece].item()
            filled[0, first + slot] = piece
        assert given == pytest.approx(expected, rel=1e-3)


def test_two_spellings_are_one_answer(scripted, tokenizer, monkeypatch):
    script = {"": {"o": 0.6, "red": 0.4}, "o": {"##r": 0.5, "[SEP]": 0.5}, "o ##r": {"##k": 1.0}}
    monkeypatch.setattr("rmt_demo.answers.fill", lambda *_: scripted(script)[0])
    monkeypatch.setattr("rmt_demo.answers.tidy", lambda text: {"o": "ork"}.get(text, text))
    monkeypatch.setattr("rmt_demo.answers.RMTForMaskedLM", Scripted)
    [answer] = ask(Scripted(None, tokenizer, {}), tokenizer, None, None, None)
    assert answer.candidates[:2] == [("ork", pytest.approx(0.6, abs=1e-4)), ("red", pytest.approx(0.4, abs=1e-4))]


def test_what_leads_to_an_answer_is_told_apart_from_it(make_model, monkeypatch):
    script = {"": {"mary": 0.6, "john": 0.3, "red": 0.1}, "mary": {THEREFORE: 1.0}, "john": {THEREFORE: 1.0}}
    script |= {f"mary {THEREFORE}": {"office": 0.5, "garden": 0.5}, f"john {THEREFORE}": {"garden": 1.0}}
    monkeypatch.setattr("rmt_demo.answers.RMTForMaskedLM", Scripted)
    config, tokenizer = make_model().config, tiny_tokenizer([THEREFORE])
    ids, mask = frame([question_ids(tokenizer, config, "Where is the key?")], config)
    [answer] = ask(Scripted(config, tokenizer, script), tokenizer, ids, mask, torch.zeros(1, 1, 1))
    likely = [("garden", pytest.approx(0.6, abs=1e-4)), ("office", pytest.approx(0.3, abs=1e-4))]
    assert answer.candidates[:2] == likely, "two ways to one answer"
    assert answer.thought in ("mary", "john") and answer.as_json("?")["thought"] == answer.thought
    assert "thought" not in Answer.best_of({"red": 1.0}).as_json("?")


def test_right_is_right_in_capitals_too():
    answer = Answer.best_of({"garden": 0.7, "attic": 0.3})
    assert (answer.text, answer.score) == ("garden", 0.7)
    assert answer.is_right("Garden") and not answer.is_right("attic") and answer.is_right(None) is None


@pytest.mark.parametrize(
    "pieces, text", [("7 : 45", "7:45"), ("o ' neil", "o'neil"), ("3 . 50", "3.50"), ("dr . smith", "dr. smith")]
)
def test_tidy(pieces, text):
    assert tidy(pieces) == text
