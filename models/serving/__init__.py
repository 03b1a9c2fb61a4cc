"""Serving models: raw strings to readable output, in one graph."""
