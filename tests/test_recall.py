"""The memory tokens a question is asked of: stretches, the model's selection among them, or all with content."""

import pytest
import torch

from rmt_demo.answers import ask
from rmt_demo.attention import query_attention
from rmt_demo.recall import ROUND_TWO, STRETCH, compact, keep_only, settled, stretches

M, S, WIDTH = 2, 60, 32
START = torch.full((M, WIDTH), 0.1)
TINY = {
    "num_memory_tokens": M,
    "num_stored_tokens": S,
    "memory_update": "gated",
    "spread_memory": True,
    "text_attends_memory": False,
    "segment_length": 20,
}


def holding(stored: int, working: tuple[int, ...] = (), start=START) -> torch.Tensor:
    """A memory [m + s, d] with this many stored tokens filled and these working tokens written."""
    memory = torch.cat([start.clone(), torch.zeros(S, WIDTH)])
    memory[M : M + stored] = torch.randn(stored, WIDTH, generator=torch.Generator().manual_seed(0))
    memory[list(working)] += 1
    return memory


def rows(selected: torch.Tensor) -> list[list[int]]:
    return [stretch.nonzero()[:, 0].tolist() for stretch in selected]


def test_stretches_overlap_by_half_and_working_tokens_come_last():
    half = STRETCH // 2
    assert rows(stretches(holding(20, working=(1,)), START)) == [
        [*range(M, M + STRETCH)],
        [1, *range(M + half, M + 20)],
    ]
    assert rows(stretches(holding(3, working=(0,)), START)) == [[0, M, M + 1, M + 2]]
    assert rows(stretches(holding(0), START)) == [[]], "no content"


def test_only_tokens_with_content_are_in_stretches_each_in_one_or_two():
    memory = holding(50, working=(0, 1))
    memory[M + 30] = 0  # erased
    times = stretches(memory, START).sum(0)
    assert times[M + 30] == 0 and (times[M + 50 :] == 0).all()
    assert set(times[memory.norm(dim=-1) > 1].tolist()) == {1, 2}


def test_tokens_that_are_not_selected_are_reset():
    memory, selected = holding(10, working=(0,)), torch.zeros(2, M + S, dtype=torch.bool)
    selected[0, [0, M + 4]] = True
    first, second = keep_only(memory, selected, holding(0))
    assert torch.equal(second, holding(0))
    assert torch.equal(first[[0, M + 4]], memory[[0, M + 4]])
    first[0], first[M + 4] = START[0], 0
    assert torch.equal(first, second)


def test_a_compact_memory_is_as_short_as_possible_and_gives_the_same_answer(make_model):
    model = make_model(**TINY)
    start = model.rmt.memory.detach()
    memory = holding(50, working=(1,), start=start)
    selected = torch.zeros(2, M + S, dtype=torch.bool)
    selected[0, [1, M + 7, M + 8, M + 40]] = selected[1, [M + 3]] = True
    parts = compact(memory, start, selected)
    assert parts.shape == (2, M + 3, WIDTH)
    assert torch.equal(parts[0], torch.cat([start[:1], memory[[1, M + 7, M + 8, M + 40]]]))
    assert torch.equal(parts[1, : M + 1], torch.cat([start, memory[[M + 3]]])) and not parts[1, M + 1 :].any()
    ids = torch.tensor([[2, 7, 8, 3]]).expand(2, -1)
    with torch.inference_mode():
        whole = keep_only(memory, selected, model.rmt.initial_memory(1))
        short, whole = (model.rmt.cell(ids, m)[0] for m in (parts, whole))
    assert torch.allclose(short, whole, atol=1e-5)


def test_there_may_be_more_stored_tokens_than_positions(make_model):
    model = make_model(**TINY | {"num_stored_tokens": 200})
    start = model.rmt.memory.detach()
    memory = torch.cat([start, torch.randn(200, WIDTH, generator=torch.Generator().manual_seed(0))])[None]
    ids = torch.tensor([[[2, 7, 8, *[model.config.mask_token_id] * 3, 3]]])
    assert model.rmt.cell.positions.longest_input < 200
    with torch.inference_mode():
        assert model(ids, memory=memory).logits.isfinite().all()
        model.config.unknown_token_id = None  # all of it at once
        assert model(ids, memory=memory).logits.isfinite().all()


