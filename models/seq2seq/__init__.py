"""Encoder-decoder models with attention."""
