"""From raw files to batches: examples, named corpora, users' files, preprocessing, pipelines."""
