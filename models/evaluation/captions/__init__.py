"""Metrics of captions with several references each, and the captions of the nearest pictures."""
