"""Build what a training run needs: the model, the source of its batches, and the guide of its write gates if any."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from torch import nn

from .. import backbones, checkpoints, low_rank
from ..data import corpora
from ..data.batches import BatchMaker
from ..heads import RMTForMaskedLM, RMTForSequenceClassification
from ..pretrained import RMTPreTrainedModel
from ..segments import token_ids
from ..write_gate import WriteGate
from .curriculum import Recipe
from .guide import Guide, Guided, Told

GATE_SPEED = 10.0  # learning rate of guided gates, as a multiple of that of all other weights


def build(
    recipe: Recipe, backbone: str, background: Sequence[str | Path], init: str | Path | None = None
) -> tuple[RMTPreTrainedModel, BatchMaker]:
    """Build the recipe's model, new or with the weights of the checkpoint `init`, and the source of its batches.

    Raises:
        ValueError: if the recipe starts from a checkpoint and `init` is missing, if the checkpoint's shape differs from
            that of the recipe's model, or if backbone, checkpoint or background cannot be loaded.
    """
    if recipe.goes_on and init is None:
        raise ValueError("This recipe starts from a checkpoint: name one with --init.")
    head = {"masked_lm": RMTForMaskedLM, "classification": RMTForSequenceClassification}[recipe.head]
    model = head.from_backbone(backbone, **recipe.config)
    base = (low_rank.base_of(init) or str(init)) if recipe.rank else init
    if init is not None:
        trained = checkpoints.load(backbones.resolve(str(base), init), torch.float32)[0].state_dict()
        # A memory twice as large starts with every token twice, at two positions.
        trained["rmt.memory"] = trained["rmt.memory"].repeat_interleave(
            max(1, model.config.num_memory_tokens // len(trained["rmt.memory"])), dim=0
        )
        try:
            model.load_state_dict(trained)
        except RuntimeError as error:
            raise ValueError(f"The shape of {init} does not fit the recipe's model: train without --init.") from error
    if recipe.rank and base != str(init):  # `init` is itself a low-rank change of `base`
        low_rank.load(model, init)
    elif recipe.rank:
        low_rank.adapt(model, recipe.rank, base)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # no sample is ever seen twice, so there is nothing to overfit to
    tokenizer = backbones.load_tokenizer(backbone)
    return model, BatchMaker(model.config, tokenizer, corpora.mix(background, "train"), "train", story_words(tokenizer))


def guide_of(recipe: Recipe, model: RMTPreTrainedModel, init: str | Path | None = None) -> Guided | None:
    """The guide that supervises the write gates, or None if they learn from the answers alone."""
    if recipe.told_gates:
        return Told(model.rmt.cell, recipe.litter)
    return Guide(str(init), recipe.litter) if recipe.guided_gates else None


def parameters(model: nn.Module, guide: Guided | None) -> list[dict]:
    """The optimizer's parameter groups. Guided gates learn faster, to keep up with the hidden states they see."""
    gates = [p for module in model.modules() if isinstance(module, WriteGate) for p in module.parameters()]
    others = [p for p in model.parameters() if p.requires_grad and not any(p is gate for gate in gates)]
    return [{"params": others, "speed": 1.0}, {"params": gates, "speed": GATE_SPEED if guide else 1.0}]


def story_words(tokenizer) -> list[str]:
    """Extra words for the facts: the words of the tokenizer's vocabulary, and as many made up from two of its pieces,
    so that the model learns to copy an answer and not to choose from words it has seen."""
    vocabulary = sorted(tokenizer.get_vocab())
    words = [w for w in vocabulary if w.isascii() and w.isalpha() and len(w) > 2]
    endings = [w[2:] for w in vocabulary if w.startswith("##") and w.isascii() and w[2:].isalpha() and len(w) > 3]
    rng = Random(0)
    made_up = [rng.choice(words) + rng.choice(endings) for _ in words] if endings else []
    pieces = token_ids(tokenizer, made_up)
    return words + [word for word, ids in zip(made_up, pieces, strict=True) if len(ids) <= 3]
