"""Corpora of pictures with captions."""
