"""Corpora of sentence pairs."""
