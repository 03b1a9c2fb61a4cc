"""The highest-scoring paths of a linear-chain CRF."""

import tensorflow as tf

from models.crf.forward_backward import Weights, array, chain_of, shaped


def best_paths(
    emissions: tf.Tensor, mask: tf.Tensor, weights: Weights, count: int = 1
) -> tuple[tf.Tensor, tf.Tensor]:
    """The paths with the highest scores (Viterbi 1967; with ranks, Schwartz & Chow 1990).

    Args:
        emissions, mask, weights: as `models.crf.forward_backward.log_partition`.
        count: how many.

    Returns:
        Tags <int32>[batch, count, time], 0 where masked, and scores <float32>[batch, count], the
        best first. Where there are fewer paths, the rest have the score -inf; a text without a real
        step has one path, of the score 0.
    """
    batch, _, tags = tf.unstack(tf.shape(emissions))
    chain = chain_of(emissions, mask, weights.start)
    # [time, batch, tags]: what looks for the highest looks along the last axis.
    scores, real, follows = (tf.transpose(each, [0, 2, 1]) for each in chain)
    time = tf.shape(scores)[0]
    # Of each tag the `count` best paths that end with it; at first there is one.
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
        best = shaped(tf.where(real[now][:, :, None], values, best), best)
        return now + 1, best, pointers.write(now, origins)

    _, best, pointers = tf.while_loop(
        lambda now, *_: now < time,
        step,
        [tf.constant(0), ranks, array(tf.int32, time)],
    )
    best += weights.end[None, :, None]
    values, ends = tf.math.top_k(tf.reshape(best, [batch, tags * count]), count)
    values = tf.where(tf.reduce_any(mask, axis=1, keepdims=True), values, only_first)
    return _traced(pointers.stack(), ends, count, mask), values


def _traced(pointers, ends, count: int, mask) -> tf.Tensor:
    """Follows pointers <int32>[time, batch, tags * count] back from the ends, <int32>[batch,
    count]."""
    time = tf.shape(pointers)[0]

    def step(now, state, path):
        path = path.write(now, state // count)
        return now - 1, shaped(tf.gather(pointers[now], state, batch_dims=1), state), path

    _, _, path = tf.while_loop(
        lambda now, *_: now >= 0,
        step,
        [time - 1, ends, array(tf.int32, time)],
    )
    paths = tf.transpose(path.stack(), [1, 2, 0])[:, :, : tf.shape(mask)[1]]
    return tf.where(mask[:, None, :], paths, 0)
