"""A target taken step by step, where a step needs what the one before has found."""

import tensorflow as tf

from models.seq2seq.memory import Memory


def target_steps(decoder, target_ids, memory: Memory, states: list, training: bool):
    """A `tf.while_loop` over the steps of a target.

    Args:
        decoder: a `models.seq2seq.decoder.TranslationDecoder`.
        target_ids: <int32>[batch, steps].
        memory: of the sources.
        states: initial ones, <float32>[batch, units] each.
        training: whether dropout drops, and scheduled sampling samples.

    Returns:
        The vectors before the logits <float32>[batch, steps, size], and the attention's weights
        <float32>[batch, steps, time], None without attention.
    """
    batch, steps = tf.unstack(tf.shape(target_ids))
    # Dropout's masks are the same at all steps.
    masks = decoder.stack.step_masks(batch) if training and decoder.stack.dropout else None
    sampled = decoder.sampling if training else None
    coins = None if sampled is None else sampled.coins(steps, batch)
    embedded = tf.transpose(decoder.embed_target(target_ids, training), [1, 0, 2])
    inputs = tf.TensorArray(embedded.dtype, steps).unstack(embedded)
    ones = tf.ones([batch, 1, embedded.shape[-1]], embedded.dtype)
    drop = decoder.drop_features(ones, training=training)[:, 0]

    def body(t, state, last, found, seen):
        x = inputs.read(t)
        if coins is not None:
            own = decoder.vectors_of(last) * drop
            x = tf.where((coins[t] & (t > 0))[:, None], own, x)
        hidden, weights, state = decoder.one_step(x, state, memory, masks)
        if coins is not None:
            last = tf.argmax(decoder.logits_of(tf.stop_gradient(hidden)), -1, tf.int32)
        seen = seen if weights is None else seen.write(t, weights)
        return t + 1, state, last, found.write(t, hidden), seen

    found, seen = (tf.TensorArray(dtype, steps) for dtype in (embedded.dtype, tf.float32))
    variables = (0, decoder.initial_state(states), tf.zeros([batch], tf.int32), found, seen)
    *_, found, seen = tf.while_loop(
        lambda t, *_: t < steps, body, variables, maximum_iterations=steps
    )
    hidden = tf.ensure_shape(tf.transpose(found.stack(), [1, 0, 2]), [None, None, decoder.size])
    if decoder.attention is None:
        return hidden, None
    return hidden, tf.transpose(seen.stack(), [1, 0, 2])
