"""Requests and responses of TensorFlow Serving, Open Inference Protocol v2, and plain JSON."""
