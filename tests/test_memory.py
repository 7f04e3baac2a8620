"""MemoryCell, one segment at a time: parity with the backbone, layout, masks, write gate and stored tokens."""

import pytest
import torch
from tiny import set_gate, tiny_encoder
from transformers import RobertaConfig, RobertaModel

from rmt_demo import MemoryCell, RMTConfig, backbones
from rmt_demo.memory import segment_mask

M, WIDTH = 4, 32


def segments(batch: int, length: int, seed: int = 0) -> torch.Tensor:
    """[CLS] text [SEP] of random tokens, [B, L] in all."""
    ids = torch.randint(50, 110, (batch, length), generator=torch.Generator().manual_seed(seed))
    ids[:, 0], ids[:, -1] = 2, 3
    return ids


def memories(batch: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, M, WIDTH, generator=torch.Generator().manual_seed(seed))


START = memories(1, seed=9)[0]  # initial working tokens


def padding(lengths: list[int], width: int) -> torch.Tensor:
    """[B, width] bool with lengths[b] real tokens in row b."""
    return torch.arange(width) < torch.tensor(lengths)[:, None]


def same(found, wanted, tolerance=0.0, hint=""):
    difference = (found - wanted).abs().max().item()
    assert difference <= tolerance, f"largest difference {difference:.2e}, allowed {tolerance:.0e}. {hint}"


# -- the backbone


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("memory", [None, torch.zeros(3, 0, WIDTH)])
def test_without_memory_tokens_the_cell_is_the_backbone(backbone, make_cell, memory, padded):
    ids, mask = segments(3, 12), padding([12, 9, 5], 12) if padded else None
    with torch.inference_mode():
        wanted = backbones.load_backbone(backbone).eval()(input_ids=ids, attention_mask=mask).last_hidden_state
        hidden, after = make_cell()(ids, memory, mask)
    assert after.shape == (3, 0, WIDTH)
    same(hidden, wanted, hint="Without memory tokens the cell must call the backbone unchanged.")


def test_attention_is_bidirectional_without_padding_whatever_the_backbone_declares():
    """Splinter does not declare that it is bidirectional, and without padding there is no mask either."""
    plain, ids = tiny_encoder("splinter"), segments(3, 12)
    wanted = plain(input_ids=ids).last_hidden_state
    cell = MemoryCell(RMTConfig(num_memory_tokens=M, segment_length=64), plain)
    same(cell(ids)[0], wanted, 1e-6, "With no memory tokens the cell is the backbone.")
    change = cell(ids, memories(3, seed=1))[0] - cell(ids, memories(3, seed=2))[0]
    assert change[:, 0].any(), "[CLS] does not see the memory, which comes after it"


@pytest.mark.parametrize("sees", [True, False])
@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert", "electra", "albert", "esm"])
def test_padding_changes_nothing_whatever_the_backbone(kind, sees):
    cell = MemoryCell(RMTConfig(num_memory_tokens=M, segment_length=64), tiny_encoder(kind, embedding_size=WIDTH))
    ids, memory = segments(1, 12), memories(1)
    wide, mask = torch.nn.functional.pad(ids, (0, 9)), padding([12], 21)
    with torch.inference_mode():
        if sees:
            wanted, found = cell(ids, memory)[1], cell(wide, memory, mask)[1]
        else:
            wanted = cell.update(memory, cell.encode_text(ids, torch.ones_like(ids)))
            found = cell.update(memory, cell.encode_text(wide, mask))
    same(found, wanted, 1e-5, "Is padding masked?")
    assert not torch.allclose(wanted, memory), "the memory did not change at all"


def test_the_backbone_itself_is_untouched(backbone, make_cell):
    plain, ours = backbones.load_backbone(backbone), make_cell().backbone
    assert type(plain) is type(ours)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[name]), f"{name} differs from the pretrained weights"


def test_layout_is_cls_memory_sep_text_sep(backbone, make_cell):
    """arXiv 2304.11062, figure 2, built by hand from the plain backbone."""
    plain, ids, memory = backbones.load_backbone(backbone).eval(), segments(3, 12), memories(3)
    words = plain.get_input_embeddings()(ids)
    framed = torch.cat([words[:, :1], memory, words[:, -1:], words[:, 1:]], dim=1)
    wanted = plain(inputs_embeds=framed).last_hidden_state
    hidden, after = make_cell()(ids, memory)
    same(after, wanted[:, 1 : 1 + M], 1e-6, "New memory = last layer at the memory's positions.")
    same(hidden, torch.cat([wanted[:, :1], wanted[:, M + 2 :]], dim=1), 1e-6, "Hidden states of the tokens given.")
    same(make_cell()(inputs_embeds=words, memory=memory)[0], hidden, 0, "Embeddings may be given instead of ids.")


