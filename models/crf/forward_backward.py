"""Sums and maxima over all paths of tags through a text: the recursions of a linear-chain CRF.

A path's score is `start[y_1] + sum_t emissions[t, y_t] + sum_t transitions[y_t, y_t+1] + end[y_n]`
over the real steps; steps that are masked, at the end or anywhere else, are passed over, so that
the neighbours of a hole follow each other.

The sum over all paths and its gradient are loops over time with hand-made derivatives. They lie
tags by batch, `[time, tags, batch]`, as the recurrent layers do
(`models.recurrent.compiled_batch`), and are compiled where those are.
"""

from typing import NamedTuple

import tensorflow as tf

from data.graphs import graph
from models.compilation import compiled_loops, missing_to_bucket

# XLA compiles for each number of columns: it meets multiples of this alone.
_COLUMNS = 8


class Weights(NamedTuple):
    """Scores of a CRF: `transitions` <float32>[tags, tags], from a row's tag to a column's; `start`
    and `end` <float32>[tags]."""

    transitions: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor


class _Chain(NamedTuple):
    """A batch as the loops want it.

    Attributes:
        scores: <float32>[time, tags, batch], emissions, at a text's first real step with `start`.
        real: <bool>[time, 1, batch].
        follows: <bool>[time, 1, batch], real and not the first.
    """

    scores: tf.Tensor
    real: tf.Tensor
    follows: tf.Tensor


def chain_of(emissions, mask, start) -> _Chain:
    # Loops want a step: what they stack would else have no shape. It is masked.
    missing = tf.maximum(1 - tf.shape(mask)[1], 0)
    emissions = tf.pad(emissions, [[0, 0], [0, missing], [0, 0]])
    real = tf.transpose(tf.pad(mask, [[0, 0], [0, missing]]))[:, None, :]
    earlier = tf.cumsum(tf.cast(real, tf.int32), axis=0, exclusive=True) > 0
    scores = tf.transpose(emissions, [1, 2, 0])
    scores += tf.where(real & ~earlier, start[:, None], 0.0)
    return _Chain(scores, real, real & earlier)


def log_partition(emissions: tf.Tensor, mask: tf.Tensor, weights: Weights) -> tf.Tensor:
    """The logarithm of the summed exponentials of all paths' scores (the forward algorithm).

    Args:
        emissions: <float32>[batch, time, tags].
        mask: <bool>[batch, time], true at real steps.
        weights: of the CRF.

    Returns:
        <float32>[batch]; 0 for a text without a real step.
    """
    last = _last_scores(*chain_of(emissions, mask, weights.start), weights.transitions)
    total = _log_sum(last + weights.end[:, None])
    return tf.where(tf.reduce_any(mask, axis=1), total, 0.0)


def path_score(
    emissions: tf.Tensor, tags: tf.Tensor, mask: tf.Tensor, weights: Weights
) -> tf.Tensor:
    """The scores of given paths, <float32>[batch].

    Args:
        emissions, mask, weights: as `log_partition`.
        tags: <int32>[batch, time]; what stands where it is masked does not matter.
    """
    chosen = tf.one_hot(tags, tf.shape(emissions)[2], on_value=1.0, off_value=0.0)
    chosen = tf.where(mask[:, :, None], chosen, 0.0)
    # Real steps first: the neighbours of a hole then stand side by side.
    steps = tf.range(tf.shape(mask)[1])
    order = tf.argsort(tf.where(mask, steps, steps + tf.size(steps)), axis=1)
    ordered = tf.gather(chosen, order, axis=1, batch_dims=1)
    counts = tf.matmul(ordered[:, :-1], ordered[:, 1:], transpose_a=True)
    # A step is the last if none follows.
    behind = tf.pad(tf.reduce_sum(ordered, axis=2)[:, 1:], [[0, 0], [0, 1]])
    ends = tf.reduce_sum(ordered * (1.0 - behind)[:, :, None], axis=1)
    return (
        tf.reduce_sum(chosen * emissions, axis=[1, 2])
        + tf.reduce_sum(counts * weights.transitions, axis=[1, 2])
        + tf.linalg.matvec(tf.reduce_sum(ordered[:, :1], axis=1), weights.start)
        + tf.linalg.matvec(ends, weights.end)
    )


