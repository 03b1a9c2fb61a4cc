"""What a decoder looks at."""

from typing import NamedTuple

import tensorflow as tf


class Memory(NamedTuple):
    """What a decoder looks at, of a batch of sources.

    Attributes:
        values: <float32>[batch, time, features], outputs of the encoder.
        keys: what the attention makes of them, once; None without attention.
        mask: <bool>[batch, time], true at real positions.
    """

    values: tf.Tensor
    keys: tf.Tensor | None
    mask: tf.Tensor
