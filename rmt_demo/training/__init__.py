"""Curriculum training."""
