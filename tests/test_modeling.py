"""RMTModel and its heads: what passes from segment to segment, forward and backward, and what must not."""

import contextlib
import inspect

import pytest
import torch
from tiny import set_gate

from rmt_demo import backbones
from rmt_demo.framing import frame_last_full

CLS, SEP, MASK, PAD = 2, 3, 4, 0
WORD = 60  # the first of the ids used as text
SWITCHES = [(sees, update) for sees in (True, False) for update in ("replace", "gated")]
every_switch = pytest.mark.parametrize(("sees", "update"), SWITCHES)


def story(batch: int = 1, steps: int = 5, length: int = 8) -> torch.Tensor:
    """[B, S, L] framed segments; segment s of every sample consists of token WORD + s alone."""
    ids = (WORD + torch.arange(steps)).view(1, steps, 1).repeat(batch, 1, length)
    ids[..., 0], ids[..., -1] = CLS, SEP
    return ids


def random_text(batch: int, tokens: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(50, 110, (batch, tokens), generator=torch.Generator().manual_seed(seed))


def score(hidden: torch.Tensor) -> torch.Tensor:
    """A number that depends on all hidden states (their plain sum does not: LayerNorm fixes it)."""
    weights = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(0), dtype=hidden.dtype)
    return (hidden * weights).sum()


def close(found, wanted, tolerance=1e-5, hint=""):
    difference = (found - wanted).abs().max().item()
    assert difference <= tolerance, f"largest difference {difference:.2e}, allowed {tolerance:.0e}. {hint}"


@pytest.mark.parametrize("update", ["replace", "gated"])
@pytest.mark.parametrize("sees", [True, False])
def test_without_memory_tokens_the_model_is_the_backbone(backbone, make_model, sees, update):
    fields = {"num_memory_tokens": 0, "text_attends_memory": sees, "memory_update": update}
    ids = story(batch=2, steps=3)
    with torch.inference_mode():
        out = make_model("none", **fields)(ids)
        wanted = backbones.load_backbone(backbone).eval()(input_ids=ids[:, -1]).last_hidden_state
    close(out.last_hidden_state, wanted, 0, "Without memory, only the last segment is seen: by the backbone alone.")
    assert out.memory.shape == (2, 0, 32)


# -- information and gradients across segments (float64, so that small effects are no rounding errors)


@every_switch
def test_a_token_of_the_first_segment_changes_the_last_one(make_model, sees, update):
    model = make_model("classification", text_attends_memory=sees, memory_update=update).double()
    ids, changed = story(), story()
    changed[0, 0, 3] = WORD + 20
    with torch.inference_mode():
        change = (model(ids).logits - model(changed).logits).abs().max().item()
    assert change > 1e-12, "the memory brought nothing from the first segment to the last: is it handed on?"


@every_switch
@pytest.mark.parametrize("depth", [0, 1, 2, None])
def test_gradients_reach_exactly_the_last_segments(make_model, sees, update, depth):
    model = make_model("none", text_attends_memory=sees, memory_update=update, bptt_depth=depth).double()
    steps = 5
    score(model(story(steps=steps)).last_hidden_state).backward()
    gradient = model.get_input_embeddings().weight.grad
    reached = [bool((gradient[WORD + s] != 0).any()) for s in range(steps)]
    first = 0 if depth is None else steps - 1 - depth
    assert reached == [s >= first for s in range(steps)], (
        f"bptt_depth={depth} should reach segments {first} to {steps - 1}, but segments with a gradient are "
        f"{[s for s in range(steps) if reached[s]]}. Too few: is the memory detached before the next segment? "
        "Too many: is the DETACHED tensor what is handed on?"
    )
    learned = model.memory.grad is not None and bool((model.memory.grad != 0).any())
    assert learned == (depth is None), "the initial memory learns through ALL segments or not at all"


@every_switch
def test_bptt_depth_changes_gradients_not_answers(make_model, sees, update):
    fields = {"text_attends_memory": sees, "memory_update": update}
    full, cut = make_model("none", **fields), make_model("none", bptt_depth=1, **fields)
    close(cut(story()).last_hidden_state, full(story()).last_hidden_state, 0)


