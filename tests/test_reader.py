"""The Reader promises: chunks don't matter, questions leave no mark, states are exact, errors are one sentence."""

import dataclasses
import json
import random
import threading

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import tiny_backbone, tiny_text
from torch.testing import assert_close

from rmt_demo import Reader
from rmt_demo.answers import ask
from rmt_demo.data.tasks import PLACES
from rmt_demo.questions import question_ids

TEXT = tiny_text(900)
QUESTION = "Where is Mary?"
PARALLEL = {"text_attends_memory": False, "memory_update": "gated", "cut_at_sentences": True}
VARIANTS = {"paper": {}, "parallel": PARALLEL}


@pytest.fixture(scope="module", params=VARIANTS)
def make(request, make_model, tokenizer):
    """A function that makes a fresh Reader; all of them share one model."""
    model = make_model(**VARIANTS[request.param])
    return lambda: Reader(model, tokenizer)


def consume(reader, text):
    """Read a text (or several, one after the other) and return the reader."""
    for part in [text] if isinstance(text, str) else text:
        for _ in reader.read(part):
            pass
    return reader


def assert_same_state(one, other, why):
    assert torch.equal(one.memory, other.memory), f"{why}: the memories differ"
    assert one.tail == other.tail, f"{why}: the tails differ"
    assert one.segments_read == other.segments_read and one.tokens_read == other.tokens_read, why


def test_chunks_change_nothing(make):
    whole = consume(make(), TEXT).state
    assert whole.segments_read > 30 and whole.tail, "this text should be many segments and a tail"
    for largest in (1, 7, 5000):
        rng, chunks, at = random.Random(largest), [], 0
        while at < len(TEXT):
            chunks.append(TEXT[at : at + rng.randint(1, largest)])
            at += len(chunks[-1])
        assert_same_state(consume(make(), [iter(chunks)]).state, whole, f"chunks of up to {largest} characters")


def test_reading_in_several_calls_changes_nothing(make):
    whole = consume(make(), TEXT).state
    words = TEXT.split(" ")
    calls = [" ".join(words[start : start + 11]) for start in range(0, len(words), 11)]
    assert_same_state(consume(make(), calls).state, whole, "a read call for every 11 words")


def test_steps_are_those_of_the_memory_cell(make):
    """One segment after another by hand, straight from the cell's contract."""
    reader = make()
    cell, config = reader.model.rmt.cell, reader.config
    memory = reader.model.rmt.initial_memory(1)
    for step in reader.read(TEXT):
        ids = reader.tokenizer.convert_tokens_to_ids(step.tokens)
        framed = torch.tensor([[config.cls_token_id, *ids, config.sep_token_id]])
        with torch.no_grad():
            new = cell(framed, memory, text_sees_memory=config.text_attends_memory)[1]
            written, gate = reader.model.rmt.write(memory, new)
        assert_close(step.memory, written[0], atol=1e-4, rtol=1e-4)
        assert_close(step.update_norm, (written - memory)[0].norm(dim=-1), atol=1e-3, rtol=1e-3)
        assert_close(step.gate, gate[0], atol=1e-4, rtol=1e-4)
        memory = written


def test_steps_count_segments_and_tokens(make):
    reader = make()
    steps = list(reader.read(TEXT))
    assert [step.index for step in steps] == list(range(len(steps)))
    assert reader.state.tokens_read == sum(len(step.tokens) for step in steps) + len(reader.tail)
    assert reader.state.tokens_read == len(reader.tokenizer(TEXT, add_special_tokens=False)["input_ids"])


def test_asking_leaves_no_mark_and_is_repeatable(make):
    reader, silent = make(), make()
    for step, _ in zip(reader.read(TEXT), silent.read(TEXT), strict=True):
        if step.index % 10 == 0:
            before = reader.state
            assert reader.ask(QUESTION) == reader.ask(QUESTION), "the same question of the same memory got two answers"
            assert_same_state(reader.state, before, "asking")
    assert_same_state(reader.state, silent.state, "reading on after questions")


def test_questions_asked_together_are_answered_as_alone(make):
    """Of different lengths, some of which fit beside the tail and some do not."""
    reader = make()
    questions = [QUESTION, "Who?", "Where was the red key that Daniel found in the garden?"]
    for words in (30, 40, 46):
        consume(reader, " ".join(["key"] * words))
        for together, question in zip(reader.ask_many(questions), questions, strict=True):
            alone = reader.ask(question)
            assert together.text == alone.text, f"{question!r} after a tail of {len(reader.tail)} tokens"
            assert together.score == pytest.approx(alone.score, rel=1e-3)
        reader.reset()
    assert reader.ask_many([]) == []


