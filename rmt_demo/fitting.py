"""Check that a backbone can take memory tokens: it must be an encoder built like BERT, whatever its name."""

import torch
from transformers import PreTrainedModel

from .backbones import evaluating
from .text_pass import ATTENTION


def check(backbone: PreTrainedModel) -> None:
    """Set the backbone's attention function, and reject backbones that would run with memory tokens but compute wrong.

    Raises:
        ValueError: if the backbone does not use the attention function that was set, so that the masks of padding and
            memory would be ignored; if some layers use sliding-window attention, which cannot reach memory tokens in
            front of the text; if its word embeddings are not as wide as its hidden states, which become memory tokens;
            or if a trial run fails, or shows that tokens affect each other outside attention, where no mask applies.
    """
    cause = None
    try:
        why = _misfit(backbone)
    except Exception as error:  # each unsuitable architecture fails in its own way
        why, cause = f"it does not run as BERT does ({error})", error
    if why:
        raise ValueError(
            f"A backbone of type {backbone.config.model_type!r} cannot take memory tokens because {why}: "
            "choose one like BERT, RoBERTa or DistilBERT."
        ) from cause


def _misfit(backbone: PreTrainedModel) -> str | None:
    """Return why the backbone cannot take memory tokens, or None if it can."""
    backbone.set_attn_implementation(ATTENTION)
    config = backbone.config
    if config._attn_implementation != ATTENTION:
        return "it has its own attention implementation"
    if "sliding_attention" in (getattr(config, "layer_types", None) or ()):
        return "some of its layers use sliding-window attention"
    words = backbone.get_input_embeddings().embedding_dim
    if words != config.hidden_size:
        return f"its word embeddings are {words} wide and its hidden states {config.hidden_size}"
    if backbone.device.type != "meta" and _leaks(backbone):  # "meta": loading a checkpoint
        return "its tokens affect each other outside attention"
    return None


@torch.no_grad()
def _leaks(backbone: PreTrainedModel) -> bool:
    """Whether a token changes the hidden states of tokens that are masked from it."""
    text = torch.zeros(2, 4, backbone.config.hidden_size, dtype=backbone.dtype, device=backbone.device)
    text[1, 1] = torch.linspace(-1, 1, text.shape[2])
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool, device=text.device)
    mask[:, :, :, 1] = False
    with evaluating(backbone):
        one, other = backbone(inputs_embeds=text, attention_mask=mask).last_hidden_state[:, [0, 2, 3]]
    return not torch.allclose(one, other, atol=1e-4)