def test_background_rows_are_encoded_without_gradient_and_still_carry_it(make_model):
    """`num_trained`: table rows 1 to 3 are background; the gradient passes through their recurrence to row 0."""
    model = make_model("none", text_attends_memory=False).double()
    table, order = story().flatten(0, 1), torch.tensor([[0, 1, 2, 3]])
    out = model(table[:4], order=order, query_ids=table[4:], num_trained=1)
    score(out.last_hidden_state).backward()
    gradient = model.get_input_embeddings().weight.grad
    assert [bool((gradient[WORD + s] != 0).any()) for s in range(5)] == [True, False, False, False, True]
    full = model(table[:4], order=order, query_ids=table[4:])
    close(out.last_hidden_state, full.last_hidden_state, 1e-12, "num_trained changes gradients, not answers.")


# -- the loop


@every_switch
def test_the_model_is_a_loop_over_the_cell(make_model, sees, update):
    model = make_model("none", text_attends_memory=sees, memory_update=update)
    ids = random_text(3, 4 * 10, seed=1).view(3, 4, 10)
    mask = torch.arange(10) < torch.tensor([[10, 9, 8, 7], [5, 10, 3, 10], [10, 10, 10, 10]])[..., None]
    memory, gates = model.initial_memory(3), []
    for t in range(3):
        new = model.cell(ids[:, t], memory, mask[:, t], text_sees_memory=sees)[1]
        memory, gate = model.write(memory, new)
        gates.append(gate)
    hidden, new = model.cell(ids[:, 3], memory, mask[:, 3])  # the question always sees the memory
    out = model(ids, mask)
    close(out.last_hidden_state, hidden)
    close(out.memory, model.write(memory, new)[0])
    close(out.gates, torch.stack(gates, dim=1))
    assert out.gates.shape == (3, 3, 4)


@every_switch
def test_plain_framed_and_table_inputs_agree(make_model, sees, update):
    model = make_model("none", text_attends_memory=sees, memory_update=update)
    text = random_text(2, 60)
    framed, mask = frame_last_full(text, None, model.config)
    rows = framed.flatten(0, 1)
    order = torch.arange(len(rows)).view(2, -1)
    plain = model(text)
    close(model(framed, mask).last_hidden_state, plain.last_hidden_state)
    close(model(rows, mask.flatten(0, 1), order=order).last_hidden_state, plain.last_hidden_state)
    # Each sample's question apart, in reverse order, the second sample's twice.
    query_of = torch.tensor([1, 0, 1])
    query = {"query_ids": framed[query_of, -1], "query_mask": mask[query_of, -1], "query_of": query_of}
    apart = model(framed[:, :-1], mask[:, :-1], **query)
    close(apart.last_hidden_state, plain.last_hidden_state[query_of])


def test_reading_can_go_on_from_a_memory(make_model):
    model, ids = make_model("none"), story(batch=2)
    halfway = model(ids[:, :3]).memory
    close(model(ids[:, 3:], memory=halfway).last_hidden_state, model(ids).last_hidden_state)


@pytest.mark.parametrize("sees", [True, False])
def test_gates_shut_and_open(make_model, sees):
    fields = {"text_attends_memory": sees, "memory_update": "gated"}
    shut, ids = set_gate(make_model("none", **fields), -50), story(batch=2, steps=12)
    out = shut(ids)
    assert torch.equal(out.memory, shut.initial_memory(2)), "shut gates must leave the memory bit-identical"
    assert torch.equal(out.gates, torch.zeros(2, 11, 4))
    assert torch.equal(out.last_hidden_state, shut(ids[:, -1:]).last_hidden_state), "nothing came across"
    replace = make_model("none", text_attends_memory=sees)
    opened = set_gate(make_model("none", **fields), 50)
    opened.load_state_dict(replace.state_dict(), strict=False)
    close(opened(ids).memory, replace(ids).memory, 0, "open gates must be exactly memory_update='replace'")


# -- padding


@every_switch
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_of_plain_text_changes_no_answer(make_model, sees, update, side):
    model = make_model("none", text_attends_memory=sees, memory_update=update)
    lengths = [70, 26, 3, 25]
    ids = torch.full((4, 70), PAD)
    mask = torch.zeros(4, 70, dtype=torch.long)
    for b, n in enumerate(lengths):
        place = slice(0, n) if side == "right" else slice(70 - n, 70)
        ids[b, place], mask[b, place] = random_text(1, n, seed=b)[0], 1
    out = model(ids, mask)
    for b, n in enumerate(lengths):
        alone = model(random_text(1, n, seed=b))
        close(out.last_hidden_state[b, : alone.last_hidden_state.shape[1]], alone.last_hidden_state[0], 1e-5, f"{b=}")
        close(out.memory[b], alone.memory[0], 1e-5, f"{b=}")


