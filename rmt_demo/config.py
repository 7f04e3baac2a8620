"""RMTConfig: everything that defines a Recurrent Memory Transformer besides its weights."""

from transformers import AutoConfig, PreTrainedConfig

BACKBONE = "all-MiniLM-L6-v2"  # packaged, see `backbones.py`
LAYOUTS = ("prefix",)
UPDATES = ("replace", "gated")


class RMTConfig(PreTrainedConfig):
    """A glossary of the model, one field per idea. The defaults are the paper's (arXiv 2304.11062, section 3).

    backbone              where the backbone came from: a packaged name, a Hub id or a folder (see `backbones.py`)
    backbone_config       the backbone's own configuration, so that a checkpoint can be rebuilt without fetching it
    num_memory_tokens     m, the memory tokens carried from segment to segment that every segment works on
    segment_length        tokens per model input, memory and special tokens included (the paper: 512, 499 of them text)
    memory_layout         "prefix": [CLS] mem*m [SEP] text [SEP], for encoders
    memory_update         "replace": the new memory takes the old one's place (the paper); "gated": a hard write gate
                          per memory token decides between new and old (see `write_gate.WriteGate`)
    num_stored_tokens     s, further memory tokens for spread_memory and the write gate: no segment works on them, a
                          question sees them; what the memory holds moves there before a segment is written,
                          and what was written least goes when there is no room (see `write_gate.put_aside`)
    settle_memory         before a question, what the working tokens hold moves to the stored ones as well, and what
                          holds something is all that the question sees, in the order it was read (RMTForMaskedLM)
    text_attends_memory   False: outside the question's segment the text rows cannot see the memory, which lets the
                          text of all segments be encoded in parallel
    spread_memory         True: memory tokens take positions spread over the text instead of the m in front of it
    memory_reach          with spread_memory: a memory token sees so many text tokens on either side of its position,
                          and at least one and a half times the distance between two; None = the whole segment
    memory_norm           longer memory tokens enter the backbone scaled to this length: a written one is ten times as
                          long as a word, and a position added to it is lost; None = all enter as they are
    age_slope             how much more clearly than by its position alone a stored token tells its age: positions of
                          BERT's kind are waves, in which the order of two that are far apart can hardly be seen
    bptt_depth            segments before the last one that gradients flow back through; None = all of them
    cut_at_sentences      the reader ends a segment at a sentence end where it can, so that no fact is cut in two
    freeze_embeddings     the backbone's embedding module is neither trained nor stored in the checkpoint
    freeze_feed_forward   nor are its feed-forward layers, two thirds of the rest; attention and layer norms are
    embeddings_checksum   of all that is frozen, so that another backbone of the same shape is not taken for it
    base_checksum         of the checkpoint that this one is a low-rank change of (see `low_rank.py`), likewise
    num_answer_slots      [MASK] slots that hold an open answer (RMTForMaskedLM)
    cls_token_id ...      the special tokens that frame a segment
    unknown_token_id      with which the answer begins that a text does not tell; with stored tokens, a question is
                          asked in two rounds (RMTForMaskedLM, see `recall.py`); None = always in one
    """

    model_type = "rmt"
    # transformers.Trainer gathers what is not named here of a whole evaluation set.
    keys_to_ignore_at_inference = ["memory", "gates", "last_hidden_state", "query_ids"]

    backbone: str = BACKBONE
    backbone_config: dict | None = None
    num_memory_tokens: int = 10
    segment_length: int = 512
    memory_layout: str = "prefix"
    memory_update: str = "replace"
    num_stored_tokens: int = 0
    settle_memory: bool = False
    text_attends_memory: bool = True
    spread_memory: bool = False
    memory_reach: int | None = None
    memory_norm: float | None = None
    age_slope: float = 0.0
    bptt_depth: int | None = None
    cut_at_sentences: bool = False
    freeze_embeddings: bool = False
    freeze_feed_forward: bool = False
    embeddings_checksum: int | None = None
    base_checksum: int | None = None
    num_answer_slots: int = 3
    cls_token_id: int = 101
    sep_token_id: int = 102
    mask_token_id: int = 103
    pad_token_id: int | None = 0
    unknown_token_id: int | None = None

    def __post_init__(self, **kwargs):
        if self.memory_layout not in LAYOUTS:
            raise ValueError(f"memory_layout must be one of {LAYOUTS}, not {self.memory_layout!r}.")
        if self.memory_update not in UPDATES:
            raise ValueError(f"memory_update must be one of {UPDATES}, not {self.memory_update!r}.")
        for name in ("num_memory_tokens", "num_stored_tokens", "bptt_depth"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}.")
        gated_and_spread = self.memory_update == "gated" and self.spread_memory
        if self.num_stored_tokens and not (gated_and_spread and self.num_memory_tokens):
            raise ValueError(
                'num_stored_tokens needs memory_update="gated" and spread_memory=True, '
                "and num_memory_tokens of 1 or more."
            )
        for name in ("settle_memory", "age_slope"):
            if getattr(self, name) and not self.num_stored_tokens:
                raise ValueError(f"{name} needs num_stored_tokens of 1 or more.")
        if self.memory_reach is not None and not (self.spread_memory and self.memory_reach >= 1):
            raise ValueError("memory_reach must be 1 or more, and it needs spread_memory=True.")
        if self.memory_norm is not None and not self.memory_norm > 0:
            raise ValueError(f"memory_norm must be more than 0 or None, not {self.memory_norm}.")
        if self.text_capacity < 1:
            raise ValueError(
                f"segment_length {self.segment_length} leaves no room for text beside "
                f"{self.num_memory_tokens} memory tokens; make it larger."
            )
        super().__post_init__(**kwargs)

    @property
    def memory_size(self) -> int:
        """All tokens that are carried from segment to segment: m + s."""
        return self.num_memory_tokens + self.num_stored_tokens

    @property
    def text_capacity(self) -> int:
        """Text tokens in one segment: what memory and special tokens leave free (the paper: 512 - 10 - 3 = 499)."""
        return self.segment_length - self.num_memory_tokens - (3 if self.num_memory_tokens else 2)

    @property
    def asks_alone(self) -> bool:
        """Whether a question has a segment to itself, the text before it all being in the memory by then. Where text
        does not see the memory the network has learned to answer from it, and not from text beside the question; the
        paper's model reads the text at the question's side together with it."""
        return not self.text_attends_memory

    def stands_beside(self, tail: int, question: int) -> bool:
        """Whether `tail` tokens of text stand before a question of `question` tokens in its segment; otherwise they go
        through the memory first."""
        return not tail or (not self.asks_alone and tail + question <= self.text_capacity)

    def build_backbone_config(self) -> PreTrainedConfig:
        """The backbone's configuration object.

        Raises:
            ValueError: if no backbone_config was given.
        """
        if self.backbone_config is None:
            raise ValueError("This RMTConfig has no backbone_config; create the model with from_backbone(...).")
        fields = dict(self.backbone_config)
        fields.pop("dtype", None)  # the backbone is in the precision of the model around it
        return AutoConfig.for_model(fields.pop("model_type"), **fields)