def test_the_question_sees_memory_and_tail(make, tokenizer):
    """An answer is the head's on [CLS] tail question [SEP]; a tail too long for that, or one that the model has not
    learned to see beside a question, goes through the memory first."""
    reader = make()
    config = reader.config
    asked = question_ids(tokenizer, config, QUESTION)
    for words in (30, 48):
        consume(reader, " ".join(["key"] * words))
        state, model = reader.state, reader.model
        memory, tail = state.memory[None], list(state.tail)
        with torch.no_grad():
            if config.asks_alone or len(tail) + len(asked) > config.text_capacity:
                framed = torch.tensor([[config.cls_token_id, *tail, config.sep_token_id]])
                new = model.rmt.cell(framed, memory, text_sees_memory=config.text_attends_memory)[1]
                memory, tail = model.rmt.write(memory, new)[0], []
        last = torch.tensor([[config.cls_token_id, *tail, *asked, config.sep_token_id]])
        [expected], given = ask(model, tokenizer, last, torch.ones_like(last), memory), reader.ask(QUESTION)
        assert given.text == expected.text
        assert given.score == pytest.approx(expected.score, rel=1e-3)
        reader.reset()


def test_a_model_in_training_is_read_with_as_it_is_and_left_so(make_model, tokenizer):
    model = make_model(**PARALLEL)
    wanted = consume(Reader(model, tokenizer), TEXT)
    model.train().backbone.eval()
    modes = [module.training for module in model.modules()]
    reader = Reader(model, tokenizer)
    for _ in reader.read(TEXT):
        assert [module.training for module in model.modules()] == modes, "whoever has the step may train with it"
    assert_same_state(reader.state, wanted.state, "in training")
    assert reader.ask(QUESTION) == wanted.ask(QUESTION), "dropout or sampled gates"
    assert [module.training for module in model.modules()] == modes


@pytest.mark.parametrize(
    "go",
    [Reader.reset, lambda reader: reader.restore(reader.state), lambda reader: consume(reader, "garden garden.")],
    ids=["reset", "restore", "read"],
)
def test_a_reading_does_not_go_on_where_the_reader_no_longer_is(make, go):
    reader = make()
    reading = reader.read(TEXT)
    next(reading)
    reader.fork().reset()  # a fork goes its own way
    next(reading)
    go(reader)
    there = reader.state
    with pytest.raises(ValueError, match="used for something else meanwhile: finish one reading, or fork the reader"):
        next(reading)
    assert_same_state(reader.state, there, "going on in vain")


def test_a_memory_with_a_nan_is_refused(make):
    state = make().state
    state.memory[0, 0] = torch.nan
    with pytest.raises(ValueError, match="NaN or infinite numbers: use the state of a reader"):
        make().restore(state)


def test_restore_rewinds_exactly(make):
    reader = consume(make(), TEXT[:3000])
    state = reader.state
    later = consume(reader, TEXT[3000:]).state
    reader.restore(state)
    assert_same_state(reader.state, state, "restore")
    assert_same_state(consume(reader, TEXT[3000:]).state, later, "reading the same again after restore")


def test_states_and_steps_are_copies(make):
    reader = consume(make(), TEXT[:2000])
    state, before = reader.state, reader.state.memory.clone()
    state.memory.zero_()
    assert torch.equal(reader.state.memory, before), "editing a state changed the reader it came from"
    reader.restore(state)
    state.memory.fill_(1)
    assert not reader.state.memory.any(), "editing a state changed the reader that was restored to it"
    initial = reader.model.rmt.memory.detach().clone()
    for step in reader.read(TEXT[:2000]):
        after = reader.state.memory
        step.memory.zero_()
        assert torch.equal(reader.state.memory, after), "editing a step's memory changed the reader"
    assert torch.equal(reader.model.rmt.memory, initial), "reading changed the learned initial memory"


def test_edited_memory_is_used(make):
    reader = consume(make(), TEXT[:3000])
    answer = reader.ask(QUESTION)
    reader.restore(dataclasses.replace(reader.state, memory=torch.randn_like(reader.state.memory) * 5))
    assert reader.ask(QUESTION).candidates != answer.candidates, "the answer does not depend on the memory"
    with pytest.raises(ValueError, match=r"\(4, 32\)"):
        reader.restore(dataclasses.replace(reader.state, memory=torch.zeros(3, 32)))


