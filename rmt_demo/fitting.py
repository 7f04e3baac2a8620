"""Which backbones can take memory tokens: encoders that are built like BERT, whatever they are called."""

import torch
from transformers import PreTrainedModel

from .backbones import evaluating
from .text_pass import ATTENTION


def check(backbone: PreTrainedModel) -> None:
    """Set the attention function, and refuse a backbone that would run with memory tokens and be wrong.

    Raises:
        ValueError: if it does not call the attention function that was set, so that the masks of padding and memory are
            lost on it, if some of its layers see near tokens only, which memory tokens in front of the text are not,
            if its word embeddings are not as wide as the hidden states that become memory tokens, or if, tried out, it
            fails or tokens meet other than by attention, where no mask holds.
    """
    cause = None
    try:
        why = _misfit(backbone)
    except Exception as error:  # each kind that is built otherwise fails in another way
        why, cause = f"it does not run as BERT does ({error})", error
    if why:
        raise ValueError(
            f"A backbone of the kind {backbone.config.model_type!r} cannot take memory tokens, as {why}: "
            "choose one like BERT, RoBERTa or DistilBERT."
        ) from cause


def _misfit(backbone: PreTrainedModel) -> str | None:
    backbone.set_attn_implementation(ATTENTION)
    config = backbone.config
    if config._attn_implementation != ATTENTION:
        return "it has an attention of its own"
    if "sliding_attention" in (getattr(config, "layer_types", None) or ()):
        return "some of its layers see near tokens only"
    words = backbone.get_input_embeddings().embedding_dim
    if words != config.hidden_size:
        return f"its word embeddings are {words} wide and its hidden states {config.hidden_size}"
    if backbone.device.type != "meta" and _leaks(backbone):  # a checkpoint was tried out when it was made
        return "its tokens meet other than by attention"
    return None


@torch.no_grad()
def _leaks(backbone: PreTrainedModel) -> bool:
    """Does a token change what becomes of others that may not look at it?"""
    text = torch.zeros(2, 4, backbone.config.hidden_size, dtype=backbone.dtype, device=backbone.device)
    text[1, 1] = torch.linspace(-1, 1, text.shape[2])
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool, device=text.device)
    mask[:, :, :, 1] = False
    with evaluating(backbone):
        one, other = backbone(inputs_embeds=text, attention_mask=mask).last_hidden_state[:, [0, 2, 3]]
    return not torch.allclose(one, other, atol=1e-4)
