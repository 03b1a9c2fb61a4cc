"""Scenes of coloured shapes, drawn by code, and sentences that say what is in them."""