def test_unfused_attention_in_cpu_training_gives_the_same_result(make_cell):
    cell, ids, memory, mask = make_cell(), segments(3, 12), memories(3), padding([12, 9, 5], 12)
    wanted = cell(ids, memory, mask)
    cell.train()
    for module in cell.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for found, expected in zip(cell(ids, memory, mask), wanted, strict=True):
        same(found, expected, 1e-5)


# -- masks and positions


def test_segment_mask():
    tokens = padding([4, 3], 4)  # [CLS] a b [SEP] and [CLS] a [SEP] with one padding
    assert segment_mask(tokens[:1], 2, text_sees_memory=True) is None, "if every row sees every row, no mask is faster"
    mask = segment_mask(tokens, 2, text_sees_memory=False)[:, 0]  # rows: CLS m m SEP a b SEP
    assert mask.shape == (2, 7, 7)
    text, memory = [0, 3, 4, 5, 6], [1, 2]
    assert not mask[0][text][:, memory].any(), "text must not see memory"
    assert mask[0][text][:, text].all() and mask[0][memory].all(), "memory sees all, text sees text"
    assert not mask[1][:, 6].any(), "padding must be masked for all rows"
    assert segment_mask(tokens, 2, text_sees_memory=True)[1, 0, 0].tolist() == [True] * 6 + [False]


def test_text_rows_see_the_memory_or_do_not(make_cell):
    cell, ids = make_cell(), segments(3, 12)
    one, other = memories(3, seed=1), memories(3, seed=2)
    hidden = [cell(ids, memory)[0] for memory in (one, other)]
    assert (hidden[0] - hidden[1]).abs().max() > 1e-3, "with another memory, the text's hidden states must change"
    hidden = [cell(ids, memory, text_sees_memory=False)[0] for memory in (one, other)]
    assert torch.equal(*hidden), "masked text rows must be the same whatever is in the memory"
    after = [cell(ids, one, text_sees_memory=False)[1], cell(segments(3, 12, seed=9), one, text_sees_memory=False)[1]]
    assert (after[0] - after[1]).abs().max() > 1e-3, "memory rows must still see the text"


@pytest.mark.parametrize("where", [{}, {"spread_memory": True}, {"spread_memory": True, "memory_reach": 2}])
@pytest.mark.parametrize("padded", [False, True])
def test_encode_then_update_is_the_masked_cell(make_cell, padded, where):
    cell = make_cell(text_attends_memory=False, **where)
    ids, memory = segments(3, 12), memories(3)
    mask = padding([12, 9, 5] if padded else [12, 12, 12], 12)
    results = []
    for split in (False, True):
        cell.zero_grad()
        start = memory.clone().requires_grad_()
        if split:
            after = cell.update(start, cell.encode_text(ids, mask))
        else:
            after = cell(ids, start, mask, text_sees_memory=False)[1]
        (after * memories(3, seed=7)).sum().backward()
        results.append((after, {n: p.grad for n, p in cell.named_parameters()} | {"memory": start.grad}))
    (wanted, wanted_gradients), (found, gradients) = results
    same(found, wanted, 1e-5, "Do the memory rows see each layer's text keys, at the right positions?")
    for name, gradient in wanted_gradients.items():
        same(gradients[name], gradient, 1e-4, f"gradient of {name}")


def test_position_ids_start_at_the_backbones_first():
    """RoBERTa's first position id comes after the padding index; ours must start there too."""
    torch.manual_seed(0)
    shape = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    roberta = RobertaModel(RobertaConfig(vocab_size=110, max_position_embeddings=34, **shape), add_pooling_layer=False)
    config = RMTConfig(num_memory_tokens=M, segment_length=32, text_attends_memory=False)
    cell = MemoryCell(config, roberta).eval()
    ids, memory, mask = segments(2, 12), memories(2), padding([12, 12], 12)
    masked = cell(ids, memory, mask, text_sees_memory=False)[1]
    same(cell.update(memory, cell.encode_text(ids, mask)), masked, 1e-5, "Do positions start after the padding index?")


