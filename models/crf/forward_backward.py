"""Sums over all paths of tags through a text: the forward-backward algorithm of a CRF.

A path's score is `start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_t, y_t+1] + end[y_n]`
over the real steps. Masked steps, at the end or anywhere else, are skipped: the steps before and
after them follow each other.

The sum over all paths and its gradient are loops over time with derivatives by hand. Their arrays
are `[time, tags, batch]`, as those of recurrent layers (`models.recurrent.compiled_batch`), and
they are compiled where those are.
"""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from data.graphs import graph
from models.compilation import compiled_loops, missing_to_bucket

# XLA compiles for each number of columns: it only gets multiples of this.
_COLUMNS = 8


class Weights(NamedTuple):
    """The weights of a CRF.

    Attributes:
        transitions: <float32>[tags, tags], scores from the tag of a row to that of a column.
        start: <float32>[tags], scores of the first tag.
        end: <float32>[tags], scores of the last tag.
    """

    transitions: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor


class Chain(NamedTuple):
    """A batch in the layout of the loops.

    Attributes:
        scores: <float32>[time, tags, batch], the emissions; at the first real step of a text plus
            `start`.
        real: <bool>[time, 1, batch].
        follows: <bool>[time, 1, batch], true at real steps but the first.
    """

    scores: tf.Tensor
    real: tf.Tensor
    follows: tf.Tensor


def to_chain(emissions: tf.Tensor, mask: tf.Tensor, start: tf.Tensor) -> Chain:
    """Returns a batch in the layout of the loops; arguments as `log_partition`."""
    # Without any step, what the loops stack would have no shape: they get a masked one.
    missing = tf.maximum(1 - tf.shape(mask)[1], 0)
    emissions = tf.pad(emissions, [[0, 0], [0, missing], [0, 0]])
    real = tf.transpose(tf.pad(mask, [[0, 0], [0, missing]]))[:, None, :]
    earlier = tf.cumsum(tf.cast(real, tf.int32), axis=0, exclusive=True) > 0
    scores = tf.transpose(emissions, [1, 2, 0])
    scores += tf.where(real & ~earlier, start[:, None], 0.0)
    return Chain(scores, real, real & earlier)


def log_partition(emissions: tf.Tensor, mask: tf.Tensor, weights: Weights) -> tf.Tensor:
    """Computes the logarithm of the summed exponentials of the scores of all paths (the forward
    algorithm).

    Args:
        emissions: <float32>[batch, time, tags].
        mask: <bool>[batch, time], true at real steps.
        weights: of the CRF.

    Returns:
        <float32>[batch]; 0 for a text without a real step.
    """
    last = _last_scores(*to_chain(emissions, mask, weights.start), weights.transitions)
    total = _log_sum(last + weights.end[:, None])
    return tf.where(tf.reduce_any(mask, axis=1), total, 0.0)


def path_score(
    emissions: tf.Tensor, tags: tf.Tensor, mask: tf.Tensor, weights: Weights
) -> tf.Tensor:
    """Computes the scores of given paths, <float32>[batch].

    Args:
        emissions: as `log_partition`.
        mask: as `log_partition`.
        weights: as `log_partition`.
        tags: <int32>[batch, time], anything where masked.
    """
    chosen = tf.one_hot(tags, tf.shape(emissions)[2], on_value=1.0, off_value=0.0)
    chosen = tf.where(mask[:, :, None], chosen, 0.0)
    # Real steps first, so that those before and after a masked step are adjacent.
    steps = tf.range(tf.shape(mask)[1])
    order = tf.argsort(tf.where(mask, steps, steps + tf.size(steps)), axis=1)
    ordered = tf.gather(chosen, order, axis=1, batch_dims=1)
    counts = tf.matmul(ordered[:, :-1], ordered[:, 1:], transpose_a=True)
    # A step is the last if none follows.
    followed = tf.pad(tf.reduce_sum(ordered, axis=2)[:, 1:], [[0, 0], [0, 1]])
    ends = tf.reduce_sum(ordered * (1.0 - followed)[:, :, None], axis=1)
    return (
        tf.reduce_sum(chosen * emissions, axis=[1, 2])
        + tf.reduce_sum(counts * weights.transitions, axis=[1, 2])
        + tf.linalg.matvec(tf.reduce_sum(ordered[:, :1], axis=1), weights.start)
        + tf.linalg.matvec(ends, weights.end)
    )


def marginals(emissions: tf.Tensor, mask: tf.Tensor, weights: Weights) -> tf.Tensor:
    """Computes the probability of each tag at each step (the forward-backward algorithm).

    Args: as `log_partition`.

    Returns:
        <float32>[batch, time, tags]; sums to 1 over the tags, 0 where masked.
    """
    chain = to_chain(emissions, mask, weights.start)
    _, alphas = _forward(*chain, weights.transitions)
    # The derivatives of the logarithm of the sum by the emissions.
    d_last = tf.nn.softmax(alphas[-1] + weights.end[:, None], axis=0)
    d_scores, _ = _backward(alphas, chain.real, chain.follows, weights.transitions, d_last)
    return tf.transpose(d_scores, [2, 0, 1])[:, : tf.shape(mask)[1]]


