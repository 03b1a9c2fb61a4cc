"""Global attention: a query looks at all positions of a sequence, weighted by their scores.

Every layer is called as `context, weights = attention(query, keys, values, mask=mask)`, with
`keys = attention.keys_of(values)` computed once for a sequence, however many queries there are: all
steps of a target in one call, or one step after the other.
"""

from typing import Any

import keras
from keras import ops

from models.attention.masked_softmax import masked_softmax


class Attention(keras.layers.Layer):
    """The base class of attentions: a softmax of scores over real positions, and the weighted mean.

    A subclass defines `scores`, and `keys_of` if it projects the values.

    Args:
        units: size of the queries, or of the projections of an attention that has some.

    Call arguments:
        query: <float32>[batch, queries, features].
        keys: <float32>[batch, time, ...], the result of `keys_of(values)`.
        values: <float32>[batch, time, value_features].
        mask: <bool>[batch, time], true at real positions, or None.
        positions: <int32>[queries], those of the queries in their own sequence, counted from 0;
            None for 0, 1, ... Only local attention reads them.

    Output shape:
        The context <float32>[batch, queries, value_features] and the weights
        <float32>[batch, queries, time], 0 where padded.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"units must be at least 1. Received: {units}")
        self.units = units
        self.supports_masking = True

    def keys_of(self, values: keras.KerasTensor) -> keras.KerasTensor:
        """Computes the keys of a sequence, <float32>[batch, time, ...], for `scores`."""
        return values

    def scores(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        """Computes the scores before the softmax, <float32>[batch, queries, time]."""
        raise NotImplementedError

    def call(
        self,
        query: keras.KerasTensor,
        keys: keras.KerasTensor,
        values: keras.KerasTensor,
        mask: keras.KerasTensor | None = None,
        positions: keras.KerasTensor | None = None,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        weights = self.attention_weights(query, keys, mask, positions)
        return ops.matmul(ops.cast(weights, values.dtype), values), weights

    def attention_weights(
        self,
        query: keras.KerasTensor,
        keys: keras.KerasTensor,
        mask: keras.KerasTensor | None,
        positions: keras.KerasTensor | None,
    ) -> keras.KerasTensor:
        """Computes the weights, <float32>[batch, queries, time], 0 where padded."""
        return masked_softmax(self.scores(query, keys), None if mask is None else mask[:, None, :])

    def compute_mask(
        self, query: Any, keys: Any = None, values: Any = None, mask: Any = None
    ) -> tuple[None, None]:
        return None, None

    def compute_output_shape(
        self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple
    ) -> tuple[tuple, tuple]:
        return (*query_shape[:-1], values_shape[-1]), (*query_shape[:-1], values_shape[-2])

    def get_config(self) -> dict:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="models")
class DotAttention(Attention):
    """Dot attention (Luong et al. 2015, "Effective Approaches to Attention-based Neural Machine
    Translation", equation 8): `score(q, k) = q . k`. Queries and values have `units` features.

    Arguments, call and output shape: as `Attention`.

    Raises:
        ValueError: the sizes differ.
    """

    def build(self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple) -> None:
        if not query_shape[-1] == self.units == values_shape[-1]:
            raise ValueError(
                f"dot attention needs queries and values of {self.units} features. Received: "
                f"{query_shape[-1]} and {values_shape[-1]}"
            )
        super().build(query_shape)

    def scores(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        return ops.matmul(query, ops.swapaxes(keys, 1, 2))


@keras.saving.register_keras_serializable(package="models")
class GeneralAttention(Attention):
    """General attention (Luong et al. 2015, equation 8): `score(q, v) = q . (W v)`; `units` is the
    size of the queries.

    Arguments, call and output shape: as `Attention`.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.key_projection = keras.layers.Dense(units, use_bias=False)

    def build(self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple) -> None:
        self.key_projection.build(values_shape)
        super().build(query_shape)

    def keys_of(self, values: keras.KerasTensor) -> keras.KerasTensor:
        return self.key_projection(values)

    def scores(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        return ops.matmul(query, ops.swapaxes(keys, 1, 2))


@keras.saving.register_keras_serializable(package="models")
class AdditiveAttention(Attention):
    """Additive attention (Bahdanau et al. 2015, "Neural Machine Translation by Jointly Learning to
    Align and Translate", section 3.1 and appendix A.1.2): `score(q, v) = a . tanh(W q + U v + b)`.

    Keras' layer of that name has only `a`, neither `W` nor `U`.

    Args:
        units: size of `a` and of both projections.

    Call arguments, output shape: as `Attention`.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.query_projection = keras.layers.Dense(units)
        self.key_projection = keras.layers.Dense(units, use_bias=False)
        self.score = keras.layers.Dense(1, use_bias=False)

    def build(self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple) -> None:
        self.query_projection.build(query_shape)
        self.key_projection.build(values_shape)
        self.score.build((*query_shape[:-1], self.units))
        super().build(query_shape)

    def keys_of(self, values: keras.KerasTensor) -> keras.KerasTensor:
        return self.key_projection(values)

    def scores(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        total = self.query_projection(query)[:, :, None, :] + keys[:, None, :, :]
        return ops.squeeze(self.score(ops.tanh(total)), axis=-1)


@keras.saving.register_keras_serializable(package="models")
class ConcatAttention(Attention):
    """Concat attention (Luong et al. 2015, equation 8): `score(q, v) = a . tanh(W [q; v])`.

    `W` has a part for the queries above one for the values; the product with the latter is computed
    once a sequence. The layer has to be built before `keys_of` is called.

    Args:
        units: size of `a`.

    Call arguments, output shape: as `Attention`.
    """

    def build(self, query_shape: tuple, keys_shape: tuple | None, values_shape: tuple) -> None:
        self.query_size = query_shape[-1]
        self.kernel = self.add_weight(
            shape=(query_shape[-1] + values_shape[-1], self.units), name="kernel"
        )
        self.score = self.add_weight(shape=(self.units,), name="score", initializer="glorot_normal")
        super().build(query_shape)

    def keys_of(self, values: keras.KerasTensor) -> keras.KerasTensor:
        return ops.matmul(values, ops.cast(self.kernel, values.dtype)[self.query_size :])

    def scores(self, query: keras.KerasTensor, keys: keras.KerasTensor) -> keras.KerasTensor:
        queries = ops.matmul(query, ops.cast(self.kernel, query.dtype)[: self.query_size])
        total = ops.tanh(queries[:, :, None, :] + keys[:, None, :, :])
        return ops.squeeze(ops.matmul(total, ops.cast(self.score, query.dtype)[:, None]), axis=-1)
