"""Checkpoints that are a small change of another: trained as adapters, stored as adapters, loaded as one model."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import tiny_model

from rmt_demo import Reader, RMTForMaskedLM, checkpoints, low_rank

pytest.importorskip("peft")

IDS = torch.tensor([[[2, 7, 8, 9, 3, 0], [2, 7, 4, 4, 4, 3]]])


@pytest.fixture
def base(backbone, tmp_path):
    """The folder of a checkpoint whose weights are nowhere where a fresh model starts."""
    model = tiny_model(backbone, memory_update="gated", freeze_embeddings=True)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.rand_like(parameter))
    model.save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def changed(base):
    """changed(rank=2): that model with adapters that change something."""

    def make(rank=2):
        model = RMTForMaskedLM.from_pretrained(base).eval()
        low_rank.adapt(model, rank, base)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.normal_(std=0.3)
        return model

    return make


def test_a_change_is_loaded_with_its_checkpoint_beside_it_from_anywhere(changed, tmp_path, monkeypatch):
    model = changed()
    model.backbone.peft_config["default"].base_model_name_or_path = "checkpoints/base"
    model.save_pretrained(tmp_path / "change")
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    loaded = RMTForMaskedLM.from_pretrained(tmp_path / "change").eval()
    torch.testing.assert_close(logits(loaded), logits(model))


def logits(model):
    with torch.inference_mode():
        return model(IDS).logits


def test_adapters_of_the_attention_are_all_that_is_trained_and_change_nothing_at_first(base):
    before, model = RMTForMaskedLM.from_pretrained(base).eval(), RMTForMaskedLM.from_pretrained(base).eval()
    low_rank.adapt(model, 2, base)
    assert torch.equal(logits(model), logits(before)) and low_rank.is_adapted(model) and not low_rank.is_adapted(before)
    trained = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    assert all(".attention." in name and ".lora_" in name for name in trained)
    assert sum(trained.values()) == 2 * 4 * (2 * 32 * 2), "two layers, four matrices each, of width 32 and rank 2"
    model(IDS, labels=torch.tensor([[7, 3, 3]])).loss.backward()
    assert all(p.grad is None for name, p in model.named_parameters() if name not in trained)
    assert any(p.grad.any() for name, p in model.named_parameters() if name in trained)


def test_saved_as_a_change_and_loaded_as_one_model(changed, base, tmp_path, monkeypatch):
    model = changed()
    model.save_pretrained(tmp_path / "change")
    assert low_rank.base_of(tmp_path / "change") == base and low_rank.base_of(base) is None
    assert {p.name for p in (tmp_path / "change").iterdir()} == {"config.json", low_rank.CONFIG, low_rank.WEIGHTS}
    monkeypatch.chdir(tmp_path)
    loaded, info = RMTForMaskedLM.from_pretrained("change", output_loading_info=True)
    assert not info["missing_keys"]
    assert loaded.state_dict().keys() == RMTForMaskedLM.from_pretrained(base).state_dict().keys()
    torch.testing.assert_close(logits(loaded.eval()), logits(model), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(logits(loaded), logits(RMTForMaskedLM.from_pretrained(base).eval()), atol=1e-2)
    half, _ = checkpoints.load("change", torch.bfloat16)
    assert half.dtype == torch.bfloat16 and not low_rank.is_adapted(half)
    assert Reader.from_pretrained("change").ask("Where is Mary?").text


def test_the_config_is_its_own(changed, tmp_path):
    model = changed()
    model.config.num_answer_slots, model.config.architectures = 5, None  # as of a model that was never saved
    model.save_pretrained(tmp_path / "change")
    checkpoints.load(str(tmp_path / "change"), torch.float32)
    assert RMTForMaskedLM.from_pretrained(tmp_path / "change").config.num_answer_slots == 5


def test_peft_itself_understands_the_files(changed, base, tmp_path):
    from peft import PeftModel

    model = changed()
    model.save_pretrained(tmp_path / "change")
    plain = RMTForMaskedLM.from_pretrained(base).eval()
    PeftModel.from_pretrained(plain.backbone, tmp_path / "change")
    torch.testing.assert_close(logits(plain), logits(model))


def test_a_change_can_be_trained_on(changed, base, tmp_path):
    model = changed()
    model.save_pretrained(tmp_path / "change")
    again = RMTForMaskedLM.from_pretrained(base).eval()
    low_rank.load(again, tmp_path / "change")
    assert torch.equal(logits(again), logits(model))
    trained, adapted = ({n for n, p in m.named_parameters() if p.requires_grad} for m in (again, model))
    assert trained == adapted and again.config.base_checksum == model.config.base_checksum


def test_a_change_of_a_few_layers_is_trained_on_as_it_is(changed, base, tmp_path):
    changed().save_pretrained(tmp_path / "change")
    config = json.loads((tmp_path / "change" / low_rank.CONFIG).read_text())
    config["target_modules"] = fewer = [name for name in config["target_modules"] if not name.endswith("key")]
    (tmp_path / "change" / low_rank.CONFIG).write_text(json.dumps(config))
    weights = load_file(tmp_path / "change" / low_rank.WEIGHTS)
    save_file({n: w for n, w in weights.items() if ".key." not in n}, tmp_path / "change" / low_rank.WEIGHTS)
    model = RMTForMaskedLM.from_pretrained(base)
    low_rank.load(model, tmp_path / "change")
    model.save_pretrained(tmp_path / "on")
    assert {
        name.split(".lora_")[0].removeprefix(low_rank.PREFIX) for name in load_file(tmp_path / "on" / low_rank.WEIGHTS)
    } == {*fewer}


def test_a_loaded_change_is_as_trainable_as_its_base(changed, base, tmp_path):
    changed().save_pretrained(tmp_path / "change")
    loaded = RMTForMaskedLM.from_pretrained(tmp_path / "change"), RMTForMaskedLM.from_pretrained(base)
    one, other = ({name: p.requires_grad for name, p in model.named_parameters()} for model in loaded)
    assert one == other and any(one.values()) and not all(one.values())


def test_a_change_of_other_weights_is_refused(changed, base, tmp_path):
    changed().save_pretrained(tmp_path / "change")
    weights = load_file(f"{base}/model.safetensors")
    weights["bias"] += 1
    save_file(weights, f"{base}/model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="is a change of other weights than those in .*base: train it again"):
        checkpoints.load(str(tmp_path / "change"), torch.float32)


@pytest.mark.parametrize("damage", ["rank", "names", "base"])
def test_a_change_that_does_not_fit_is_refused_with_a_sentence(changed, tmp_path, damage):
    changed().save_pretrained(folder := tmp_path / "change")
    weights = load_file(folder / low_rank.WEIGHTS)
    if damage == "rank":
        weights = {name: torch.cat([w, w]) if "lora_A" in name else torch.cat([w, w], 1) for name, w in weights.items()}
    elif damage == "names":
        weights.popitem()
    else:
        config = json.loads((folder / low_rank.CONFIG).read_text()) | {"base_model_name_or_path": "nowhere/at-all"}
        (folder / low_rank.CONFIG).write_text(json.dumps(config))
    save_file(weights, folder / low_rank.WEIGHTS)
    words = "is a change of nowhere/at-all, which is not there" if damage == "base" else "do not fit its config.json"
    with pytest.raises(ValueError, match=words) as caught:
        checkpoints.load(str(folder), torch.float32)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_change_of_nothing_is_refused(changed, tmp_path, content):
    changed().save_pretrained(folder := tmp_path / "change")
    (folder / low_rank.CONFIG).write_text(content)
    with pytest.raises(ValueError, match="does not name the base checkpoint of"):
        checkpoints.load(str(folder), torch.float32)


def test_a_change_is_loaded_in_any_precision(changed, tmp_path):
    changed().save_pretrained(tmp_path / "change")
    for dtype in (torch.float32, torch.bfloat16, torch.float16, "float16"):
        model = RMTForMaskedLM.from_pretrained(tmp_path / "change", dtype=dtype)
        assert model.dtype == model.config.dtype == getattr(torch, str(dtype).removeprefix("torch."))


def test_nothing_is_left_of_a_checkpoint_of_the_other_kind(changed, base, tmp_path):
    """A run into a folder that held another: what is loaded from it is the new one."""
    whole, change = RMTForMaskedLM.from_pretrained(base).eval(), changed()
    for model in (change, whole, change):
        model.save_pretrained(tmp_path / "folder")
        loaded = RMTForMaskedLM.from_pretrained(tmp_path / "folder", dtype=torch.float32).eval()
        torch.testing.assert_close(logits(loaded), logits(model), atol=1e-5, rtol=1e-4)
        assert (low_rank.base_of(tmp_path / "folder") is None) == (model is whole)


def test_nobody_is_asked_on_the_network(changed, tmp_path, monkeypatch, recwarn):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("peft.utils.save_and_load.check_file_exists_on_hf_hub", lambda *a, **k: pytest.fail("asked"))
    changed().save_pretrained("change")
    checkpoints.load("change", torch.float32)
    assert not [w for w in recwarn if "config" in str(w.message)]
