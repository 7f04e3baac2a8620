"""Measuring what a checkpoint can do, on evaluation data only."""
