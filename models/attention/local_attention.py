"""Local attention (Luong et al. 2015, section 3.2): a query looks at a window of the source."""

from typing import Any

import keras
from keras import ops

from models.attention.global_attention import Attention, GeneralAttention
from models.attention.masked_softmax import masked_softmax


def window_weights(
    scores: keras.KerasTensor, middles: keras.KerasTensor, mask: keras.KerasTensor, window: int
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Computes the softmax over the real positions of each query's window.

    Args:
        scores: <float32>[batch, queries, time].
        middles: <float32>[batch, queries], the middle of each window.
        mask: <bool>[batch, time].
        window: positions on either side.

    Returns:
        The weights, 0 outside of the window, and the distance of each position from the middle,
        both <float32>[batch, queries, time].
    """
    steps = ops.cast(ops.arange(ops.shape(scores)[-1]), "float32")
    distances = steps - middles[:, :, None]
    near = mask[:, None, :] & (ops.abs(distances) <= window)
    return masked_softmax(scores, near), distances


def _count_real(mask: keras.KerasTensor) -> keras.KerasTensor:
    return ops.sum(ops.cast(mask, "float32"), axis=1, keepdims=True)


def _all_real(keys: keras.KerasTensor, mask: keras.KerasTensor | None) -> keras.KerasTensor:
    return ops.ones(ops.shape(keys)[:2], "bool") if mask is None else mask


class LocalAttention(Attention):
    """The base class of local attentions: a window, and the scores of `GeneralAttention`.

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

    def build(self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple) -> None:
        self.general.build(query_shape, keys_shape, values_shape)
        super().build(query_shape)

    def keys_of(self, values: keras.KerasTensor) -> keras.KerasTensor:
        return self.general.keys_of(values)

    def get_config(self) -> dict:
        return {**super().get_config(), "window": self.window}


@keras.saving.register_keras_serializable(package="models")
class LocalMonotonicAttention(LocalAttention):
    """Local attention whose window moves with the target (local-m): `p = t`, and
    `weights = softmax(q . (W v))` over `[p - D, p + D]`. After the end of the source the window
    stays at the last position.

    Args, call arguments and output shape: as `LocalAttention`.
    """

    def attention_weights(
        self,
        query: keras.KerasTensor,
        keys: keras.KerasTensor,
        mask: keras.KerasTensor | None,
        positions: keras.KerasTensor | None,
    ) -> keras.KerasTensor:
        mask = _all_real(keys, mask)
        if positions is None:
            positions = ops.arange(ops.shape(query)[1])
        middles = ops.minimum(ops.cast(positions, "float32")[None, :], _count_real(mask) - 1.0)
        return window_weights(self.general.scores(query, keys), middles, mask, self.window)[0]


@keras.saving.register_keras_serializable(package="models")
class LocalPredictiveAttention(LocalAttention):
    """Local attention that predicts its window from the query (local-p):
    `p = (S - 1) sigmoid(a . tanh(W_p q))` (equation 9, positions counted from 0), and
    `weights = softmax(q . (W v)) exp(-(s - p)^2 / (2 (D / 2)^2))` over `[p - D, p + D]`
    (equation 10). As in the paper, the weights are not normalised again.

    Args, call arguments and output shape: as `LocalAttention`.
    """

    def __init__(self, units: int, window: int = 4, **kwargs: Any):
        super().__init__(units, window, **kwargs)
        self.position_projection = keras.layers.Dense(units, activation="tanh", use_bias=False)
        self.position = keras.layers.Dense(1, activation="sigmoid", use_bias=False)

    def build(self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple) -> None:
        super().build(query_shape, keys_shape, values_shape)
        self.position_projection.build(query_shape)
        self.position.build((*query_shape[:-1], self.units))

    def attention_weights(
        self,
        query: keras.KerasTensor,
        keys: keras.KerasTensor,
        mask: keras.KerasTensor | None,
        positions: keras.KerasTensor | None,
    ) -> keras.KerasTensor:
        mask = _all_real(keys, mask)
        share = ops.squeeze(self.position(self.position_projection(query)), axis=-1)
        middles = (_count_real(mask) - 1.0) * ops.cast(share, "float32")
        scores = self.general.scores(query, keys)
        weights, distances = window_weights(scores, middles, mask, self.window)
        deviation = self.window / 2.0
        return weights * ops.exp(-ops.square(distances) / (2.0 * deviation**2))
