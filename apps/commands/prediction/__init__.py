"""The parts of the command `predict`: what loads a model, and what answers a file."""
