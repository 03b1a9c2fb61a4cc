"""Global attention: which positions of a sequence a query looks at, by their scores.

Every layer is called as `context, weights = attention(query, keys, values, mask=mask)`, with
`keys = attention.keys_of(values)` made once for a sequence, however many queries there are: all
steps of a target in one call, or one step after the other.
"""

import keras
from keras import ops

from models.attention.masked_softmax import masked_softmax


class Attention(keras.layers.Layer):
    """What all attentions share: a softmax of scores over real positions, and the weighted mean.

    A subclass has `scores`, and `keys_of` if it projects the values.

    Args:
        units: size of the queries, or of the projections of an attention that has some.

    Call arguments:
        query: <float32>[batch, queries, features].
        keys: <float32>[batch, time, ...], of `keys_of(values)`.
        values: <float32>[batch, time, value_features].
        mask: <bool>[batch, time], true at real positions, or None.
        positions: <int32>[queries], of the queries in their own sequence, counted from 0; None for
            ascending ones. Local attention alone reads them.

    Output shape:
        The context <float32>[batch, queries, value_features] and the weights
        <float32>[batch, queries, time], 0 where padded.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"units must be at least 1. Received: {units}")
        self.units = units
        self.supports_masking = True

    def keys_of(self, values):
        """What scores are computed from, once a sequence: <float32>[batch, time, ...]."""
        return values

    def scores(self, query, keys):
        """<float32>[batch, queries, time], before the softmax."""
        raise NotImplementedError

    def call(self, query, keys, values, mask=None, positions=None):
        weights = self.weights_of(query, keys, mask, positions)
        return ops.matmul(ops.cast(weights, values.dtype), values), weights

    def weights_of(self, query, keys, mask, positions):
        """<float32>[batch, queries, time], 0 where padded."""
        return masked_softmax(self.scores(query, keys), None if mask is None else mask[:, None, :])

    def compute_mask(self, query, keys=None, values=None, mask=None):
        return None, None

    def compute_output_shape(self, query_shape, keys_shape, values_shape):
        return (*query_shape[:-1], values_shape[-1]), (*query_shape[:-1], values_shape[-2])

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="models")
class DotAttention(Attention):
    """Luong et al. (2015), "Effective Approaches to Attention-based Neural Machine Translation",
    equation 8, dot: `score(q, k) = q . k`. Queries and values have one size, `units`.

    Arguments, call and output shape: as `Attention`.

    Raises:
        ValueError: the sizes differ.
    """

    def build(self, query_shape, keys_shape=None, values_shape=None):
        if not query_shape[-1] == self.units == values_shape[-1]:
            raise ValueError(
                f"dot attention needs queries and values of {self.units} features. Received: "
                f"{query_shape[-1]} and {values_shape[-1]}"
            )
        super().build(query_shape)

    def scores(self, query, keys):
        return ops.matmul(query, ops.swapaxes(keys, 1, 2))


@keras.saving.register_keras_serializable(package="models")
class GeneralAttention(Attention):
    """Luong et al. (2015), equation 8, general: `score(q, v) = q . (W v)`; `units` is the size of
    the queries.

    Arguments, call and output shape: as `Attention`.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(units, **kwargs)
        self.key_projection = keras.layers.Dense(units, use_bias=False)

    def build(self, query_shape, keys_shape=None, values_shape=None):
        self.key_projection.build(values_shape)
        super().build(query_shape)

    def keys_of(self, values):
        return self.key_projection(values)

    def scores(self, query, keys):
        return ops.matmul(query, ops.swapaxes(keys, 1, 2))


@keras.saving.register_keras_serializable(package="models")
class AdditiveAttention(Attention):
    """Bahdanau et al. (2015), "Neural Machine Translation by Jointly Learning to Align and
    Translate", section 3.1 and appendix A.1.2: `score(q, v) = a . tanh(W q + U v + b)`.

    Keras' layer of that name has `a` alone, and neither `W` nor `U`.

    Args:
        units: size of `a` and of both projections.

    Call arguments, output shape: as `Attention`.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(units, **kwargs)
        self.query_projection = keras.layers.Dense(units)
        self.key_projection = keras.layers.Dense(units, use_bias=False)
        self.score = keras.layers.Dense(1, use_bias=False)

    def build(self, query_shape, keys_shape=None, values_shape=None):
        self.query_projection.build(query_shape)
        self.key_projection.build(values_shape)
        self.score.build((*query_shape[:-1], self.units))
        super().build(query_shape)

    def keys_of(self, values):
        return self.key_projection(values)

    def scores(self, query, keys):
        total = self.query_projection(query)[:, :, None, :] + keys[:, None, :, :]
        return ops.squeeze(self.score(ops.tanh(total)), axis=-1)


@keras.saving.register_keras_serializable(package="models")
class ConcatAttention(Attention):
    """Luong et al. (2015), equation 8, concat: `score(q, v) = a . tanh(W [q; v])`.

    The product with `W` is the sum of those with its two parts, that of the queries above that of
    the values, so that the values' is formed once a sequence. It has to be built before `keys_of`.

    Args:
        units: size of `a`.

    Call arguments, output shape: as `Attention`.
    """

    def build(self, query_shape, keys_shape=None, values_shape=None):
        self.query_size = query_shape[-1]
        self.kernel = self.add_weight(
            shape=(query_shape[-1] + values_shape[-1], self.units), name="kernel"
        )
        self.score = self.add_weight(shape=(self.units,), name="score", initializer="glorot_normal")
        super().build(query_shape)

    def keys_of(self, values):
        return ops.matmul(values, ops.cast(self.kernel, values.dtype)[self.query_size :])

    def scores(self, query, keys):
        queries = ops.matmul(query, ops.cast(self.kernel, query.dtype)[: self.query_size])
        total = ops.tanh(queries[:, :, None, :] + keys[:, None, :, :])
        return ops.squeeze(ops.matmul(total, ops.cast(self.score, query.dtype)[:, None]), axis=-1)