def test_spread_memory_has_positions_over_the_text_whatever_the_padding(make_cell):
    cell = make_cell(spread_memory=True)
    positions = cell.positions.of_working(torch.tensor([12, 42]))
    assert positions.min() > M, "the positions in front of the text must stay free"
    assert positions[0].max() < M + 12 and positions[1].max() < M + 42, "no memory token may come after its text"
    assert (positions.diff(dim=1) > 0).all(), "positions must be in order"
    ids, memory = segments(1, 12), memories(1)
    padded = torch.nn.functional.pad(ids, (0, 5))
    same(cell(padded, memory, padding([12], 17))[1], cell(ids, memory)[1], 1e-6, "padding changed the positions")


@pytest.mark.parametrize("text_attends_memory", [False, True])
def test_memory_reach_masks_text_far_from_a_memory_token(make_cell, text_attends_memory):
    """One layer, so that nothing arrives through a neighbour."""
    cell = make_cell(spread_memory=True, memory_reach=3, text_attends_memory=text_attends_memory)
    cell.backbone.encoder.layer = cell.backbone.encoder.layer[:1]
    words = cell.embed(segments(1, 42)).detach().requires_grad_()
    place, m = cell.positions.of_working(torch.tensor([42]))[0] - M - 1, 2
    (cell(inputs_embeds=words, memory=memories(1))[1][0, m] * torch.arange(WIDTH)).sum().backward()
    seen = words.grad[0].abs().sum(-1).nonzero().flatten().tolist()
    reach = 3 * 42 // (2 * M)  # 1.5 times the spacing of memory tokens, which is more than 3
    assert seen == [0, *range(place[m] - reach, place[m] + reach + 1)], "only [CLS] and near text may be seen"


@pytest.mark.parametrize("text_attends_memory", [True, False])
def test_memory_norm_scales_down_longer_memory_tokens(make_cell, text_attends_memory):
    plain, limited = (make_cell(memory_norm=norm, text_attends_memory=text_attends_memory) for norm in (None, 2.0))
    ids, memory = segments(3, 12), memories(3)
    memory = memory / memory.norm(dim=-1, keepdim=True)  # norm 1, and in `long`
    long = memory * torch.tensor([1.0, 2.0, 5.0, 80.0])[:, None]
    scaled = memory * torch.tensor([1.0, 2.0, 2.0, 2.0])[:, None]
    long[0, 0] = scaled[0, 0] = 0  # blank
    for run in (lambda cell, given: cell(ids, given)[1], lambda cell, given: updated(cell, ids, given)):
        same(run(limited, long), run(plain, scaled), 1e-6)
        assert not torch.allclose(run(limited, long), run(plain, long), atol=1e-3)
    long.requires_grad_()
    run(limited, long).sum().backward()
    assert long.grad.isfinite().all()


def updated(cell, ids, memory):
    return cell.update(memory, cell.encode_text(ids, torch.ones_like(ids)))


def test_encoded_text_can_be_reused_in_any_order(make_cell):
    cell, ids, memory = make_cell(text_attends_memory=False), segments(3, 12), memories(2)
    mask = padding([12, 9, 5], 12)
    rows = torch.tensor([2, 0])
    wanted = cell(ids[rows], memory, mask[rows], text_sees_memory=False)[1]
    same(cell.update(memory, cell.encode_text(ids, mask).rows(rows)), wanted, 1e-5)


# -- the write gate


@pytest.mark.parametrize("training", [False, True])
def test_a_shut_gate_leaves_the_memory_bit_identical(make_cell, training):
    cell = set_gate(make_cell(memory_update="gated"), -50).train(training)
    memory, start = memories(2), memories(2)
    for seed in range(20):
        memory, gate = cell.write(memory, cell(segments(2, 12, seed), memory)[1], START)
        assert torch.equal(gate, torch.zeros(2, M))
    assert torch.equal(memory, start), "a shut gate is exactly 0, and old + 0 * (new - old) is exactly old"


def test_held_open_writes_everything(make_cell):
    cell = set_gate(make_cell(memory_update="gated"), -50).train()
    cell.gate.held_open = True
    written, gate = cell.write(memories(2), memories(2, seed=1), START)
    assert torch.equal(written, memories(2, seed=1)) and torch.equal(gate, torch.ones(2, M))


