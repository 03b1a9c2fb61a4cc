"""Recordings of speech as rows of texts: decoding, voice activity, recognition, sentences."""
