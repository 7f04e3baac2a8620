"""Curriculum training, and training of the write gates alone."""