@pytest.mark.parametrize("training", [False, True])
def test_an_open_gate_is_replace(make_cell, training):
    cell = set_gate(make_cell(memory_update="gated"), 50).train(training)
    memory, new = memories(50), 1e3 * memories(50, seed=1)
    written, gate = cell.write(memory, new, START)
    assert torch.equal(gate, torch.ones(50, M))
    same(written, new, hint="An open gate must be exactly the paper's update; is it old + 1 * (new - old)?")
    written, gate = make_cell().write(memory, new, START)
    assert torch.equal(written, new) and torch.equal(gate, torch.ones(50, M))


def test_the_gate_is_sampled_in_training_only_and_is_often_exactly_0_or_1(make_cell):
    cell = set_gate(make_cell(memory_update="gated"), 0.0)
    memory, new = memories(200), memories(200, seed=1)
    assert torch.equal(cell.write(memory, new, START)[1], cell.write(memory, new, START)[1])
    same(cell.write(memory, new, START)[1], torch.tensor(0.5), 1e-6, "a logit of 0 must give a half-open gate")
    cell.train()
    one, other = cell.write(memory, new, START)[1], cell.write(memory, new, START)[1]
    assert not torch.equal(one, other), "in training the gate is a random variable"
    for extreme in (0.0, 1.0):
        share = (one == extreme).float().mean().item()
        assert share > 0.1, f"only {share:.0%} of the gates are exactly {extreme}: is it stretched before the clamp?"


def test_gradient_reaches_the_gate_and_both_memories(make_cell):
    cell = set_gate(make_cell(memory_update="gated"), 0.5)
    memory, new = memories(3).requires_grad_(), memories(3, seed=1).requires_grad_()
    written, gate = cell.write(memory, new, START)
    (gate.sum() + (written * memories(3, seed=2)).sum()).backward()
    for name, gradient in (("score", cell.gate.score.weight.grad), ("old", memory.grad), ("new", new.grad)):
        assert gradient.abs().max() > 0, f"no gradient reaches {name}"


# -- stored tokens

STORED = {"memory_update": "gated", "spread_memory": True, "num_stored_tokens": 3}
BLANK = torch.zeros(3, WIDTH)


def put(make_cell, memory, new, gate):
    return make_cell(**STORED).put(memory, new, torch.tensor(gate), START)


def carried(working, *stored):
    """A memory [1, m + 3, d] with these working tokens [m, d] and stored tokens [d], padded with blank ones."""
    return torch.cat([working, *(token[None] for token in stored), BLANK[len(stored) :]])[None]


def test_content_moves_to_stored_tokens_before_a_write(make_cell):
    new, held = 10 * memories(1, seed=1), 10 * memories(1, seed=2)[0]
    working = START.clone()
    working[1:3] = held[1:3]
    written, gate = put(make_cell, carried(working), new, [[0.0, 1.0, 0.0, 0.6]])
    assert torch.equal(gate, torch.tensor([[0.0, 1.0, 0.0, 0.6]]))
    expected = START.clone()
    expected[1], expected[3] = new[0, 1], 0.4 * START[3] + 0.6 * new[0, 3]
    same(written, carried(expected, held[1], held[2]), 1e-6, "stored in order, working tokens reset?")
    again, _ = put(make_cell, written, new, [[1.0, 0.0, 0.0, 0.0]])
    assert torch.equal(again[0, M + 2], written[0, 1]), "newer content must come after what is stored"
    assert torch.equal(again[0, M : M + 2], written[0, M : M + 2])


