"""What a run trains: the model, the gates' guide if it has one, and the source of its batches."""

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

GATE_SPEED = 10.0  # learning rate of guided gates, by that of all else


def build(
    recipe: Recipe, backbone: str, background: Sequence[str | Path], init: str | Path | None = None
) -> tuple[RMTPreTrainedModel, BatchMaker]:
    """The model for the recipe, fresh or from the checkpoint `init`, and the source of its batches.

    Raises:
        ValueError: if the recipe goes on from a checkpoint and there is none, if it has another shape than the recipe's
            model, or if backbone, checkpoint or background cannot be loaded.
    """
    if recipe.goes_on and init is None:
        raise ValueError("This recipe goes on from a checkpoint: name one with --init.")
    head = {"masked_lm": RMTForMaskedLM, "classification": RMTForSequenceClassification}[recipe.head]
    model = head.from_backbone(backbone, **recipe.config)
    base = (low_rank.base_of(init) or str(init)) if recipe.rank else init
    if init is not None:
        trained = checkpoints.load(backbones.resolve(str(base), init), torch.float32)[0].state_dict()
        # A memory twice as large begins with every token twice, at two positions.
        trained["rmt.memory"] = trained["rmt.memory"].repeat_interleave(
            max(1, model.config.num_memory_tokens // len(trained["rmt.memory"])), dim=0
        )
        try:
            model.load_state_dict(trained)
        except RuntimeError as error:
            raise ValueError(f"{init} has another shape than the recipe's model: train without --init.") from error
    if recipe.rank:
        low_rank.adapt(model, recipe.rank, base)
        if base != str(init):  # going on from a change of the same checkpoint
            low_rank.load(model, init)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # no sample is ever seen twice, so there is nothing to overfit to
    tokenizer = backbones.load_tokenizer(backbone)
    return model, BatchMaker(model.config, tokenizer, corpora.mix(background, "train"), "train", story_words(tokenizer))


def guide_of(recipe: Recipe, model: RMTPreTrainedModel, init: str | Path | None = None) -> Guided | None:
    """What says what the write gates are to write, if they do not learn it from the answers."""
    if recipe.told_gates:
        return Told(model.rmt.cell, recipe.litter)
    return Guide(str(init), recipe.litter) if recipe.guided_gates else None


def parameters(model: nn.Module, guide: Guided | None) -> list[dict]:
    """All that is trained; guided gates at a rate of their own, to keep up with what they see."""
    gates = [p for module in model.modules() if isinstance(module, WriteGate) for p in module.parameters()]
    others = [p for p in model.parameters() if p.requires_grad and not any(p is gate for gate in gates)]
    return [{"params": others, "speed": 1.0}, {"params": gates, "speed": GATE_SPEED if guide else 1.0}]


def story_words(tokenizer) -> list[str]:
    """Further words for the facts: those of the tokenizer's vocabulary, and as many made up of two pieces of it, so
    that the answer is copied and not chosen from words seen before."""
    vocabulary = sorted(tokenizer.get_vocab())
    words = [w for w in vocabulary if w.isascii() and w.isalpha() and len(w) > 2]
    endings = [w[2:] for w in vocabulary if w.startswith("##") and w.isascii() and w[2:].isalpha() and len(w) > 3]
    rng = Random(0)
    made_up = [rng.choice(words) + rng.choice(endings) for _ in words] if endings else []
    pieces = token_ids(tokenizer, made_up)
    return words + [word for word, ids in zip(made_up, pieces, strict=True) if len(ids) <= 3]
