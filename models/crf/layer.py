"""The linear-chain conditional random field (Lafferty et al. 2001)."""

import keras
import tensorflow as tf

from models.crf.forward_backward import Weights, log_partition, marginals, path_score
from models.crf.viterbi import best_paths

# Finite, so that sums of it stay numbers; no emission makes up for it.
_FORBIDDEN = -1e4


def bio_constraints(tags: tuple[str, ...]) -> list[list[bool]]:
    """What may follow what in BIO: no `I-X` but after `B-X` or `I-X`.

    Args:
        tags: names such as `O`, `B-PER`, `I-PER`.

    Returns:
        One row a tag and a last one for the start of a text; in it, whether each tag may follow.
    """

    def follows(before: str, tag: str) -> bool:
        return not tag.startswith("I-") or before in (f"B-{tag[2:]}", tag)

    return [[follows(before, tag) for tag in tags] for before in (*tags, "")]


@keras.saving.register_keras_serializable(package="models")
class LinearChainCRF(keras.layers.Layer):
    """Scores whole sequences of tags: what each step says of its tag, and what follows what.

    In a functional graph it passes the emissions on, so that it is built, saved and loaded with the
    model; the loss and the decoding call its methods. It computes in float32 in any precision.

    Args:
        num_tags: tags.
        allowed: one row of `num_tags` booleans a tag and a last one for the start of a text,
            whether each tag may follow (`bio_constraints`); None for all. What is not allowed gets
            a score that no emission makes up for.

    Call arguments:
        emissions: <float>[batch, time, num_tags].
        mask: <bool>[batch, time], true at real steps, or None; padding may stand anywhere.

    Output shape:
        <float32>[batch, time, num_tags], the emissions.
    """

    def __init__(self, num_tags: int, allowed=None, dtype="float32", **kwargs):
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

    def build(self, input_shape):
        if input_shape[-1] != self.num_tags:
            raise ValueError(f"Expected {self.num_tags} emissions a step. Received: {input_shape}")
        tags = self.num_tags
        self.transitions = self.add_weight((tags, tags), "zeros", name="transitions")
        self.start = self.add_weight((tags,), "zeros", name="start")
        self.end = self.add_weight((tags,), "zeros", name="end")
        super().build(input_shape)

    def call(self, emissions, mask=None):
        return emissions

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_mask(self, inputs, mask=None):
        return None

    def log_likelihood(self, emissions, tags, mask=None) -> tf.Tensor:
        """The logarithm of the probability of given paths, <float32>[batch].

        Args:
            emissions, mask: as in a call.
            tags: <int>[batch, time]; what stands where it is masked does not matter.
        """
        emissions, mask = self._inputs(emissions, mask)
        weights, tags = self._weights(), tf.cast(tags, tf.int32)
        total = log_partition(emissions, mask, weights)
        return path_score(emissions, tags, mask, weights) - total

    def marginals(self, emissions, mask=None) -> tf.Tensor:
        """The probability of each tag at each step, <float32>[batch, time, num_tags], 0 where
        masked. Arguments as in a call."""
        return marginals(*self._inputs(emissions, mask), self._weights())

    def decode(self, emissions, mask=None) -> tf.Tensor:
        """The most probable path (Viterbi), <int32>[batch, time], 0 where masked. Arguments as in a
        call."""
        return best_paths(*self._inputs(emissions, mask), self._weights())[0][:, 0]

    def n_best(self, emissions, count: int, mask=None) -> tuple[tf.Tensor, tf.Tensor]:
        """The `count` most probable paths.

        Returns:
            Tags <int32>[batch, count, time], 0 where masked, and the logarithms of their
            probabilities <float32>[batch, count], falling; -inf where there are fewer paths, those
            that are not allowed left out. A text without a real step has one path.
        """
        emissions, mask = self._inputs(emissions, mask)
        weights = self._weights()
        paths, scores = best_paths(emissions, mask, weights, count)
        scores -= log_partition(emissions, mask, weights)[:, None]
        return paths, tf.where(self._breaks_rules(paths, mask), float("-inf"), scores)

    def _breaks_rules(self, paths, mask) -> tf.Tensor:
        """Whether something in a path is not allowed, <bool>[batch, count]."""
        batch, count, time = tf.unstack(tf.shape(paths))
        if self.allowed is None:
            return tf.zeros([batch, count], tf.bool)
        broken = tf.where(self.allowed, 0.0, 1.0)
        rules = Weights(broken[:-1], broken[-1], tf.zeros([self.num_tags]))
        no_emissions = tf.zeros([batch * count, time, self.num_tags])
        paths = tf.reshape(paths, [batch * count, time])
        times = path_score(no_emissions, paths, tf.repeat(mask, count, axis=0), rules)
        return tf.reshape(times > 0.5, [batch, count])

    def _weights(self) -> Weights:
        transitions, start, end = (
            tf.cast(tf.convert_to_tensor(weight), tf.float32)
            for weight in (self.transitions, self.start, self.end)
        )
        if self.allowed is not None:
            penalty = tf.where(self.allowed, 0.0, _FORBIDDEN)
            transitions, start = transitions + penalty[:-1], start + penalty[-1]
        return Weights(transitions, start, end)

    def _inputs(self, emissions, mask) -> tuple[tf.Tensor, tf.Tensor]:
        emissions = tf.cast(tf.convert_to_tensor(emissions), tf.float32)
        if mask is None:
            return emissions, tf.ones(tf.shape(emissions)[:2], tf.bool)
        return emissions, tf.cast(tf.convert_to_tensor(mask), tf.bool)

    def get_config(self):
        return {**super().get_config(), "num_tags": self.num_tags, "allowed": self.allowed}
