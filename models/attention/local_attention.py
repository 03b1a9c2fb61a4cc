"""Local attention (Luong et al. 2015, section 3.2): a window of the source, not all of it."""

from typing import Any

import keras
from keras import ops

from models.attention.global_attention import Attention, GeneralAttention
from models.attention.masked_softmax import masked_softmax


def window_weights(scores, middles, mask, window: int):
    """The softmax over the real positions of each query's window.

    Args:
        scores: <float32>[batch, queries, time].
        middles: <float32>[batch, queries], the window's middle.
        mask: <bool>[batch, time].
        window: positions on either side.

    Returns:
        The weights, 0 outside, and each position's distance from the middle, both
        <float32>[batch, queries, time].
    """
    steps = ops.cast(ops.arange(ops.shape(scores)[-1]), "float32")
    distances = steps - middles[:, :, None]
    near = mask[:, None, :] & (ops.abs(distances) <= window)
    return masked_softmax(scores, near), distances


def _lengths(mask):
    return ops.sum(ops.cast(mask, "float32"), axis=1, keepdims=True)


def _all_real(keys, mask):
    return ops.ones(ops.shape(keys)[:2], "bool") if mask is None else mask


class LocalAttention(Attention):
    """What both local attentions share: a window, and the scores of `GeneralAttention`.

    Args, call arguments and output shape: as `models.attention.global_attention.GeneralAttention`,
    and
        window: `D`, positions on either side of the middle `p`.
    """

    def __init__(self, units: int, window: int = 4, **kwargs: Any):
        super().__init__(units, **kwargs)
        if window < 1:
            raise ValueError(f"window must be at least 1. Received: {window}")
        self.window = window
        self.general = GeneralAttention(units)

    def build(self, query_shape, keys_shape=None, values_shape=None):
        self.general.build(query_shape, keys_shape, values_shape)
        super().build(query_shape)

    def keys_of(self, values):
        return self.general.keys_of(values)

    def get_config(self):
        return {**super().get_config(), "window": self.window}


@keras.saving.register_keras_serializable(package="models")
class LocalMonotonicAttention(LocalAttention):
    """local-m: source and target run side by side, `p = t`; `weights = softmax(q . (W v))` over
    `[p - D, p + D]`. Behind the source's end the window stays at its last position.

    Args, call arguments and output shape: as `LocalAttention`.
    """

    def weights_of(self, query, keys, mask, positions):
        mask = _all_real(keys, mask)
        if positions is None:
            positions = ops.arange(ops.shape(query)[1])
        middles = ops.minimum(ops.cast(positions, "float32")[None, :], _lengths(mask) - 1.0)
        return window_weights(self.general.scores(query, keys), middles, mask, self.window)[0]


@keras.saving.register_keras_serializable(package="models")
class LocalPredictiveAttention(LocalAttention):
    """local-p: the query says where to look, `p = (S - 1) sigmoid(a . tanh(W_p q))` (equation 9,
    positions counted from 0), and `weights = softmax(q . (W v)) exp(-(s - p)^2 / (2 (D / 2)^2))`
    over `[p - D, p + D]` (equation 10). As in the paper they are not normalised again.

    Args, call arguments and output shape: as `LocalAttention`.
    """

    def __init__(self, units: int, window: int = 4, **kwargs: Any):
        super().__init__(units, window, **kwargs)
        self.position_projection = keras.layers.Dense(units, activation="tanh", use_bias=False)
        self.position = keras.layers.Dense(1, activation="sigmoid", use_bias=False)

    def build(self, query_shape, keys_shape=None, values_shape=None):
        super().build(query_shape, keys_shape, values_shape)
        self.position_projection.build(query_shape)
        self.position.build((*query_shape[:-1], self.units))

    def weights_of(self, query, keys, mask, positions):
        mask = _all_real(keys, mask)
        share = ops.squeeze(self.position(self.position_projection(query)), axis=-1)
        middles = (_lengths(mask) - 1.0) * ops.cast(share, "float32")
        scores = self.general.scores(query, keys)
        weights, distances = window_weights(scores, middles, mask, self.window)
        deviation = self.window / 2.0
        return weights * ops.exp(-ops.square(distances) / (2.0 * deviation**2))
