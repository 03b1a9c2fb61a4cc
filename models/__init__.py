"""Layers and models: embedding, recurrent stacks, pooling, classifier, serving, metrics."""
