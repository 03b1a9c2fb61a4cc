"""The memory of a decoder: an encoded batch of sources, as its attention reads them."""

from typing import NamedTuple

import tensorflow as tf


class Memory(NamedTuple):
    """A batch of sources, encoded for the decoder's attention.

    Attributes:
        values: <float32>[batch, time, features], outputs of the encoder.
        keys: from the attention, computed once for all steps; None without attention.
        mask: <bool>[batch, time], true at real positions.
        token_ids: <int32>[batch, time], the sources, if the decoder copies them; or None.
    """

    values: tf.Tensor
    keys: tf.Tensor | None
    mask: tf.Tensor
    token_ids: tf.Tensor | None = None
