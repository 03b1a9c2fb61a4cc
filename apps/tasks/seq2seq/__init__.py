"""Encoder-decoder models from texts to texts."""
