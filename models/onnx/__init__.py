"""Trained networks as ONNX graphs, and all that answers need besides."""
