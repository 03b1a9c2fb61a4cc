"""Corpora of tagged sentences."""
