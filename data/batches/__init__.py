"""Batches of token ids: buckets, padding and streams."""
