"""Trainings that are followed in a tracking server or a local store."""