@tf.custom_gradient
def _last_scores(scores, real, follows, transitions):
    """Computes the logarithm of the sum over the paths that end with each tag, without `end`,
    <float32>[tags, batch]. Arguments as `Chain`."""
    forward, backward = _forward, _backward
    batch, pad = tf.shape(scores)[2], None
    if compiled_loops():
        forward, backward = _hide(_compiled_forward), _hide(_compiled_backward)
        time = tf.shape(scores)[0]
        pad = [[0, missing_to_bucket(time)], [0, 0], [0, -batch % _COLUMNS]]
        scores, real, follows = (tf.pad(x, pad) for x in (scores, real, follows))
    last, alphas = forward(scores, real, follows, transitions)

    def gradient(d_last):
        if pad is not None:
            d_last = tf.pad(d_last, pad[1:])
        d_scores, d_transitions = backward(alphas, real, follows, transitions, d_last)
        if pad is not None:
            d_scores = d_scores[:time, :, :batch]
        return d_scores, None, None, d_transitions

    return last[:, :batch], gradient


def _forward(scores, real, follows, transitions):
    """Computes the last scores as `_last_scores`, and the scores of all steps, <float32>[time,
    tags, batch], less their maximum at each step: else rounding errors grow with the text."""
    time, tags, batch = tf.unstack(tf.shape(scores))

    def step(now, alpha, lifted, history):
        into = _log_sum(alpha[:, None, :] + transitions[:, :, None])
        after = scores[now] + tf.where(follows[now], into, 0.0)
        alpha = keep_shape(tf.where(real[now], after, alpha), alpha)
        peak = tf.reduce_max(alpha, axis=0, keepdims=True)
        alpha -= peak
        return now + 1, alpha, keep_shape(lifted + peak, lifted), history.write(now, alpha)

    alpha, lifted = tf.zeros([tags, batch]), tf.zeros([1, batch])
    _, alpha, lifted, history = tf.while_loop(
        lambda now, *_: now < time,
        step,
        [tf.constant(0), alpha, lifted, matrix_array(tf.float32, time)],
    )
    return alpha + lifted, history.stack()


def _backward(alphas, real, follows, transitions, d_last):
    """Computes the derivatives by scores and transitions.

    Args:
        alphas: <float32>[time, tags, batch], the second result of `_forward`.
        real: as `_forward`.
        follows: as `_forward`.
        transitions: as `_forward`.
        d_last: <float32>[tags, batch], the derivatives by the first result of `_forward`.
    """
    time = tf.shape(alphas)[0]

    def step(now, d_alpha, d_transitions, history):
        d_now = tf.where(real[now], d_alpha, 0.0)
        paths = alphas[tf.maximum(now - 1, 0)][:, None, :] + transitions[:, :, None]
        # The share of each previous tag in a tag, [from, to, batch]; sums to 1 over `from`.
        shares = tf.exp(paths - tf.reduce_max(paths, axis=0, keepdims=True))
        flow = d_now / tf.reduce_sum(shares, axis=0)
        flow = shares * tf.where(follows[now], flow, 0.0)
        before = tf.where(real[now], tf.reduce_sum(flow, axis=1), d_alpha)
        sums = d_transitions + tf.reduce_sum(flow, axis=2)
        return (
            now - 1,
            keep_shape(before, d_alpha),
            keep_shape(sums, d_transitions),
            history.write(now, d_now),
        )

    _, _, d_transitions, history = tf.while_loop(
        lambda now, *_: now >= 0,
        step,
        [time - 1, d_last, tf.zeros_like(transitions), matrix_array(tf.float32, time)],
    )
    return history.stack(), d_transitions


_compiled_forward = graph(_forward, jit_compile=True, reduce_retracing=True)
_compiled_backward = graph(_backward, jit_compile=True, reduce_retracing=True)


def _hide(function: Callable) -> Callable:
    """Hides a function from gradient tapes: `tf.custom_gradient` provides its gradient."""

    def call(*tensors):
        results = function(*(tf.stop_gradient(tensor) for tensor in tensors))
        return tf.nest.map_structure(tf.stop_gradient, results)

    return call


def matrix_array(dtype: tf.DType, size: tf.Tensor) -> tf.TensorArray:
    """Returns a TensorArray of matrices."""
    return tf.TensorArray(dtype, size, element_shape=[None, None], infer_shape=False)


def keep_shape(x: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Gives a variable of a loop the static shape that it had before, as loops demand."""
    return tf.ensure_shape(x, like.shape)


def _log_sum(x: tf.Tensor) -> tf.Tensor:
    """Computes the logarithm of the summed exponentials of finite numbers over the first axis."""
    peak = tf.reduce_max(x, axis=0)
    return peak + tf.math.log(tf.reduce_sum(tf.exp(x - peak), axis=0))
