"""Answers of a trained model for a list of texts and for files of any size."""