@every_switch
def test_padding_and_empty_steps_of_a_table_change_nothing(make_model, sees, update):
    model = make_model("none", text_attends_memory=sees, memory_update=update)
    table, order = random_text(4, 10), torch.tensor([[0, 1, 2], [-1, 3, -1]])
    query = {"query_ids": random_text(2, 9, seed=5)}
    wanted = model(table, order=order, **query)
    assert torch.equal(wanted.gates[1, [0, 2]], torch.zeros(2, 4)), "a step that is none writes nothing"
    alone = model(table, order=torch.tensor([[3]]), query_ids=query["query_ids"][1:])
    close(wanted.memory[1], model(table, order=torch.tensor([[0, 1, 2], [3, -1, -1]]), **query).memory[1])
    close(wanted.last_hidden_state[1], alone.last_hidden_state[0])
    padded = torch.cat([table, torch.full((4, 6), WORD)], dim=1)  # whatever stands behind the mask
    mask = (torch.arange(16) < 10).expand(4, -1)
    found = model(padded, mask, order=order, **query)
    close(found.last_hidden_state, wanted.last_hidden_state)
    close(found.memory, wanted.memory)


@pytest.mark.parametrize("sees", [True, False])
def test_a_step_runs_only_the_samples_that_have_a_segment(make_model, monkeypatch, sees):
    model = make_model("none", text_attends_memory=sees)
    step, batches = ("forward", []) if sees else ("update", [])
    run = getattr(model.cell, step)

    def spy(first, *others):
        batches.append(len(first))
        return run(first, *others)

    monkeypatch.setattr(model.cell, step, spy)
    order = torch.tensor([[0, -1, 1, -1], [-1, -1, 2, 3]])
    out = model(random_text(4, 10), order=order, query_ids=random_text(2, 9, seed=5))
    assert batches[:3] == [1, 2, 1] and out.gates.shape == (2, 4, 4)


# -- the heads, and what is refused


def test_classification_reads_the_last_cls(make_model):
    model = make_model("classification")
    out = model(story(batch=2), labels=torch.tensor([1, 5]))
    close(out.logits, model.classifier(out.last_hidden_state[:, 0]), 0)
    assert out.logits.shape == (2, 6) and out[0] is out.loss, "ModelOutput: the loss comes first"
    close(out.loss, torch.nn.functional.cross_entropy(out.logits, torch.tensor([1, 5])))


def test_masked_lm_fills_the_slots_from_the_word_embeddings(make_model):
    model, ids = make_model("masked_lm"), story(batch=2)
    ids[:, -1, 4:7] = MASK
    labels = torch.tensor([[60, 61, 3], [62, 3, 3]])
    out = model(ids, labels=labels)
    assert out.logits.shape == (2, 3, model.get_input_embeddings().num_embeddings)
    words = model.transform(out.last_hidden_state[:, 4:7]) @ model.get_input_embeddings().weight.T
    close(out.logits, words + model.bias)
    close(out.loss, torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), labels.flatten()))
    assert model(ids).loss is None


@pytest.mark.parametrize("head", ["classification", "masked_lm"])
def test_heads_pass_on_the_mask(make_model, head):
    model, ids = make_model(head), random_text(1, 40)
    ids[0, -4:-1] = MASK
    padded = torch.cat([ids, ids[:, :9]], dim=1)
    found = model(padded, (torch.arange(49) < 40).long()[None])
    close(found.logits, model(ids).logits)


def test_a_segment_that_is_too_long_is_refused(make_model):
    with pytest.raises(ValueError, match="A segment has 28 tokens, but this config allows 27"):
        make_model("none")(story(length=28))
    with pytest.raises(ValueError, match="A segment has 30 tokens, but this config allows 27"):
        make_model("none")(story(), query_ids=random_text(1, 30))


@pytest.mark.parametrize("order", [[[0, 1], [2, -1]], [[0, 1], [-1, -1]]])
def test_a_sample_without_a_last_segment_is_refused(make_model, order):
    """Without a check, row -1 would index the last row: the sample would silently get another's question."""
    with pytest.raises(ValueError, match="last segment"):
        make_model("none")(random_text(4, 10), order=torch.tensor(order))


