"""The highest-scoring paths of a linear-chain CRF."""

import tensorflow as tf

from models.crf.forward_backward import Weights, keep_shape, matrix_array, to_chain


def best_paths(
    emissions: tf.Tensor, mask: tf.Tensor, weights: Weights, count: int = 1
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the paths with the highest scores (Viterbi 1967; the n best, Schwartz & Chow 1990).

    Args:
        emissions: <float32>[batch, time, tags].
        mask: <bool>[batch, time], true at real steps.
        weights: of the CRF.
        count: how many paths of each text.

    Returns:
        Tags <int32>[batch, count, time], 0 where masked, and scores <float32>[batch, count], the
        best first. Where there are fewer paths, the others have the score -inf; a text without a
        real step has one path, with the score 0.
    """
    batch, _, tags = tf.unstack(tf.shape(emissions))
    chain = to_chain(emissions, mask, weights.start)
    # [time, batch, tags]: `top_k` searches the last axis.
    scores, real, follows = (tf.transpose(x, [0, 2, 1]) for x in chain)
    time = tf.shape(scores)[0]
    # The `count` best paths that end with each tag; at first there is one.
    only_first = tf.where(tf.range(count) == 0, 0.0, float("-inf"))
    ranks = only_first + tf.zeros([batch, tags, 1])
    stay = tf.zeros([batch, tags * count], tf.int32) + tf.range(tags * count)
    into = tf.transpose(weights.transitions)[None, :, :, None]

    def step(now, best, pointers):
        # [batch, to, from * count]
        candidates = tf.reshape(best[:, None] + into, [batch, tags, tags * count])
        values, origins = tf.math.top_k(candidates, count)
        follow = follows[now][:, :, None]
        values = tf.where(follow, values, ranks) + scores[now][:, :, None]
        origins = tf.where(follow[:, 0], tf.reshape(origins, [batch, -1]), stay)
        best = keep_shape(tf.where(real[now][:, :, None], values, best), best)
        return now + 1, best, pointers.write(now, origins)

    _, best, pointers = tf.while_loop(
        lambda now, *_: now < time,
        step,
        [tf.constant(0), ranks, matrix_array(tf.int32, time)],
    )
    best += weights.end[None, :, None]
    values, ends = tf.math.top_k(tf.reshape(best, [batch, tags * count]), count)
    values = tf.where(tf.reduce_any(mask, axis=1, keepdims=True), values, only_first)
    return _follow_pointers(pointers.stack(), ends, count, mask), values


def _follow_pointers(
    pointers: tf.Tensor, ends: tf.Tensor, count: int, mask: tf.Tensor
) -> tf.Tensor:
    """Follows pointers, <int32>[time, batch, tags * count], back from the ends, <int32>[batch,
    count], and returns the paths, <int32>[batch, count, time]."""
    time = tf.shape(pointers)[0]

    def step(now, state, path):
        path = path.write(now, state // count)
        return now - 1, keep_shape(tf.gather(pointers[now], state, batch_dims=1), state), path

    _, _, path = tf.while_loop(
        lambda now, *_: now >= 0,
        step,
        [time - 1, ends, matrix_array(tf.int32, time)],
    )
    paths = tf.transpose(path.stack(), [1, 2, 0])[:, :, : tf.shape(mask)[1]]
    return tf.where(mask[:, None, :], paths, 0)
