"""Batches for training and evaluation: stories hidden in background text.

A batch is a table of segments: first the segments with facts, each made for one sample, then background segments that
all samples share. `order` lists the rows that each sample reads. With `text_attends_memory=False` every row is encoded
once, however many samples read it, so a haystack of 64 segments costs little more than its facts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from ..config import RMTConfig
from ..framing import frame
from ..questions import THEREFORE, answer_ids
from ..segments import token_ids
from .corpora import Background
from .facts import StoryGenerator
from .families import own
from .noise import consecutive, echo, lure
from .samples import Mixture, Sampler
from .world import Question


@dataclass
class Batch:
    """B haystacks of up to S segments, from a table of N segments of L tokens, and Q questions.

    inputs     arguments of RMTForMaskedLM, labels included
    questions  as text, with their answers
    has_fact   [B, S] bool, whether the segment that is read holds a fact
    in_fact    [N, L] bool, which tokens of the table belong to a fact
    thoughts   [Q] how many tokens of a question's label belong to the thought before the answer, 0 = no thought
    """

    inputs: dict[str, Tensor | int]
    questions: list[Question]
    has_fact: Tensor
    in_fact: Tensor
    thoughts: Tensor

    def inputs_on(self, device: torch.device) -> dict[str, Tensor | int]:
        """`inputs` with the tensors moved to a device."""
        return {name: value.to(device) if torch.is_tensor(value) else value for name, value in self.inputs.items()}


class BatchMaker:
    """Makes batches; the same seed string gives the same batch.

    Args:
        config: gives the segment length, the memory size and the special tokens.
        tokenizer: the backbone's.
        background: sentences to hide facts in: a training part for training, an evaluation part for testing.
        split: "train" or "eval": which words and paraphrases to use.
        extra_words: extra words for the stories (see StoryGenerator).
    """

    def __init__(
        self, config: RMTConfig, tokenizer, background: Background, split: str, extra_words: Sequence[str] = ()
    ):
        self.config, self.tokenizer = config, tokenizer
        self.sentences = token_ids(tokenizer, background.sentences)
        self.stories = StoryGenerator(split=split, extra_words=extra_words)
        self.sampler = Sampler(config, tokenizer, self.stories)

    def batch(self, mixture: Mixture, seed: str, segment_length: int | None = None) -> Batch:
        """Draw one batch; `segment_length` may be shorter than the model's, as early in a curriculum.

        Raises:
            ValueError: if stories of this kind do not fit into the model's segments.
        """
        rng = Random(seed)
        overhead = self.config.segment_length - self.config.text_capacity
        room = (segment_length or self.config.segment_length) - overhead
        rows, orders, asked, all_facts = [], [], [], []
        own_families = own(mixture.own) if mixture.own else ()
        with_tail = rng.random() < mixture.tail_rate
        for _ in range(mixture.batch_size):
            sample = self.sampler.draw(rng, mixture, own_families, with_tail)
            all_facts += sample.facts
            order = [-2] * sample.steps  # -2: any background row
            for step in sorted(set(sample.places) - {sample.steps}):
                inside = sample.inside(step, sample.facts)
                order[step] = len(rows)
                needed = sum(map(len, inside))
                size = room
                if step == sample.steps - 1 and not with_tail:  # the last segment of the text may be shorter
                    size = rng.randint(needed, max(needed, room))
                rows.append(self._marked(rng, size, inside, sample.at_start, mixture.echoes))
            orders.append(order)
            in_tail = sample.inside(sample.steps, sample.facts)
            needed = sum(map(len, in_tail))
            for question, ids in sample.questions:
                size = rng.randint(needed, max(needed, room - len(ids)))
                tail = self.segment(rng, size, in_tail, sample.at_start) if with_tail else []
                asked.append((len(orders) - 1, tail + ids, question))
            for steps, questions in [] if with_tail else self.sampler.read_again(rng, mixture, sample):
                orders.append([order[step] for step in steps])
                asked += [(len(orders) - 1, ids, question) for question, ids in questions]
        noise = self.noise(rng, mixture.background, room, mixture.echoes)
        lures = round(mixture.lures * mixture.background)
        noise[:lures] = [lure(rng, row, all_facts) for row in noise[:lures]]
        return self._tensors(rng, rows, noise, orders, asked)

    def noise(self, rng: Random, count: int, room: int | None = None, echoes: float = 0.0) -> list[list[int]]:
        """Draw `count` background segments as text tokens. Each fills three quarters to all of `room`, by default the
        model's text capacity; `echoes` as in `Mixture`."""
        room = room or self.config.text_capacity
        return [self._marked(rng, rng.randint(room * 3 // 4, room), [], echoes=echoes)[0] for _ in range(count)]

    def segment(self, rng: Random, room: int, facts: list[list[int]], at_start: bool = False) -> list[int]:
        """A segment of `room` tokens: consecutive background sentences, the last one cut off, with facts between them
        (or, with `at_start`, before them)."""
        return self._marked(rng, room, facts, at_start)[0]

    def _marked(
        self, rng: Random, room: int, facts: list[list[int]], at_start: bool = False, echoes: float = 0.0
    ) -> tuple[list[int], list[bool]]:
        """A segment, and which of its tokens belong to a fact."""
        background = consecutive(self.sentences, room - sum(map(len, facts)), rng)
        if background and echoes and rng.random() < echoes:
            background = echo(rng, background)
        pieces = [(sentence, False) for sentence in background]
        spots = sorted(0 if at_start else rng.randint(0, len(pieces)) for _ in facts)
        for spot, fact in zip(spots[::-1], facts[::-1], strict=True):
            pieces.insert(spot, (fact, True))
        tokens = [token for piece, _ in pieces for token in piece]
        return tokens, [is_fact for piece, is_fact in pieces for _ in piece]

    def _tensors(self, rng, marked, noise, orders, asked) -> Batch:
        """Frame and pad a batch's segments and questions: `marked` rows with facts, `noise` rows without, the `orders`
        of the samples, and `asked` as (sample, token ids, question)."""
        trained = len(marked)
        rows = [row for row, _ in marked]
        # Some background segments end early, as the last one of a text does.
        rows += [row[: rng.randint(1, len(row))] if rng.random() < 0.125 else row for row in noise]
        longest = max(map(len, orders))
        order = torch.full((len(orders), longest), -1)
        for b, sample in enumerate(orders):
            for s, row in enumerate(sample):
                order[b, s] = row if row >= 0 else rng.randrange(trained, len(rows))
        ids, mask = frame(rows, self.config)
        in_fact = torch.zeros_like(mask)
        for row, (_, is_fact) in enumerate(marked):
            in_fact[row, 1 : 1 + len(is_fact)] = torch.tensor(is_fact)
        query, query_mask = frame([text for _, text, _ in asked], self.config)
        labels = torch.tensor(
            [answer_ids(self.tokenizer, self.config, question.answer, question.thought) for _, _, question in asked]
        )
        therefore = labels == token_ids(self.tokenizer, [THEREFORE])[0][0]
        inputs = {
            "input_ids": ids,
            "attention_mask": mask,
            "order": order,
            "query_ids": query,
            "query_mask": query_mask,
            "query_of": torch.tensor([sample for sample, _, _ in asked]),
            "num_trained": trained,
            "labels": labels,
        }
        thoughts = (therefore.int().argmax(1) + 1) * therefore.any(1)
        return Batch(inputs, [q for _, _, q in asked], (order >= 0) & (order < trained), in_fact, thoughts)
