"""Public corpora, read from their original files."""
