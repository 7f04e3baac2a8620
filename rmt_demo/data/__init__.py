"""Texts to read and facts to find in them."""
