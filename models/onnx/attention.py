"""Attentions in an ONNX graph.

A step has several queries of each source, those of one source together: `[rows, units]` becomes
`[batch, rows of each, units]` and back.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.onnx.graph import Graph
from models.onnx.layers import add_dense, is_real

# As in `models.attention.masked_softmax`.
_LOWEST = -1e9


def _add_masked_softmax(graph: Graph, scores: str, mask: str) -> str:
    """Adds a softmax over real positions; both [batch, queries, time], the mask with one query."""
    kept = graph.add("Where", mask, scores, graph.constant(_LOWEST))
    weights = graph.add("Softmax", kept, axis=-1)
    return graph.add("Where", mask, weights, graph.constant(0.0))


def _add_product(graph: Graph, query: str, keys: str) -> str:
    return graph.add("MatMul", query, graph.add("Transpose", keys, perm=[0, 2, 1]))


def add_self_attention(graph: Graph, layer: Any, values: str, ids: str) -> str:
    """Adds a `SelfAttention` over <float32>[batch, time, features], whose ids are 0 where
    padded."""
    query, key, value = (add_dense(graph, each, values) for each in _projections(layer))
    scores = graph.add("Div", _add_product(graph, query, key), graph.constant(layer.units**0.5))
    mask = graph.add("Unsqueeze", is_real(graph, ids), graph.constant([1], "int64"))
    mean = graph.add("MatMul", _add_masked_softmax(graph, scores, mask), value)
    return graph.add("Add", values, add_dense(graph, layer.output_projection, mean))


def _projections(layer: Any) -> tuple[Any, Any, Any]:
    return layer.query, layer.key, layer.value


def add_keys(graph: Graph, layer: Any, values: str) -> str:
    """Adds what `keys_of` of an attention computes of the outputs of an encoder."""
    return _KEYS[type(layer).__name__](graph, layer, values)


def add_attention(graph: Graph, layer: Any, query: str) -> tuple[str, str]:
    """Adds an attention to `source_ids`, `values` and `keys`, which become inputs.

    Args:
        graph: that is written.
        layer: of `models.attention`.
        query: <float32>[rows, units].

    Returns:
        The context <float32>[rows, features] and the weights <float32>[rows, time].
    """
    ids = graph.input("source_ids", "int32", ("batch", "time"))
    keys = graph.input("keys", "float32", ("batch", "time", "key_features"))
    values = graph.input("values", "float32", ("batch", "time", "features"))
    batch = graph.add("Shape", ids, start=0, end=1)
    free = graph.constant([-1], "int64")
    width = graph.add("Shape", query, start=1, end=2)
    query = graph.add("Reshape", query, graph.add("Concat", batch, free, width, axis=0))
    mask = graph.add("Unsqueeze", is_real(graph, ids), graph.constant([1], "int64"))
    scores = _SCORES[type(layer).__name__](graph, layer, query, keys)
    add_window = _WINDOWS.get(type(layer).__name__)
    if add_window is None:
        weights = _add_masked_softmax(graph, scores, mask)
    else:
        weights = add_window(graph, layer, query, scores, mask)
    context = graph.add("MatMul", weights, values)

    def flatten(x: str, like: str) -> str:
        shape = graph.add("Concat", free, graph.add("Shape", like, start=-1), axis=0)
        return graph.add("Reshape", x, shape)

    return flatten(context, values), flatten(weights, ids)


def _add_dot(graph: Graph, layer: Any, query: str, keys: str) -> str:
    return _add_product(graph, query, keys)


def _add_additive(graph: Graph, layer: Any, query: str, keys: str) -> str:
    return _add_sum(
        graph, add_dense(graph, layer.query_projection, query), keys, layer.score.kernel
    )


def _add_concat(graph: Graph, layer: Any, query: str, keys: str) -> str:
    kernel = np.asarray(layer.kernel)[: layer.query_size]
    query = graph.add("MatMul", query, graph.constant(kernel))
    return _add_sum(graph, query, keys, np.asarray(layer.score)[:, None])


def _add_sum(graph: Graph, query: str, keys: str, score: Any) -> str:
    """Adds `a . tanh(q + k)` of each query and each key."""
    query = graph.add("Unsqueeze", query, graph.constant([2], "int64"))
    keys = graph.add("Unsqueeze", keys, graph.constant([1], "int64"))
    total = graph.add("Tanh", graph.add("Add", query, keys))
    scores = graph.add("MatMul", total, graph.constant(np.asarray(score)))
    return graph.add("Squeeze", scores, graph.constant([3], "int64"))


def _add_monotonic(graph: Graph, layer: Any, query: str, scores: str, mask: str) -> str:
    """Adds the weights of a window that moves with the target."""
    position = graph.input("position", "float32", (1,))
    last = graph.add("Sub", _add_count(graph, mask), graph.constant(1.0))
    middles = graph.add("Min", last, position)
    return _add_window(graph, layer, scores, middles, mask)[0]


def _add_predictive(graph: Graph, layer: Any, query: str, scores: str, mask: str) -> str:
    """Adds the weights of a window that follows from the query."""
    x = graph.add("Tanh", add_dense(graph, layer.position_projection, query))
    share = graph.add("Sigmoid", add_dense(graph, layer.position, x))
    last = graph.add("Sub", _add_count(graph, mask), graph.constant(1.0))
    weights, distances = _add_window(graph, layer, scores, graph.add("Mul", last, share), mask)
    square = graph.add("Mul", distances, distances)
    deviation = layer.window / 2.0
    falling = graph.add("Exp", graph.add("Mul", square, graph.constant(-0.5 / deviation**2)))
    return graph.add("Mul", weights, falling)


def _add_count(graph: Graph, mask: str) -> str:
    """Adds the number of real positions, <float32>[batch, 1, 1]."""
    axis = graph.constant([2], "int64")
    return graph.add("ReduceSum", graph.add("Cast", mask, to=1), axis, keepdims=1)


def _add_window(graph: Graph, layer: Any, scores: str, middles: str, mask: str) -> tuple[str, str]:
    """Adds the softmax over a window around middles <float32>[batch, queries or 1, 1], and the
    distances of all positions from them."""
    time = graph.add("Squeeze", graph.add("Shape", scores, start=2, end=3))
    zero, one = (graph.constant(number, "int64") for number in (0, 1))
    steps = graph.add("Cast", graph.add("Range", zero, time, one), to=1)
    distances = graph.add("Sub", steps, middles)
    near = graph.add("LessOrEqual", graph.add("Abs", distances), graph.constant(layer.window))
    near = graph.add("And", near, mask)
    return _add_masked_softmax(graph, scores, near), distances


def _project_by(path: str) -> Callable[[Graph, Any, str], str]:
    """Returns what adds the dense layer at a path of attributes of an attention."""

    def add(graph: Graph, layer: Any, values: str) -> str:
        for name in path.split("."):
            layer = getattr(layer, name)
        return add_dense(graph, layer, values)

    return add


def _concat_keys(graph: Graph, layer: Any, values: str) -> str:
    kernel = np.asarray(layer.kernel)[layer.query_size :]
    return graph.add("MatMul", values, graph.constant(kernel))


# By the layers' classes.
_KEYS: dict[str, Callable[[Graph, Any, str], str]] = {
    "DotAttention": lambda graph, layer, values: values,
    "GeneralAttention": _project_by("key_projection"),
    "AdditiveAttention": _project_by("key_projection"),
    "ConcatAttention": _concat_keys,
    "LocalMonotonicAttention": _project_by("general.key_projection"),
    "LocalPredictiveAttention": _project_by("general.key_projection"),
}
_SCORES: dict[str, Callable[[Graph, Any, str, str], str]] = {
    **dict.fromkeys(_KEYS, _add_dot),
    "AdditiveAttention": _add_additive,
    "ConcatAttention": _add_concat,
}
_WINDOWS: dict[str, Callable[[Graph, Any, str, str, str], str]] = {
    "LocalMonotonicAttention": _add_monotonic,
    "LocalPredictiveAttention": _add_predictive,
}
