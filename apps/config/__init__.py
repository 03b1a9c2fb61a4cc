"""Options of a training: what they are, how they are read and written."""
