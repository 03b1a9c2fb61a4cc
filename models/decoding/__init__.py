"""Decoding of sequences: beam search, sampling and their constraints."""
