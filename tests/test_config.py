"""RMTConfig: what it refuses, and the arithmetic of a segment."""

import pytest

from rmt_demo import RMTConfig


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"memory_layout": "suffix"}, "memory_layout must be one of .*'suffix'"),
        ({"memory_update": "add"}, "memory_update must be one of .*'add'"),
        ({"num_stored_tokens": 8}, 'num_stored_tokens needs memory_update="gated" and spread_memory=True'),
        (
            {"num_stored_tokens": 8, "num_memory_tokens": 0, "memory_update": "gated", "spread_memory": True},
            "num_stored_tokens needs .* num_memory_tokens of 1 or more",
        ),
        ({"num_stored_tokens": -1}, "num_stored_tokens must be 0 or more, not -1"),
        ({"bptt_depth": -1}, "bptt_depth must be 0 or more, not -1"),
        ({"num_memory_tokens": -1}, "num_memory_tokens must be 0 or more, not -1"),
        ({"num_memory_tokens": 10, "segment_length": 13}, "segment_length 13 leaves no room"),
        ({"num_memory_tokens": 0, "segment_length": 2}, "segment_length 2 leaves no room"),
        ({"memory_norm": 0.0}, "memory_norm must be more than 0 or None, not 0.0"),
        ({"age_slope": 4.0}, "age_slope needs num_stored_tokens of 1 or more"),
        ({"memory_reach": 8}, "memory_reach .* needs spread_memory=True"),
        ({"memory_reach": 0, "spread_memory": True}, "memory_reach must be 1 or more"),
    ],
)
def test_fields_out_of_range_are_refused_in_one_sentence(fields, message):
    with pytest.raises(ValueError, match=message) as error:
        RMTConfig(**fields)
    assert "\n" not in str(error.value)


def test_the_paper_reads_499_text_tokens_in_a_segment():
    assert RMTConfig().text_capacity == 499
    assert RMTConfig(num_memory_tokens=0).text_capacity == 510, "without memory there is no second [SEP]"
    assert RMTConfig(num_memory_tokens=10, segment_length=14).text_capacity == 1


def test_defaults_are_the_papers():
    config = RMTConfig()
    assert (config.memory_update, config.text_attends_memory, config.bptt_depth) == ("replace", True, None)


def test_a_config_without_a_backbone_says_how_to_get_one():
    with pytest.raises(ValueError, match="from_backbone"):
        RMTConfig().build_backbone_config()


def test_saved_and_loaded(tmp_path, make_model):
    config = make_model(memory_update="gated", bptt_depth=2, text_attends_memory=False).config
    config.save_pretrained(tmp_path)
    loaded = RMTConfig.from_pretrained(tmp_path)
    rebuilt, built = loaded.build_backbone_config().to_dict(), config.build_backbone_config().to_dict()
    for key in wanted_keys(built):
        assert rebuilt[key] == built[key], f"{key} of the backbone changed on the way"
    saved, wanted = loaded.to_dict(), config.to_dict()
    for key in wanted_keys(wanted):
        assert saved[key] == wanted[key], f"{key} changed on the way"


def wanted_keys(fields: dict) -> list[str]:
    return [key for key in fields if key not in ("backbone_config", "_name_or_path")]
