"""Framed segments: [CLS] text [SEP] with padding, and no token lost."""

import torch

from rmt_demo import RMTConfig
from rmt_demo.framing import frame, frame_last_full

CLS, SEP, PAD = 2, 3, 0
CONFIG = RMTConfig(  # 25 text tokens in a segment
    num_memory_tokens=4, segment_length=32, cls_token_id=CLS, sep_token_id=SEP, pad_token_id=PAD
)


def test_texts_are_framed_and_padded():
    ids, mask = frame([[7, 8, 9], [5]], CONFIG)
    assert ids.tolist() == [[CLS, 7, 8, 9, SEP], [CLS, 5, SEP, PAD, PAD]]
    assert mask.dtype == torch.bool and mask.sum(1).tolist() == [5, 3]


def test_padding_to_a_multiple_stays_within_a_segment():
    shapes = {n: frame([[7] * n], CONFIG, multiple=8)[0].shape[1] - 2 for n in (1, 8, 9, 24, 25)}
    assert shapes == {1: 8, 8: 8, 9: 16, 24: 24, 25: 25}, "25 tokens are a full segment: 32 would not fit the model"


def test_the_last_segment_is_full_and_the_first_one_short():
    text = torch.arange(50, 110)[None]
    ids, mask = frame_last_full(text, None, CONFIG)
    assert mask.sum(-1).tolist() == [[12, 27, 27]]
    assert ids[0, :, 0].tolist() == [CLS] * 3 and ids[0, -1, -1] == SEP and ids[0, 0, 11] == SEP
    body = torch.cat([row[m][1:-1] for row, m in zip(ids[0], mask[0], strict=True)])
    assert torch.equal(body, text[0]), "no token may be lost or moved"


def test_shorter_samples_start_with_empty_segments():
    text = torch.full((2, 30), 60)
    ids, mask = frame_last_full(text, (torch.arange(30) < torch.tensor([[30], [3]])).long(), CONFIG)
    assert mask.sum(-1).tolist() == [[7, 27], [0, 5]]
    assert ids[1].tolist() == [[PAD] * 27, [CLS, 60, 60, 60, SEP] + [PAD] * 22]