def test_fork_and_reset(make):
    reader = consume(make(), TEXT[:2000])
    before = reader.state
    fork = consume(reader.fork(), TEXT[2000:])
    assert_same_state(reader.state, before, "what a fork reads")
    assert_same_state(consume(reader, TEXT[2000:]).state, fork.state, "a fork's reading")
    reader.reset()
    assert_same_state(reader.state, make().state, "reset")


def test_stopping_leaves_the_reader_after_the_last_step(make):
    reader, steps = make(), []
    for step in reader.read(TEXT):
        steps.append(step)
        if len(steps) == 5:
            break
    state = reader.state
    assert torch.equal(state.memory, steps[-1].memory) and state.segments_read == 5 and state.tail == ()
    assert state.tokens_read == sum(len(step.tokens) for step in steps)


@pytest.mark.parametrize("group", [3, 8])
def test_encoding_segments_together_changes_no_answer(make_model, tokenizer, group):
    """As on a GPU: segments of different lengths are padded and encoded in one batch."""
    model = make_model(**PARALLEL)
    single, grouped = Reader(model, tokenizer), Reader(model, tokenizer)
    grouped._group = group
    for one, other in zip(single.read(TEXT), grouped.read(TEXT), strict=True):
        assert_close(one.memory, other.memory, atol=1e-4, rtol=1e-4)
    assert single.ask(QUESTION).score == pytest.approx(grouped.ask(QUESTION).score, rel=1e-3)


def test_segments_are_read_like_their_text(make):
    reader = make()
    steps = list(reader.read(TEXT))
    again = make()
    for step, other in zip(steps, again.read_segments(step.ids for step in steps), strict=True):
        assert torch.equal(step.memory, other.memory) and step.tokens == other.tokens and step.index == other.index
    assert again.tail == [] and again.state.tokens_read == sum(len(step.ids) for step in steps)


@pytest.mark.parametrize(
    "segment, words",
    [([], "1 to 25 tokens"), ([5] * 26, "1 to 25 tokens"), ([10**6], "tokenizer"), ([-1], "tokenizer")],
)
def test_segments_that_do_not_fit_are_named(make, segment, words):
    reader = make()
    with pytest.raises(ValueError, match=words):
        list(reader.read_segments([segment]))
    assert_same_state(reader.state, make().state, "a refused segment")
    consume(reader, "mary went")
    with pytest.raises(ValueError, match="2 tokens of an unfinished segment"):
        list(reader.read_segments([[5]]))


def test_token_ids_that_the_tokenizer_does_not_have_are_named(make):
    reader = make()
    for ids in ([10**6], [-1]):  # too few for a segment
        with pytest.raises(ValueError, match="use ids of the same tokenizer"):
            reader.restore(dataclasses.replace(reader.state, tail=tuple(ids)))
    assert reader.tail == []


def test_text_is_taken_as_it_is_read(make):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield TEXT[:500] + " "

    steps = make().read(endless())
    for _ in range(200):
        next(steps)
    assert taken * 501 < 200 * 25 * 6 + 20_000, "far more text was taken than 200 segments need"


def test_segments_come_in_few_shapes(make_model, tokenizer, monkeypatch):
    """Kernels are prepared, and kept, for every shape there is."""
    model = make_model(**PARALLEL | {"segment_length": 128})
    encode, shapes = model.rmt.cell.encode_text, set()
    monkeypatch.setattr(model.rmt.cell, "encode_text", lambda ids, mask: shapes.add(ids.shape) or encode(ids, mask))
    lengths = {len(step.tokens) for step in Reader(model, tokenizer).read(tiny_text(3000))}
    assert len(lengths) > 5 and len(shapes) <= 2, f"{sorted(lengths)} tokens were framed as {shapes}"


def test_threads_share_a_model(make):
    expected = consume(make(), TEXT).ask(QUESTION)
    found = []

    def work():
        found.append(consume(make(), TEXT).ask(QUESTION))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3


def test_text_that_is_not_text(make):
    with pytest.raises(ValueError, match="without a space"):
        consume(make(), "x" * 50_000)
    with pytest.raises(ValueError, match="empty"):
        make().ask("  ")
    with pytest.raises(ValueError, match="shorter"):
        make().ask("is it red " * 20)
    assert make().ask(QUESTION).text, "a question before any reading should get an answer"


def test_classification_answers_with_places(make_model, tokenizer):
    answer = Reader(make_model("classification"), tokenizer).ask(QUESTION)
    assert answer.text in PLACES and answer.score == answer.candidates[0][1]
    assert len(answer.candidates) == 5 and {text for text, _ in answer.candidates} <= set(PLACES)


