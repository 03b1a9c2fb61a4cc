"""Answers of a trained model by numpy, onnxruntime and google-re2 alone.

This package imports nothing but these, and names its own modules relatively: an export holds a copy
of it, which needs neither TensorFlow nor this suite.
"""

from .folder import load

__all__ = ["load"]
