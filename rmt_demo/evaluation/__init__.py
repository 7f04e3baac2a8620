"""Measure checkpoints on evaluation data only, and count the cost of reading."""
