"""RMTConfig: everything that defines a Recurrent Memory Transformer besides its weights."""

from transformers import AutoConfig, PreTrainedConfig

BACKBONE = "all-MiniLM-L6-v2"  # packaged, see `backbones.py`
LAYOUTS = ("prefix",)
UPDATES = ("replace", "gated")


class RMTConfig(PreTrainedConfig):
    """Configuration of a Recurrent Memory Transformer. The defaults are the paper's (arXiv 2304.11062, section 3).

    backbone              name of the backbone: a packaged name, a Hub id or a folder (see `backbones.py`)
    backbone_config       the backbone's own configuration, so that a checkpoint can be rebuilt without fetching it
    num_memory_tokens     m, the working memory tokens: every segment reads them and may write them
    segment_length        tokens per model input, memory and special tokens included (the paper: 512, 499 of them text)
    memory_layout         "prefix": [CLS] mem*m [SEP] text [SEP], for encoders
    memory_update         "replace": the new memory replaces the old one (the paper); "gated": a hard write gate per
                          working token chooses between new and old (see `write_gate.WriteGate`)
    num_stored_tokens     s, the stored memory tokens (need spread_memory and the write gate): a question's segment sees
                          them, but no segment updates them. Before a segment is written, the working tokens' content
                          moves there; when they are full, what was written least is dropped (`write_gate.store`)
    settle_memory         the question sees only memory tokens with content, working tokens included, all treated as
                          stored tokens in the order they were read (see `recall.py`)
    text_attends_memory   False: except in the question's segment, text rows cannot attend to the memory, so that the
                          text of all segments can be encoded in parallel
    spread_memory         True: working tokens get positions spread over the text instead of the m in front of it
    memory_reach          with spread_memory: a working token attends to this many text tokens on either side of its
                          position, or to 1.5 times the spacing of working tokens if that is more; None = all text
    memory_norm           memory tokens with a larger norm are scaled down to it before they enter the backbone: a
                          written token is ten times as long as a word embedding, which drowns the position added to
                          it; None = no scaling
    age_slope             strength of an extra age signal on stored tokens: BERT's position embeddings are wave-like
                          and hardly show the order of two distant tokens; 0 = position embeddings only
    bptt_depth            segments before the last one that gradients flow back through; None = all of them
    cut_at_sentences      the reader ends segments at sentence ends where it can, so that no fact is cut in two
    freeze_embeddings     the backbone's embedding module is not trained and not stored in the checkpoint
    freeze_feed_forward   the same for its feed-forward layers, two thirds of the remaining weights; attention and
                          layer norms still train
    embeddings_checksum   checksum of all frozen weights, to detect a different backbone of the same shape
    base_checksum         checksum of the checkpoint that this one is a low-rank change of (see `low_rank.py`)
    num_answer_slots      number of [MASK] slots for an open answer (RMTForMaskedLM)
    cls_token_id ...      the special tokens that frame a segment
    unknown_token_id      first token of the answer "unknown", for questions that the text does not answer. If set, a
                          model with stored tokens and without settle_memory answers in two rounds (RMTForMaskedLM,
                          see `recall.py`); None = always in one
    """

    model_type = "rmt"
    # transformers.Trainer would gather these outputs over the whole evaluation set.
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
        """Memory tokens carried from segment to segment: m + s."""
        return self.num_memory_tokens + self.num_stored_tokens

    @property
    def text_capacity(self) -> int:
        """Text tokens per segment, without memory and special tokens (the paper: 512 - 10 - 3 = 499)."""
        return self.segment_length - self.num_memory_tokens - (3 if self.num_memory_tokens else 2)

    @property
    def asks_alone(self) -> bool:
        """Whether a question gets a segment of its own, after all text has been read into the memory.

        A model with `text_attends_memory=False` is trained to answer from the memory, not from text in the question's
        segment. The paper's model reads the last text and the question in one segment.
        """
        return not self.text_attends_memory

    def stands_beside(self, tail: int, question: int) -> bool:
        """Whether the last `tail` text tokens share a segment with a question of `question` tokens. Otherwise they are
        read into the memory first."""
        return not tail or (not self.asks_alone and tail + question <= self.text_capacity)

    def build_backbone_config(self) -> PreTrainedConfig:
        """Return the backbone's configuration object.

        Raises:
            ValueError: if no backbone_config was given.
        """
        if self.backbone_config is None:
            raise ValueError("This RMTConfig has no backbone_config; create the model with from_backbone(...).")
        fields = dict(self.backbone_config)
        fields.pop("dtype", None)  # the backbone has the dtype of the model around it
        return AutoConfig.for_model(fields.pop("model_type"), **fields)
