"""What the benchmarks measure by; how long things take is theirs alone to say."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets a peak")
def test_what_loading_took_does_not_hide_what_reading_adds():
    spec = importlib.util.spec_from_file_location("reading", Path(__file__).parents[1] / "benchmarks" / "reading.py")
    reading = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reading)
    torch.ones(50 << 20)  # 200 MB, given back at once
    loaded = reading.peak_mb()
    reading.forget_peak()
    before = reading.peak_mb()
    assert before < loaded - 100, "the peak is still that of loading"
    torch.ones(25 << 20)
    assert 80 < reading.peak_mb() - before < 150
