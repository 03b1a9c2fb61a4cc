"""Answers of a trained model by numpy, onnxruntime and google-re2 alone.

Its modules import nothing but these, and each other relatively: an export holds a copy of the
package, which needs neither TensorFlow nor this suite.
"""
