"""Taggers: models that give each token of a text a tag."""
