"""The layer of a linear-chain conditional random field (Lafferty et al. 2001)."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from models.crf.forward_backward import Weights, log_partition, marginals, path_score
from models.crf.viterbi import best_paths

# Finite, so that sums of it are, too; no emission outweighs it.
_FORBIDDEN = -1e4


def bio_constraints(tags: tuple[str, ...]) -> list[list[bool]]:
    """Returns which tag may follow which in BIO: `I-X` only after `B-X` or `I-X`.

    Args:
        tags: names such as `O`, `B-PER`, `I-PER`.

    Returns:
        A row for each tag and a last one for the start of a text; a row says of each tag whether it
        may follow.
    """

    def follows(before: str, tag: str) -> bool:
        return not tag.startswith("I-") or before in (f"B-{tag[2:]}", tag)

    return [[follows(before, tag) for tag in tags] for before in (*tags, "")]


@keras.saving.register_keras_serializable(package="models")
class LinearChainCRF(keras.layers.Layer):
    """A linear-chain CRF: scores whole sequences of tags by emissions and transitions.

    In a functional graph it returns the emissions unchanged, so that it is built, saved and loaded
    with the model; the loss and the decoding call its methods. It always computes in float32.

    Args:
        num_tags: how many tags there are.
        allowed: for each tag and for the start of a text, a row of `num_tags` booleans that say
            which tags may follow (`bio_constraints`); None for all. A transition that is not
            allowed gets a score that no emission outweighs.

    Call arguments:
        emissions: <float>[batch, time, num_tags].
        mask: <bool>[batch, time], true at real steps, or None; padding may be anywhere.

    Output shape:
        <float32>[batch, time, num_tags], the emissions.
    """

    def __init__(
        self,
        num_tags: int,
        allowed: Sequence[Sequence[bool]] | None = None,
        dtype: Any = "float32",
        **kwargs: Any,
    ):
        super().__init__(dtype=dtype, **kwargs)
        if num_tags < 1:
            raise ValueError(f"num_tags must be at least 1. Received: {num_tags}")
        shape = None if allowed is None else [len(row) for row in allowed]
        if shape not in (None, [num_tags] * (num_tags + 1)):
            raise ValueError(
                f"allowed must have {num_tags + 1} rows of {num_tags}: one a tag, one for the "
                f"start. Received rows of: {shape}"
            )
        self.num_tags = num_tags
        self.allowed = None if allowed is None else tuple(tuple(map(bool, row)) for row in allowed)
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if input_shape[-1] != self.num_tags:
            raise ValueError(f"Expected {self.num_tags} emissions a step. Received: {input_shape}")
        tags = self.num_tags
        self.transitions = self.add_weight((tags, tags), "zeros", name="transitions")
        self.start = self.add_weight((tags,), "zeros", name="start")
        self.end = self.add_weight((tags,), "zeros", name="end")
        super().build(input_shape)

    def call(self, emissions: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        return emissions

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def compute_mask(self, inputs: tf.Tensor, mask: tf.Tensor | None = None) -> None:
        return None

    def log_likelihood(
        self, emissions: tf.Tensor, tags: tf.Tensor, mask: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Computes the logarithm of the probability of given paths, <float32>[batch].

        Args:
            emissions: as in a call.
            tags: <int>[batch, time], anything where masked; or <int>[batch, time, paths], several
                paths of each text, of which the mean is computed.
            mask: as in a call.
        """
        emissions, mask = self._inputs(emissions, mask)
        weights, tags = self.constrained_weights(), tf.cast(tags, tf.int32)
        total = log_partition(emissions, mask, weights)
        if tags.shape.rank == 2:
            return path_score(emissions, tags, mask, weights) - total
        batch, time, paths = tf.unstack(tf.shape(tags))
        tags = tf.reshape(tf.transpose(tags, [0, 2, 1]), [batch * paths, time])
        emissions, mask = (tf.repeat(each, paths, axis=0) for each in (emissions, mask))
        scores = path_score(emissions, tags, mask, weights)
        return tf.reduce_mean(tf.reshape(scores, [batch, paths]), axis=1) - total

    def marginals(self, emissions: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Computes the probability of each tag at each step, <float32>[batch, time, num_tags], 0
        where masked. Arguments as in a call."""
        return marginals(*self._inputs(emissions, mask), self.constrained_weights())

    def decode(self, emissions: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Finds the most probable path (Viterbi), <int32>[batch, time], 0 where masked. Arguments
        as in a call."""
        return best_paths(*self._inputs(emissions, mask), self.constrained_weights())[0][:, 0]

    def n_best(
        self, emissions: tf.Tensor, count: int, mask: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the `count` most probable paths.

        Args:
            emissions: as in a call.
            count: how many paths of each text.
            mask: as in a call.

        Returns:
            Tags <int32>[batch, count, time], 0 where masked, and the logarithms of their
            probabilities <float32>[batch, count], the best first; -inf where fewer paths are
            allowed. A text without a real step has one path.
        """
        emissions, mask = self._inputs(emissions, mask)
        weights = self.constrained_weights()
        paths, scores = best_paths(emissions, mask, weights, count)
        scores -= log_partition(emissions, mask, weights)[:, None]
        return paths, tf.where(self._breaks_rules(paths, mask), float("-inf"), scores)

    def _breaks_rules(self, paths: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """Returns whether a path has a transition that is not allowed, <bool>[batch, count]."""
        batch, count, time = tf.unstack(tf.shape(paths))
        if self.allowed is None:
            return tf.zeros([batch, count], tf.bool)
        broken = tf.where(self.allowed, 0.0, 1.0)
        rules = Weights(broken[:-1], broken[-1], tf.zeros([self.num_tags]))
        no_emissions = tf.zeros([batch * count, time, self.num_tags])
        paths = tf.reshape(paths, [batch * count, time])
        times = path_score(no_emissions, paths, tf.repeat(mask, count, axis=0), rules)
        return tf.reshape(times > 0.5, [batch, count])

    def constrained_weights(self) -> Weights:
        """Returns the weights, with what is not allowed at a score that no emission outweighs."""
        transitions, start, end = (
            tf.cast(tf.convert_to_tensor(weight), tf.float32)
            for weight in (self.transitions, self.start, self.end)
        )
        if self.allowed is not None:
            penalty = tf.where(self.allowed, 0.0, _FORBIDDEN)
            transitions, start = transitions + penalty[:-1], start + penalty[-1]
        return Weights(transitions, start, end)

    def _inputs(self, emissions: tf.Tensor, mask: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
        emissions = tf.cast(tf.convert_to_tensor(emissions), tf.float32)
        if mask is None:
            return emissions, tf.ones(tf.shape(emissions)[:2], tf.bool)
        return emissions, tf.cast(tf.convert_to_tensor(mask), tf.bool)

    def get_config(self) -> dict:
        return {**super().get_config(), "num_tags": self.num_tags, "allowed": self.allowed}
