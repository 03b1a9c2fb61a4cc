"""Text to token ids: clean-up, tokenizers, vocabularies."""