def test_each_sample_stores_its_own(make_cell):
    new, held = 10 * memories(2, seed=1), 10 * memories(1, seed=2)[0]
    memory = torch.cat([carried(START), carried(torch.cat([held[:1], START[1:]]))])
    written, _ = put(make_cell, memory, new, [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    assert torch.equal(written[0], carried(torch.cat([new[0, :1], START[1:]]))[0])
    assert torch.equal(written[1], carried(torch.cat([START[:3], new[1, 3:]]), held[0])[0])


def test_nothing_moves_if_no_gate_opens(make_cell):
    memory, new = carried(10 * memories(1, seed=2)[0]), memories(1, seed=1)
    written, _ = put(make_cell, memory, new, [[0.04, 0.0, 0.0, 0.0]])
    same(written[0, 0], 0.96 * memory[0, 0] + 0.04 * new[0, 0], 1e-6)
    assert torch.equal(written[0, 1:], memory[0, 1:])


def test_a_sample_with_shut_gates_is_not_changed_by_other_samples(make_cell):
    held = carried(10 * memories(1, seed=2)[0])
    hole = torch.cat([held[:, :M], BLANK[None, :1], 10 * memories(1, seed=3)[:, :1], BLANK[None, :1]], dim=1)
    written, _ = put(make_cell, torch.cat([hole, held]), 10 * memories(2, seed=1), [[0.0] * 4, [0.0, 0.3, 0.0, 0.0]])
    assert torch.equal(written[0], hole[0]) and torch.equal(written[1, M + 1], held[0, 1])


def test_if_the_stored_tokens_are_full_those_with_the_smallest_norm_are_dropped(make_cell):
    held, full = 10 * memories(1, seed=2)[0], 10 * memories(1, seed=3)[0]
    held[1], full[0] = 0.7 * held[1], 0.5 * full[0]
    working = torch.cat([held[:2], START[2:]])
    written, _ = put(make_cell, carried(working, *full[:3]), 10 * memories(1, seed=1), [[0.0, 0.0, 1.0, 0.0]])
    assert torch.equal(written[0, M:], torch.stack([full[1], full[2], held[0]])), "the three largest, oldest first"
    assert torch.equal(written[0, :2], START[:2]), "working tokens must be reset even if their content was dropped"


def test_a_blank_token_between_stored_ones_is_closed_at_the_next_write(make_cell):
    """Editing or erasing memory tokens can leave such a hole."""
    stored, new = 10 * memories(1, seed=2)[0], 10 * memories(1, seed=1)
    memory = torch.cat([START, torch.zeros(1, WIDTH), stored[:2]])[None]
    kept, _ = put(make_cell, memory, new, [[0.0, 0.0, 0.0, 0.0]])
    assert torch.equal(kept, memory)
    closed, _ = put(make_cell, memory, new, [[0.0, 0.0, 1.0, 0.0]])
    assert torch.equal(closed[0, M:], carried(START, stored[0], stored[1])[0, M:])


def test_gradient_reaches_stored_content(make_cell):
    held = (10 * memories(1, seed=2)[0]).requires_grad_()
    put(make_cell, carried(held), 10 * memories(1, seed=1), [[1.0, 0.0, 0.0, 0.0]])[0][0, M].sum().backward()
    assert torch.equal(held.grad.abs().sum(-1) > 0, torch.tensor([True, False, False, False]))


def test_blank_tokens_change_nothing(make_cell):
    """However many there are in a batch, a question must be answered the same with and without them."""
    cell, ids = make_cell(**STORED, memory_reach=3, text_attends_memory=False), segments(2, 12)
    memory, stored = memories(2), 10 * memories(2, seed=1)
    blank = torch.cat([memory, torch.zeros(2, 3, WIDTH)], 1)
    plain = cell(ids, memory)
    for got, wanted in zip(cell(ids, blank), plain, strict=True):
        assert torch.equal(got, wanted)
    mixed = blank.clone()
    mixed[1, M : M + 2] = stored[1, :2]
    same(cell(ids, mixed)[0][0], plain[0][0], 1e-5, "another sample's stored tokens must not matter")
    same(cell(ids, mixed)[0][1], cell(ids[1:], mixed[1:])[0][0], 1e-5)
    assert (cell(ids, mixed)[0][1] - plain[0][1]).abs().max() > 1e-3, "stored tokens must be seen"


def test_update_ignores_stored_tokens(make_cell):
    cell, ids = make_cell(**STORED, text_attends_memory=False), segments(1, 12)
    memory, mask = carried(memories(1)[0], *memories(1, seed=1)[0, :2]), torch.ones(1, 12)
    new = cell.update(memory, cell.encode_text(ids, mask))
    assert torch.equal(new, cell.update(memory[:, :M], cell.encode_text(ids, mask)))
    same(new, cell(ids, memory, text_sees_memory=False)[1], 1e-5)


def test_reading_fills_the_stored_tokens(make_model):
    ids, order = segments(3, 12), torch.tensor([[0, 1, 2]])
    model = make_model("none", **STORED, text_attends_memory=False)
    model.cell.gate.forward = lambda start, new: torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    parts = [model.read(ids, torch.ones_like(ids), order[:, :n], model.initial_memory(1))[0] for n in range(4)]
    for n, memory in enumerate(parts):
        assert int(memory[0, M:].any(-1).sum()) == max(n - 1, 0)
    assert torch.equal(parts[3][0, M : M + 2], torch.stack([parts[1][0, 0], parts[2][0, 0]])), "oldest first"