def marginals(emissions: tf.Tensor, mask: tf.Tensor, weights: Weights) -> tf.Tensor:
    """The probability of each tag at each step (the forward-backward algorithm).

    Args: as `log_partition`.

    Returns:
        <float32>[batch, time, tags]; sums to 1 over the tags, 0 where masked.
    """
    chain = chain_of(emissions, mask, weights.start)
    _, alphas = _forward(*chain, weights.transitions)
    # The derivatives of the logarithm of the sum by the emissions.
    d_last = tf.nn.softmax(alphas[-1] + weights.end[:, None], axis=0)
    d_scores, _ = _backward(alphas, chain.real, chain.follows, weights.transitions, d_last)
    return tf.transpose(d_scores, [2, 0, 1])[:, : tf.shape(mask)[1]]


@tf.custom_gradient
def _last_scores(scores, real, follows, transitions):
    """<float32>[tags, batch]: for each tag the logarithm of the sum over the paths that end with
    it, without `end`. Arguments as `_Chain`."""
    forward, backward = (_forward, _backward)
    batch, pad = tf.shape(scores)[2], None
    if compiled_loops():
        forward, backward = _opaque(_compiled_forward), _opaque(_compiled_backward)
        time = tf.shape(scores)[0]
        pad = [[0, missing_to_bucket(time)], [0, 0], [0, -batch % _COLUMNS]]
        scores, real, follows = (tf.pad(each, pad) for each in (scores, real, follows))
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
    """The last scores as `_last_scores`, and those of all steps less what is the same for all tags,
    <float32>[time, tags, batch]: they grow with the text, and with them their rounding would."""
    time, tags, batch = tf.unstack(tf.shape(scores))

    def step(now, alpha, lifted, history):
        into = _log_sum(alpha[:, None, :] + transitions[:, :, None])
        after = scores[now] + tf.where(follows[now], into, 0.0)
        alpha = shaped(tf.where(real[now], after, alpha), alpha)
        peak = tf.reduce_max(alpha, axis=0, keepdims=True)
        alpha -= peak
        return now + 1, alpha, shaped(lifted + peak, lifted), history.write(now, alpha)

    alpha, lifted = tf.zeros([tags, batch]), tf.zeros([1, batch])
    _, alpha, lifted, history = tf.while_loop(
        lambda now, *_: now < time,
        step,
        [tf.constant(0), alpha, lifted, array(tf.float32, time)],
    )
    return alpha + lifted, history.stack()


def _backward(alphas, real, follows, transitions, d_last):
    """The derivatives by scores and transitions.

    Args:
        alphas: <float32>[time, tags, batch], of `_forward`.
        real, follows, transitions: its arguments.
        d_last: <float32>[tags, batch], the derivatives by its first result.
    """
    time = tf.shape(alphas)[0]

    def step(now, d_alpha, d_transitions, history):
        d_now = tf.where(real[now], d_alpha, 0.0)
        paths = alphas[tf.maximum(now - 1, 0)][:, None, :] + transitions[:, :, None]
        # Shares of the tags that a step comes from: [from, to, batch], sums to 1 over `from`.
        shares = tf.exp(paths - tf.reduce_max(paths, axis=0, keepdims=True))
        flow = d_now / tf.reduce_sum(shares, axis=0)
        flow = shares * tf.where(follows[now], flow, 0.0)
        before = tf.where(real[now], tf.reduce_sum(flow, axis=1), d_alpha)
        sums = d_transitions + tf.reduce_sum(flow, axis=2)
        return (
            now - 1,
            shaped(before, d_alpha),
            shaped(sums, d_transitions),
            history.write(now, d_now),
        )

    _, _, d_transitions, history = tf.while_loop(
        lambda now, *_: now >= 0,
        step,
        [time - 1, d_last, tf.zeros_like(transitions), array(tf.float32, time)],
    )
    return history.stack(), d_transitions


_compiled_forward = graph(_forward, jit_compile=True, reduce_retracing=True)
_compiled_backward = graph(_backward, jit_compile=True, reduce_retracing=True)


def _opaque(function):
    """`function` that no tape follows: its gradient is told elsewhere."""

    def call(*tensors):
        results = function(*(tf.stop_gradient(tensor) for tensor in tensors))
        return tf.nest.map_structure(tf.stop_gradient, results)

    return call


def array(dtype, size) -> tf.TensorArray:
    """Of matrices."""
    return tf.TensorArray(dtype, size, element_shape=[None, None], infer_shape=False)


def shaped(x: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """A loop wants variables whose static shapes stay."""
    return tf.ensure_shape(x, like.shape)


def _log_sum(x: tf.Tensor) -> tf.Tensor:
    """The logarithm of the summed exponentials over the first axis; all numbers are finite."""
    peak = tf.reduce_max(x, axis=0)
    return peak + tf.math.log(tf.reduce_sum(tf.exp(x - peak), axis=0))