def test_text_without_tokens_is_refused(make_model):
    for batch in (1, 2):
        mask = torch.ones(batch, 10, dtype=torch.long)
        mask[0] = 0
        with pytest.raises(ValueError, match="at least one token|last segment"):
            make_model("none")(random_text(batch, 10), mask)


def test_segments_longer_than_the_backbone_has_positions_are_refused(make_model):
    assert make_model("none", segment_length=128).config.segment_length == 128
    with pytest.raises(ValueError, match="segment_length 129 is more than the backbone's 128 positions"):
        make_model("none", segment_length=129)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"input_ids": None}, "input_ids must be"),
        ({"input_ids": random_text(1, 9)[0]}, "input_ids must be"),
        (
            {"input_ids": random_text(2, 9), "memory": torch.zeros(2, 9, 32)},
            r"memory must be \[B, 4, 32\], not \[2, 9",
        ),
    ],
)
def test_inputs_of_another_shape_are_refused(make_model, inputs, words):
    with pytest.raises(ValueError, match=words):
        make_model("none")(**inputs)


# -- heads


@pytest.mark.parametrize("head", ["classification", "masked_lm"])
def test_a_heads_forward_names_all_arguments_of_the_model(make_model, head):
    """The Trainer drops dataset columns that `forward` does not name, the questions for instance."""
    of_model, of_head = (set(inspect.signature(make_model(h).forward).parameters) for h in ("none", head))
    assert of_model - of_head == {"recall"}, "which the head itself hands over"


@pytest.mark.parametrize("head", ["classification", "masked_lm"])
def test_a_head_passes_its_arguments_on(make_model, head):
    model, table = make_model(head), story(batch=2).flatten(0, 1)
    order, start = torch.tensor([[0, 1, -1], [5, 6, 7]]), torch.randn(2, 4, 32)
    asked = {"query_ids": random_text(3, 8), "query_mask": torch.ones(3, 8), "query_of": torch.tensor([0, 1, 1])}
    out = model(table, None, order=order, memory=start, num_trained=6, token_type_ids=table, **asked)
    wanted = model.rmt(table, None, order, start, **asked)
    close(out.last_hidden_state, wanted.last_hidden_state, 0)


@pytest.mark.parametrize(
    ("labels", "config", "loss"),
    [
        (torch.tensor([[0.3], [2.0]]), {"num_labels": 1}, lambda x, y: (x - y).square().mean()),
        (
            torch.tensor([[0.0, 1.0], [1.0, 1.0]]),
            {"num_labels": 2, "problem_type": "multi_label_classification"},
            torch.nn.functional.binary_cross_entropy_with_logits,
        ),
        (torch.tensor([5, 0]), {}, torch.nn.functional.cross_entropy),
    ],
    ids=["regression", "several labels", "classes"],
)
def test_the_classification_loss_follows_the_problem_type(make_model, labels, config, loss):
    out = make_model("classification", **config)(story(batch=2), labels=labels)
    close(out.loss, loss(out.logits, labels))


# -- gradient checkpointing


@every_switch
@pytest.mark.parametrize("depth", [1, None])
def test_gradient_checkpointing_gives_the_same_gradients(make_model, sees, update, depth):
    """In training, with dropout and the noise of the gates."""
    found = []
    for again in (False, True):
        model = make_model("masked_lm", text_attends_memory=sees, memory_update=update, bptt_depth=depth).double()
        if again:
            model.gradient_checkpointing_enable()
        torch.manual_seed(0)
        with saved_numbers() as kept:
            loss = model.train()(story(batch=2), labels=torch.tensor([[7, 8, 3]] * 2)).loss
        loss.backward()
        found.append((sum(kept), loss, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}))
    (plain, wanted, wanted_gradients), (kept, loss, gradients) = found
    assert kept < plain, "checkpointing must keep fewer numbers for the backward pass"
    assert torch.equal(loss, wanted) and gradients.keys() == wanted_gradients.keys()
    for name, gradient in wanted_gradients.items():
        close(gradients[name], gradient, 1e-12, f"gradient of {name}")
    model.gradient_checkpointing_disable()
    assert not model.rmt.gradient_checkpointing


@contextlib.contextmanager
def saved_numbers():
    """The number of elements of each tensor that autograd saves in this context."""
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        yield kept
