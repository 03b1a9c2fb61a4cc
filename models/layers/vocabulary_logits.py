"""The output layer over a vocabulary, which may use the weights of the embedding."""

from typing import Any

import keras
import tensorflow as tf

from models.stored_names import stored_as


@stored_as("UnitLogits")
class VocabularyLogits(keras.layers.Layer):
    """Computes a logit for each token, with a matrix of its own or one that is passed to it.

    Args:
        vocabulary_size: how many tokens there are.
        own_kernel: whether the layer has a matrix of its own.
        training_dtype: the precision in which inputs and matrix are multiplied in a training step.
            Otherwise it is float32: in half precision, likely tokens would get the same logit.

    Call arguments:
        inputs: <float>[..., size].
        kernel: <float32>[vocabulary_size, size], or None for its own matrix.
        training: whether this is a training step.

    Output shape:
        <float32>[..., vocabulary_size].
    """

    def __init__(
        self, vocabulary_size: int, own_kernel: bool, training_dtype: str = "float32", **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.own_kernel = vocabulary_size, own_kernel
        self.training_dtype = training_dtype
        self.kernel = None
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if self.own_kernel:
            self.kernel = self.add_weight(
                shape=(self.vocabulary_size, input_shape[-1]), name="kernel"
            )
        self.bias = self.add_weight(shape=(self.vocabulary_size,), initializer="zeros", name="bias")
        super().build(input_shape)

    def call(
        self, inputs: tf.Tensor, kernel: tf.Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        shape = tf.concat([tf.shape(inputs)[:-1], [self.vocabulary_size]], axis=0)
        flat = tf.reshape(inputs, [-1, inputs.shape[-1]])
        dtype = self.training_dtype if training else "float32"
        product = multiply(flat, self.kernel if kernel is None else kernel, dtype)
        logits = tf.reshape(product + self.bias, shape)
        return tf.ensure_shape(logits, [*inputs.shape[:-1], self.vocabulary_size])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "own_kernel": self.own_kernel,
            "training_dtype": self.training_dtype,
        }


def multiply(features: tf.Tensor, matrix: tf.Tensor, dtype: str) -> tf.Tensor:
    """Returns the product of each row of features with each of a matrix, computed in a precision.

    Args:
        features: <float>[rows, size].
        matrix: <float32>[tokens, size].
        dtype: the precision.

    Returns:
        <float32>[rows, tokens].
    """
    factors = (tf.cast(x, dtype) for x in (features, matrix))
    return tf.cast(tf.matmul(*factors, transpose_b=True), tf.float32)