@pytest.fixture
def checkpoint(make_model, tmp_path):
    make_model(**PARALLEL, freeze_embeddings=True).save_pretrained(tmp_path / "ck")
    return tmp_path / "ck"


def edit_config(folder, **fields):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def edit_weights(folder, change):
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def test_loading_a_checkpoint(checkpoint, make_model, tokenizer):
    loaded = Reader.from_pretrained(checkpoint, device="cpu", dtype="float32")
    fresh = Reader(make_model(**PARALLEL, freeze_embeddings=True), tokenizer)
    assert_same_state(consume(loaded, TEXT).state, consume(fresh, TEXT).state, "save and load")
    half = Reader.from_pretrained(checkpoint, device="cpu", dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16 and consume(half, TEXT).ask(QUESTION).text


def gone(folder):
    (folder / "config.json").unlink()


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def other_kind(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))


def broken_json(folder):
    (folder / "config.json").write_text("{")


def no_head(folder):
    edit_config(folder, architectures=["RMTModel"])


def unknown_backbone(folder):
    edit_config(folder, backbone="/no/such/backbone")


def other_backbone(folder):
    edit_config(folder, backbone=tiny_backbone(folder.parent / "wide", width=48))


def more_layers(folder):
    fields = json.loads((folder / "config.json").read_text())["backbone_config"]
    edit_config(folder, backbone_config=fields | {"num_hidden_layers": 3})


def fewer_layers(folder):
    fields = json.loads((folder / "config.json").read_text())["backbone_config"]
    edit_config(folder, backbone_config=fields | {"num_hidden_layers": 1})


def other_shape(folder):
    edit_config(folder, num_memory_tokens=7)


def not_a_number(folder):
    edit_weights(folder, lambda weights: weights["rmt.memory"].fill_(float("nan")))


def cut_off(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    "damage, words",
    [
        (gone, "config.json is missing"),
        (no_weights, "There is no checkpoint"),
        (other_kind, "only RMTForMaskedLM"),
        (broken_json, "config.json"),
        (no_head, "only RMTForMaskedLM"),
        (unknown_backbone, "backbone '/no/such/backbone'"),
        (other_backbone, "do not fit"),
        (more_layers, "do not fit"),
        (fewer_layers, "do not fit"),
        (other_shape, "do not fit"),
        (not_a_number, "NaN or infinite"),
        (cut_off, "do not fit"),
    ],
)
def test_damaged_checkpoints_are_named(checkpoint, damage, words):
    damage(checkpoint)
    with pytest.raises(ValueError, match=words) as caught:
        Reader.from_pretrained(checkpoint, device="cpu")
    assert "\n" not in str(caught.value)


def test_a_classifier_of_other_classes_is_refused_before_it_reads(make_model, tokenizer, tmp_path):
    make_model("classification", num_labels=3).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="has 3 classes, but a Reader answers with the paper's 6 places"):
        Reader.from_pretrained(tmp_path, device="cpu")
    with pytest.raises(ValueError, match="has 3 classes"):
        Reader(make_model("classification", num_labels=3), tokenizer)


@pytest.mark.parametrize("path", ["{here}/none", "~/none-such", "./none-such", "checkpoints/none-such"])
def test_a_missing_folder_is_not_looked_for_on_the_hub(path, tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", lambda path: pytest.fail(f"the Hub: {path}"))
    with pytest.raises(ValueError, match="There is no checkpoint at .*none"):
        Reader.from_pretrained(path.format(here=tmp_path), device="cpu")


def test_a_hub_id_is_looked_for_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []

    def unreachable(path):
        asked.append(path)
        raise OSError("no route")

    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", unreachable)
    with pytest.raises(ValueError, match="There is no checkpoint at some/model"):
        Reader.from_pretrained("some/model", device="cpu")
    assert asked == ["some/model"]


def test_what_is_no_text_is_refused_in_one_sentence(make, tmp_path):
    reader = make()
    path = tmp_path / "book.txt"
    path.write_text(TEXT)
    with pytest.raises(ValueError, match=r"Path\('.*book.txt'\) is not text: give a string or an open file"):
        next(reader.read(path))
    with pytest.raises(ValueError, match="None is not text"):
        next(reader.read(None))
    with path.open("rb") as file, pytest.raises(ValueError, match="strings, not bytes: open files without 'b'"):
        next(reader.read(file))
    with pytest.raises(ValueError, match="not NoneType"):
        reader.ask(None)
    with pytest.raises(ValueError, match="Give several questions as a list"):
        reader.ask_many(QUESTION)
    assert reader.state.tokens_read == 0