@pytest.fixture
def asked(make_model, monkeypatch):
    """asked(*marked): ask a question of a memory and of a blank one, with a model that answers "unknown" to every
    stretch without one of the `marked` rows. Returns the memory and what `recall` makes of both."""

    def asked(*marked, stored=50):
        model = make_model(**TINY)
        memory = holding(stored, start=model.rmt.memory.detach())
        ids = torch.tensor([[2, 7, 8, *[4] * 3, 3]]).expand(2, -1)

        def cell(ids, parts, mask):
            return torch.stack([(parts == memory[row]).all(-1).any(1) for row in marked]).any(0), None

        def answers(ids, known):
            logits = torch.zeros(len(known), 3, 50)
            logits[~known, 0, model.config.unknown_token_id] = 9.0
            return logits

        monkeypatch.setattr(model.rmt.cell, "forward", cell)
        monkeypatch.setattr(model, "_answers", answers)
        model.config.unknown_token_id = 5
        return memory, model.recall(torch.stack([memory, holding(0, start=model.rmt.memory.detach())]), ids)

    return asked


def test_round_two_keeps_the_stretches_least_likely_to_be_unknown(asked):
    half, at = STRETCH // 2, M + 20
    memory, (kept, empty) = asked(at)
    seen = slice(M + half, M + 2 * half + STRETCH)  # both stretches with that row
    assert seen.start <= at < seen.stop
    assert torch.equal(kept[seen], memory[seen])
    assert not kept[M : seen.start].any() and not kept[seen.stop :].any()
    assert not empty[M:].any(), "each sample has its own selection"


def test_a_short_memory_is_kept_whole(asked):
    short = STRETCH // 2 * (ROUND_TWO + 1)
    memory, (kept, _) = asked(M + 3, stored=short)
    assert torch.equal(kept, memory)
    memory, (kept, _) = asked(M + 3, stored=short + 1)
    assert not torch.equal(kept, memory)


def test_two_rounds_run_in_evaluation_if_the_model_can_answer_unknown(make_model):
    model = make_model(**TINY)
    memory = holding(50, start=model.rmt.memory.detach())[None]
    ids = torch.tensor([[[2, 7, 8, *[model.config.mask_token_id] * 3, 3]]])
    with torch.inference_mode():
        two = model(ids, memory=memory).logits
        kept = model.recall(memory, ids[0])
        model.config.unknown_token_id = None
        assert torch.equal(model.recall(memory, ids[0]), memory)
        assert torch.equal(model(ids, memory=kept).logits, two)
        assert not torch.allclose(model(ids, memory=memory).logits, two)


def test_training_uses_one_round(make_model, monkeypatch):
    model = make_model(**TINY).train()
    monkeypatch.setattr(model, "recall", lambda *_: pytest.fail("gradients must reach all tokens with content"))
    model(torch.tensor([[[2, 7, 4, 4, 4, 3]]]))


@pytest.mark.parametrize("stored", [10, 50])
def test_gradient_reaches_what_is_recalled(make_model, stored):
    model = make_model(**TINY)
    memory = holding(stored, start=model.rmt.memory.detach())[None].requires_grad_()
    ids = torch.tensor([[2, 7, 8, *[model.config.mask_token_id] * 3, 3]])
    kept = model.recall(memory, ids)[0, M:].any(-1)
    model(ids[None], memory=memory).logits.square().mean().backward()
    assert torch.equal(memory.grad[0, M:].any(-1), kept)


def test_attention_is_that_of_the_second_round(make_model):
    model = make_model(**TINY)
    memory = holding(50, start=model.rmt.memory.detach())[None]
    ids = torch.tensor([[2, 7, 8, *[model.config.mask_token_id] * 3, 3]])
    kept = model.recall(memory, ids)[0, M:].any(-1)
    seen = query_attention(model, ids, memory).to_memory[..., M:]
    assert (seen[..., ~kept[: seen.shape[-1]]] == 0).all() and (seen[..., kept[: seen.shape[-1]]] > 0).all()
    assert 0 < kept.sum() < 50


# -- settled memory


def test_a_settled_memory_has_all_tokens_with_content_oldest_first():
    full, short = holding(5, working=(1,)), holding(2)
    full[M + 1] = 0  # erased
    rows = settled(torch.stack([full, short]), START)
    assert torch.equal(rows[0], full[[M, M + 2, M + 3, M + 4, 1]])
    assert torch.equal(rows[1], torch.cat([short[M : M + 2], torch.zeros(3, WIDTH)]))
    assert settled(holding(0)[None], START).shape == (1, 1, WIDTH), "an empty memory settles to one blank token"


