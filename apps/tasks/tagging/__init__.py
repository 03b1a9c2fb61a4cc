"""Tagging of tokens: named entities."""
