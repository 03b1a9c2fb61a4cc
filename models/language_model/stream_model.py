"""A language model in training: states go from batch to batch, and losses count each token."""

from typing import Any

import keras
import tensorflow as tf

from models.language_model.language_model import LanguageModel
from models.language_model.sampled_softmax import SampledSoftmax
from models.stored_names import stored_as


@keras.saving.register_keras_serializable(package="models")
class StreamModel(keras.Model):
    """A language model that is trained on streams of text, by truncated back-propagation through
    time (Williams & Peng 1990).

    Each row of a batch continues the same row of the batch before. The states that are carried over
    are variables, which checkpoints hold; they are not part of the language model.

    Args:
        model: the language model to train. If it has a second stack, the second half of the rows
            is of texts from their ends on.
        batch_size: number of streams, in each direction.
        activation_penalty: alpha of Merity et al. (2018), the factor of the mean square of the last
            layer's outputs after dropout (AR).
        slowness_penalty: beta there, the factor of the mean square of the outputs' change from step
            to step (TAR).
        candidates: number of tokens that each training step samples to compare the true one with
            (`models.language_model.sampled_softmax`); 0 for all tokens.

    Call arguments:
        inputs: a dict of `token_ids` <int32>[rows, time], 0 where padded, `starts` <bool>[rows],
            whether a text begins there, and with classes `labels` <int32>[rows]. `rows` is
            `batch_size`, or twice that with a second stack.

    Output shape:
        features, from which logits are computed, <float32>[rows, time, size].
    """

    def __init__(
        self,
        model: LanguageModel,
        batch_size: int,
        activation_penalty: float = 0.0,
        slowness_penalty: float = 0.0,
        candidates: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.model, self.batch_size = model, batch_size
        self.activation_penalty, self.slowness_penalty = activation_penalty, slowness_penalty
        self.rows = batch_size if model.backward_stack is None else 2 * batch_size
        self.carried = [
            self.add_weight(
                shape=(self.rows, size),
                initializer="zeros",
                trainable=False,
                dtype="float32",
                name=f"carried_{layer}_{i}",
            )
            for layer, sizes in enumerate(model.stack.state_sizes)
            for i, size in enumerate(sizes)
        ]
        self.sampled = None
        if candidates:
            self.sampled = SampledSoftmax(
                model.settings["vocabulary_size"], candidates, dtype=model.stack.compute_dtype
            )
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        model = self.model
        fresh = model.initial_states(self.rows, inputs.get("labels"))
        states = [
            tf.where(inputs["starts"][:, None], new, tf.cast(carried, new.dtype))
            for new, carried in zip(fresh, self.carried, strict=True)
        ]
        run = model.run_stack if model.backward_stack is None else model.run_stacks
        outputs, states = run(inputs["token_ids"], states, training)
        for carried, state in zip(self.carried, states, strict=True):
            carried.assign(tf.stop_gradient(tf.cast(state, carried.dtype)))
        dropped = model.locked(outputs, training=training)
        if training:
            self._add_penalties(outputs, dropped, inputs["token_ids"])
        return model.project(dropped)

    def _add_penalties(self, outputs: tf.Tensor, dropped: tf.Tensor, token_ids: tf.Tensor) -> None:
        real = tf.cast(token_ids != 0, tf.float32)
        if self.activation_penalty:
            self.add_loss(self.activation_penalty * _mean_square(dropped, real))
        if self.slowness_penalty:
            change = outputs[:, 1:] - outputs[:, :-1]
            self.add_loss(self.slowness_penalty * _mean_square(change, real[:, 1:]))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if training and self.sampled is not None:
            losses = self.sampled(y_pred, y, *self.model.output_weights())
        else:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                y, self.model.compute_logits(y_pred, training)
            )
        return super().compute_loss(x, y, losses, sample_weight, training=training)

    def get_config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "model": keras.saving.serialize_keras_object(self.model),
            "batch_size": self.batch_size,
            "activation_penalty": self.activation_penalty,
            "slowness_penalty": self.slowness_penalty,
            "candidates": self.sampled.candidates if self.sampled else 0,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        model = keras.saving.deserialize_keras_object(config.pop("model"))
        return cls(model, **config)


def _mean_square(x: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """Returns the mean square <float32>[] of x <float32>[batch, time, features], where `real`
    <float32>[batch, time] is 1."""
    squares = tf.reduce_mean(tf.square(tf.cast(x, tf.float32)), axis=-1)
    return tf.math.divide_no_nan(tf.reduce_sum(real * squares), tf.reduce_sum(real))


@stored_as("MeanOverUnits")
class MeanOverTokens(keras.losses.Loss):
    """The mean loss of the tokens of a batch.

    Call arguments:
        y_true: <int>[batch, time], 0 where there is nothing to predict.
        y_pred: <float32>[batch, time], the loss of each token.
    """

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        real = tf.cast(y_true != 0, y_pred.dtype)
        return tf.math.divide_no_nan(tf.reduce_sum(real * y_pred), tf.reduce_sum(real))
