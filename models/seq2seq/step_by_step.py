"""Decoding of a known target step by step, where a step needs the results of the one before."""

from typing import Any

import tensorflow as tf

from models.seq2seq.memory import Memory


def decode_step_by_step(
    decoder: Any, target_ids: tf.Tensor, memory: Memory, states: list, training: bool
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Decodes a known target with a `tf.while_loop` over its steps.

    Args:
        decoder: a `models.seq2seq.decoder.TranslationDecoder`.
        target_ids: <int32>[batch, steps].
        memory: of the sources.
        states: the initial states, <float32>[batch, units] each.
        training: whether to apply dropout and scheduled sampling.

    Returns:
        As `decode_target` of the decoder.
    """
    batch, steps = tf.unstack(tf.shape(target_ids))
    # Dropout has the same masks at all steps.
    masks = decoder.stack.step_masks(batch) if training and decoder.stack.dropout else None
    sampling = decoder.sampling if training else None
    is_sampled = None if sampling is None else sampling.draw(steps, batch)
    embedded = tf.transpose(decoder.embed_target(target_ids, training), [1, 0, 2])
    inputs = tf.TensorArray(embedded.dtype, steps).unstack(embedded)
    ones = tf.ones([batch, 1, embedded.shape[-1]], embedded.dtype)
    drop = decoder.drop_features(ones, training=training)[:, 0]

    def body(t, state, last, outputs, attended):
        x = inputs.read(t)
        if is_sampled is not None:
            predicted = decoder.embed_ids(last) * drop
            x = tf.where((is_sampled[t] & (t > 0))[:, None], predicted, x)
        hidden, weights, state = decoder.advance(x, state, memory, masks)
        if is_sampled is not None:
            known = (None if x is None else tf.stop_gradient(x)[:, None] for x in (hidden, weights))
            last = tf.argmax(decoder.score_tokens(*known, memory)[:, 0], -1, tf.int32)
        attended = attended if weights is None else attended.write(t, weights)
        return t + 1, state, last, outputs.write(t, hidden), attended

    outputs, attended = (tf.TensorArray(dtype, steps) for dtype in (embedded.dtype, tf.float32))
    variables = (0, decoder.initial_state(states), tf.zeros([batch], tf.int32), outputs, attended)
    *_, outputs, attended = tf.while_loop(
        lambda t, *_: t < steps, body, variables, maximum_iterations=steps
    )
    hidden = tf.ensure_shape(tf.transpose(outputs.stack(), [1, 0, 2]), [None, None, decoder.size])
    if decoder.attention is None:
        return hidden, None
    return hidden, tf.transpose(attended.stack(), [1, 0, 2])
