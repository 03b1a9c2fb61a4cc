"""Choosing the next token from logits: the most probable one, or a sample of those that are likely.

Every parameter may be a scalar tensor, so that a graph takes it as an input.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Nuclei are mostly smaller, and so many are found in a fraction of the time that all take to sort.
_FEW = 256

# choose(logits <float32>[rows, vocabulary_size], uniform <float32>[rows]) -> <int32>[rows]
Choose = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def greedy(logits: tf.Tensor, uniform: tf.Tensor | None = None) -> tf.Tensor:
    """The most probable tokens, of equals the one with the smallest id.

    Args:
        logits: <float32>[rows, vocabulary_size].
        uniform: not used.

    Returns:
        <int32>[rows].
    """
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


class _Candidates(NamedTuple):
    """What may be chosen.

    Attributes:
        weights: <float32>[rows, candidates], in proportion to the probabilities; 0 for what was
            truncated.
        ids: <int32>[rows, candidates], or none where they are the positions.
    """

    weights: tf.Tensor
    ids: tf.Tensor | None


@dataclass(frozen=True)
class Sampling:
    """Draws from the model's distribution without its unreliable tail.

    The parameters apply in this order, each to what the one before it left, renormalised.

    Attributes:
        temperature: logits are divided by it; 0 for the most probable token.
        top_k: the most probable tokens kept (Fan et al. 2018); 0 for all.
        top_p: the fewest most probable tokens are kept that have at least this probability together
            (Holtzman et al. 2020, nucleus sampling); 1 for all.
        min_p: tokens are kept that are at least this share as probable as the most probable one
            (Nguyen et al. 2024); 0 for all.
    """

    temperature: float | tf.Tensor = 1.0
    top_k: int | tf.Tensor = 0
    top_p: float | tf.Tensor = 1.0
    min_p: float | tf.Tensor = 0.0

    def __call__(self, logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """The tokens where the distribution function passes some numbers.

        Args:
            logits: <float32>[rows, vocabulary_size], at least one of a row finite.
            uniform: <float32>[rows], from 0 to below 1.

        Returns:
            <int32>[rows].
        """
        return _either(
            self.temperature > 0,
            lambda: self._with_candidates(logits, lambda found: _drawn(found, uniform)),
            lambda: greedy(logits),
        )

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """The distribution that is sampled from, <float32>[rows, vocabulary_size], as `logits`."""

        def spread(found: _Candidates) -> tf.Tensor:
            shares = found.weights / tf.reduce_sum(found.weights, axis=-1, keepdims=True)
            if found.ids is None:
                return shares
            rows = tf.range(tf.shape(logits)[0])[:, None] + tf.zeros_like(found.ids)
            return tf.scatter_nd(tf.stack([rows, found.ids], -1), shares, tf.shape(logits))

        return _either(
            self.temperature > 0,
            lambda: self._with_candidates(logits, spread),
            lambda: tf.one_hot(greedy(logits), logits.shape[-1]),
        )

    def _with_candidates(self, logits, use: Callable[[_Candidates], tf.Tensor]) -> tf.Tensor:
        """`use` of what may be chosen; logits are ordered only where and as far as needed."""
        size = logits.shape[-1]

        def of_the_first():
            values, ids = tf.math.top_k(logits, self.top_k)
            total = tf.reduce_sum(self._weights(values), axis=-1, keepdims=True)
            return use(self._nucleus(values, ids, total))

        def of_all():
            weights = self._weights(logits)
            return _either(
                self.top_p < 1,
                lambda: use(self._nucleus(*self._ordered(logits, weights))),
                lambda: use(_Candidates(self._likely(weights), None)),
            )

        return _either((self.top_k > 0) & (self.top_k < size), of_the_first, of_all)

    def _ordered(self, logits, weights):
        """Values and ids by falling logit, as many as the nuclei need, and all weights' sums."""
        size = logits.shape[-1]
        total = tf.reduce_sum(weights, axis=-1, keepdims=True)
        values, ids = tf.math.top_k(logits, min(_FEW, size))
        if size > _FEW:
            together = tf.reduce_sum(self._weights(values), axis=-1, keepdims=True)
            values, ids = tf.cond(
                tf.reduce_all(together >= self.top_p * total),
                lambda: (values, ids),
                lambda: tuple(tf.math.top_k(logits, size)),
            )
        return values, ids, total

    def _nucleus(self, values, ids, total) -> _Candidates:
        """What `top_p` and `min_p` leave of ordered logits whose weights sum to `total`."""
        weights = self._weights(values)
        before = tf.cumsum(weights, axis=-1, exclusive=True)
        # The first one stays, even if `top_p` is 0.
        kept = (before < self.top_p * total) | (before == 0)
        return _Candidates(self._likely(tf.where(kept, weights, 0.0)), ids)

    def _weights(self, logits):
        """Ratios to the greatest probability."""
        top = tf.reduce_max(logits, axis=-1, keepdims=True)
        return tf.exp((logits - top) / self.temperature)

    def _likely(self, weights):
        return tf.where(weights >= self.min_p, weights, 0.0)


def _drawn(found: _Candidates, uniform) -> tf.Tensor:
    passed = tf.cumsum(found.weights, axis=-1)
    passed = passed > uniform[:, None] * passed[:, -1:]
    # The first one that passes; rounding never chooses what has no probability.
    place = tf.argmax(passed & (found.weights > 0), axis=-1, output_type=tf.int32)
    return place if found.ids is None else tf.gather(found.ids, place, batch_dims=1)


def _either(condition, yes: Callable, no: Callable):
    """`tf.cond`; a condition that Python knows leaves the other branch out of the graph."""
    if isinstance(condition, bool | np.bool_):
        return yes() if condition else no()
    return tf.cond(condition, yes, no)


def uniform_streams(seed: tf.Tensor, rows: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Random numbers from 0 to below 1: each row has a stream of its own, which neither the other
    rows nor the number of steps change.

    Args:
        seed: <int32>[], <int32>[2], or <int32>[rows, 2] for the seed of each row. Of one for all,
            the number of a row is a part.
        rows, steps: <int32>[].

    Returns:
        <float32>[steps, rows].
    """
    seed = tf.convert_to_tensor(seed, tf.int32)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, 0])
    # One row more: of none a map would not know what it maps to.
    if seed.shape.rank == 1:
        seeds = tf.map_fn(
            lambda row: tf.random.experimental.stateless_fold_in(seed, row), tf.range(rows + 1)
        )
    else:
        seeds = tf.pad(seed, [[0, 1], [0, 0]])
    streams = tf.map_fn(
        lambda own: tf.random.stateless_uniform([steps], own),
        seeds,
        fn_output_signature=tf.TensorSpec([None], tf.float32),
    )
    return tf.transpose(streams[:rows])