@pytest.mark.parametrize("reach", [None, 3])
def test_a_question_sees_the_content_of_a_settled_memory_and_nothing_else(make_model, reach):
    model = make_model(**TINY, settle_memory=True, memory_reach=reach)
    start = model.rmt.memory.detach()
    memory = holding(4, working=(1,), start=start)[None]
    ids = torch.tensor([[[2, 7, 8, *[model.config.mask_token_id] * 3, 3]]])
    logits = model(ids, memory=memory).logits
    stored = torch.cat([start, memory[0, M : M + 4], memory[0, 1:2], torch.zeros(S - 5, WIDTH)])[None]
    torch.testing.assert_close(model(ids, memory=stored).logits, logits, msg="working or stored must not matter")
    nudged = memory.clone()
    nudged[0, 0] += 0.1 * start[0]  # this working token has no content
    torch.testing.assert_close(model(ids, memory=nudged).logits, logits)
    shuffled = memory.clone()
    shuffled[0, M], shuffled[0, M + 3] = memory[0, M + 3], memory[0, M]
    assert not torch.allclose(model(ids, memory=shuffled).logits, logits), "the order must matter"
    together = model(ids.expand(2, -1, -1), memory=torch.cat([memory, holding(20, start=start)[None]])).logits
    torch.testing.assert_close(together[:1], logits, atol=1e-4, rtol=1e-4)


def test_each_question_sees_its_own_settled_memory(make_model):
    model = make_model(**TINY, settle_memory=True)
    start = model.rmt.memory.detach()
    memory = torch.stack([holding(4, working=(1,), start=start), holding(20, start=start)])
    of_each = (0, 1, 0, 0, 1, 1, 0)  # asked in parts, the shorter memories first
    ids = torch.tensor([[2, 7 + n, 8, *[model.config.mask_token_id] * 3, 3] for n in range(len(of_each))])
    nothing = {"input_ids": ids[:1], "order": torch.zeros(2, 0, dtype=torch.long), "memory": memory}
    together = model(**nothing, query_ids=ids, query_of=torch.tensor(of_each)).logits
    for question, of, logits in zip(ids, of_each, together, strict=True):
        alone = model(question[None, None], memory=memory[of : of + 1]).logits[0]
        torch.testing.assert_close(logits, alone, atol=1e-4, rtol=1e-4)


def test_training_settles_the_memory_too_and_segments_write_as_before(make_model):
    plain, model = make_model(**TINY), make_model(**TINY, settle_memory=True)
    ids = torch.tensor([[[2, 7, 8, 9, 10, 11, 3], [2, 7, 8, *[model.config.mask_token_id] * 3, 3]]])
    with torch.inference_mode():
        one, other = plain(ids), model(ids)
        assert torch.equal(one.gates, other.gates) and not torch.allclose(one.logits, other.logits)
    model.train()(ids, labels=torch.tensor([[7, 3, 3]])).loss.backward()
    assert model.rmt.memory.grad.any(), "gradients must reach the initial memory through what was written"


def test_attention_to_a_settled_memory(make_model):
    model = make_model(**TINY, settle_memory=True)
    memory = holding(4, working=(1,), start=model.rmt.memory.detach())[None]
    ids = torch.tensor([[2, 7, 8, *[model.config.mask_token_id] * 3, 3]])
    seen = query_attention(model, ids, memory)
    assert seen.to_memory.shape[-1] == 5 and (seen.to_memory > 0).all()
    torch.testing.assert_close(seen.weights.sum(-1), torch.ones(seen.weights.shape[:3]))


def test_classification_settles_the_memory_too(make_model, tokenizer):
    model = make_model("classification", **TINY, settle_memory=True, num_labels=6)
    memory = holding(4, working=(1,), start=model.rmt.memory.detach())[None]
    ids = torch.tensor([[2, 7, 8, 3]])
    chances = model(ids[:, None], memory=memory).logits.softmax(-1)
    said = ask(model, tokenizer, ids, torch.ones_like(ids), memory)[0]
    assert said.score == pytest.approx(chances.max().item(), abs=1e-6), "does `ask` settle the memory as forward does?"
    assert query_attention(model, ids, memory).to_memory.shape[-1] == 5
