"""What the benchmarks share: tasks, texts, workers and their engines, results on disk."""
