"""Chooses the next token from logits: the most probable one, or a sample of the likely ones.

Every parameter may be a scalar tensor, so that a graph takes it as an input.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Most nuclei have fewer tokens, which are found in a fraction of the time that sorting all takes.
_FEW = 256

# choose(logits <float32>[rows, vocabulary_size], uniform <float32>[rows]) -> <int32>[rows]
Choose = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def greedy(logits: tf.Tensor, uniform: tf.Tensor | None = None) -> tf.Tensor:
    """Chooses the most probable tokens, of equals the one with the smallest id.

    Args:
        logits: <float32>[rows, vocabulary_size].
        uniform: not used.

    Returns:
        <int32>[rows].
    """
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


class _Candidates(NamedTuple):
    """The tokens that may be chosen.

    Attributes:
        weights: <float32>[rows, candidates], proportional to the probabilities; 0 for tokens that
            were truncated.
        ids: <int32>[rows, candidates]; None if they are 0, 1, ...
    """

    weights: tf.Tensor
    ids: tf.Tensor | None


@dataclass(frozen=True)
class Sampling:
    """Draws tokens from the distribution of the model without its unreliable tail.

    The parameters apply in this order, each to what the previous one left, renormalised.

    Attributes:
        temperature: divides the logits; 0 for the most probable token.
        top_k: how many of the most probable tokens are kept (Fan et al. 2018); 0 for all.
        top_p: keeps the fewest most probable tokens that together have at least this probability
            (nucleus sampling, Holtzman et al. 2020); 1 for all.
        min_p: keeps tokens with at least this share of the highest probability (Nguyen et al.
            2024); 0 for all.
    """

    temperature: float | tf.Tensor = 1.0
    top_k: int | tf.Tensor = 0
    top_p: float | tf.Tensor = 1.0
    min_p: float | tf.Tensor = 0.0

    def __call__(self, logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Chooses the tokens where the cumulative distribution passes the uniform numbers.

        Args:
            logits: <float32>[rows, vocabulary_size], at least one of each row finite.
            uniform: <float32>[rows], from 0 to below 1.

        Returns:
            <int32>[rows].
        """
        return _cond(
            self.temperature > 0,
            lambda: self._with_candidates(logits, lambda candidates: _draw(candidates, uniform)),
            lambda: greedy(logits),
        )

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the distribution that is sampled from, <float32>[rows, vocabulary_size]."""

        def scatter(candidates: _Candidates) -> tf.Tensor:
            weights, ids = candidates
            shares = weights / tf.reduce_sum(weights, axis=-1, keepdims=True)
            if ids is None:
                return shares
            rows = tf.range(tf.shape(logits)[0])[:, None] + tf.zeros_like(ids)
            return tf.scatter_nd(tf.stack([rows, ids], -1), shares, tf.shape(logits))

        return _cond(
            self.temperature > 0,
            lambda: self._with_candidates(logits, scatter),
            lambda: tf.one_hot(greedy(logits), logits.shape[-1]),
        )

    def _with_candidates(
        self, logits: tf.Tensor, use: Callable[[_Candidates], tf.Tensor]
    ) -> tf.Tensor:
        """Calls `use` with the candidates; sorts the logits only if and as far as needed."""
        size = logits.shape[-1]

        def use_top_k():
            values, ids = tf.math.top_k(logits, self.top_k)
            total = tf.reduce_sum(self._weights(values), axis=-1, keepdims=True)
            return use(self._select_nucleus(values, ids, total))

        def use_all():
            weights = self._weights(logits)
            return _cond(
                self.top_p < 1,
                lambda: use(self._select_nucleus(*self._sort(logits, weights))),
                lambda: use(_Candidates(self._apply_min_p(weights), None)),
            )

        return _cond((self.top_k > 0) & (self.top_k < size), use_top_k, use_all)

    def _sort(
        self, logits: tf.Tensor, weights: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns logits and ids, the most probable first, as many as the nuclei need, and the sums
        of all weights."""
        size = logits.shape[-1]
        total = tf.reduce_sum(weights, axis=-1, keepdims=True)
        values, ids = tf.math.top_k(logits, min(_FEW, size))
        if size > _FEW:
            sorted_total = tf.reduce_sum(self._weights(values), axis=-1, keepdims=True)
            values, ids = tf.cond(
                tf.reduce_all(sorted_total >= self.top_p * total),
                lambda: (values, ids),
                lambda: tuple(tf.math.top_k(logits, size)),
            )
        return values, ids, total

    def _select_nucleus(self, values: tf.Tensor, ids: tf.Tensor, total: tf.Tensor) -> _Candidates:
        """Applies `top_p` and `min_p` to sorted logits; all weights sum to `total`."""
        weights = self._weights(values)
        before = tf.cumsum(weights, axis=-1, exclusive=True)
        # The most probable token is kept even if `top_p` is 0.
        kept = (before < self.top_p * total) | (before == 0)
        return _Candidates(self._apply_min_p(tf.where(kept, weights, 0.0)), ids)

    def _weights(self, logits: tf.Tensor) -> tf.Tensor:
        """Returns the ratios of the probabilities to the highest one."""
        top = tf.reduce_max(logits, axis=-1, keepdims=True)
        return tf.exp((logits - top) / self.temperature)

    def _apply_min_p(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.where(weights >= self.min_p, weights, 0.0)


def _draw(candidates: _Candidates, uniform: tf.Tensor) -> tf.Tensor:
    weights, ids = candidates
    total = tf.cumsum(weights, axis=-1)
    passed = total > uniform[:, None] * total[:, -1:]
    # The first one that passes; despite rounding never one without a probability.
    place = tf.argmax(passed & (weights > 0), axis=-1, output_type=tf.int32)
    return place if ids is None else tf.gather(ids, place, batch_dims=1)


def _cond(condition: bool | np.bool_ | tf.Tensor, yes: Callable, no: Callable) -> tf.Tensor:
    """Runs `tf.cond`; if Python knows the condition, the other branch is not in the graph."""
    if isinstance(condition, bool | np.bool_):
        return yes() if condition else no()
    return tf.cond(condition, yes, no)


def uniform_streams(seed: tf.Tensor, rows: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Draws numbers from 0 to below 1 in a stream for each row, which depends neither on the other
    rows nor on the number of steps.

    Args:
        seed: <int32>[] or <int32>[2], with which the number of each row makes its seed; or
            <int32>[rows, 2], the seed of each row.
        rows: <int32>[].
        steps: <int32>[].

    Returns:
        <float32>[steps, rows].
    """
    seed = tf.convert_to_tensor(seed, tf.int32)
    if seed.shape.rank == 0:
        seed = tf.stack([seed, 0])
    # One row more, since `map_fn` over no rows has no result.
    if seed.shape.rank == 1:
        seeds = tf.map_fn(
            lambda row: tf.random.experimental.stateless_fold_in(seed, row), tf.range(rows + 1)
        )
    else:
        seeds = tf.pad(seed, [[0, 1], [0, 0]])
    streams = tf.map_fn(
        lambda row_seed: tf.random.stateless_uniform([steps], row_seed),
        seeds,
        fn_output_signature=tf.TensorSpec([None], tf.float32),
    )
    return tf.transpose(streams[:rows])
