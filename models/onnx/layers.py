"""Embeddings, encoders of letters, poolings and dense layers in an ONNX graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.layers.characters import CharacterConvolution
from models.layers.embedding import get_vectors
from models.onnx.graph import Graph
from models.onnx.recurrent import add_layer

# As in `models.layers.pooling`.
_LOWEST = -3e4


def add_vectors(graph: Graph, model: Any, settings: dict[str, Any] | None = None) -> str:
    """Adds the front end of a model, see `models.layers.embedding.embed`.

    A batch has each distinct word's letters once, in `character_ids` <int32>[words, letters], and
    where they stand in `words` <int32>[batch, time].

    Args:
        graph: that is written.
        model: a classifier, a tagger, or the encoder of a translator.
        settings: of the model, where it does not have them itself.

    Returns:
        The vectors <float32>[time, batch, features].
    """
    ids = graph.input("token_ids", "int32", ("batch", "time"))
    parts = [graph.add("Gather", graph.constant(get_vectors(model.get_layer("embedding"))), ids)]
    settings = settings or model.settings
    if settings["character_vocabulary_size"]:
        letters = graph.input("character_ids", "int32", ("words", settings["max_word_length"]))
        places = graph.input("words", "int32", ("batch", "time"))
        encoder = model.get_layer("characters")
        add = _add_convolution if isinstance(encoder, CharacterConvolution) else _add_recurrence
        parts.append(graph.add("Gather", add(graph, encoder, letters), places))
    if settings.get("case_features"):
        cases = graph.input("case_ids", "int32", ("batch", "time"))
        table = graph.constant(np.asarray(model.get_layer("case").embeddings))
        parts.append(graph.add("Gather", table, cases))
    x = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=-1)
    return graph.add("Transpose", x, perm=[1, 0, 2])


def _add_convolution(graph: Graph, encoder: Any, ids: str) -> str:
    """Adds a `CharacterConvolution`, <int32>[words, letters] to <float32>[words, features]."""
    x = graph.add("Gather", graph.constant(np.asarray(encoder.embedding.embeddings)), ids)
    real = graph.add("Cast", is_real(graph, ids), to=1)
    x = graph.add("Mul", x, graph.add("Unsqueeze", real, graph.constant([-1], "int64")))
    x = graph.add("Transpose", x, perm=[0, 2, 1])
    pad = max(encoder.widths) - 1
    found = []
    for convolution in encoder.convolutions:
        # [width, in, out] in Keras, [out, in, width] in ONNX.
        kernel = graph.constant(np.transpose(np.asarray(convolution.kernel), (2, 1, 0)))
        windows = graph.add("Relu", graph.add("Conv", x, kernel, pads=[pad, pad]))
        axis = graph.constant([-1], "int64")
        found.append(graph.add("ReduceMax", windows, axis, keepdims=0))
    return graph.add("Concat", *found, axis=-1)


def _add_recurrence(graph: Graph, encoder: Any, ids: str) -> str:
    """Adds a `CharacterRecurrence`; shapes as `_add_convolution`."""
    x = graph.add("Gather", graph.constant(np.asarray(encoder.embedding.embeddings)), ids)
    x = graph.add("Transpose", x, perm=[1, 0, 2])
    letters = count_real(graph, ids)
    words = add_layer(
        graph,
        encoder.cell,
        encoder.recurrence,
        x,
        graph.add("Max", letters, graph.constant(1, "int32")),
        last=True,
    )
    is_word = graph.add("Min", letters, graph.constant(1, "int32"))
    is_word = graph.add("Unsqueeze", is_word, graph.constant([-1], "int64"))
    return graph.add("Mul", words, graph.add("Cast", is_word, to=1))


def is_real(graph: Graph, ids: str) -> str:
    """Adds which ids are no padding, <int32>[any] to <bool>[any]."""
    return graph.add("Not", graph.add("Equal", ids, graph.constant(0, "int32")))


def count_real(graph: Graph, ids: str) -> str:
    """Adds the number of ids that are no padding, <int32>[rows, any] to <int32>[rows]."""
    real = graph.add("Cast", is_real(graph, ids), to=6)
    return graph.add("ReduceSum", real, graph.constant([1], "int64"), keepdims=0)


def add_dense(graph: Graph, layer: Any, x: str) -> str:
    """Adds a dense layer without its activation, <float32>[..., in] to [..., out]."""
    x = graph.add("MatMul", x, graph.constant(np.asarray(layer.kernel)))
    return graph.add("Add", x, graph.constant(np.asarray(layer.bias))) if layer.use_bias else x


def add_poolings(graph: Graph, layers: list[Any], x: str, units: int) -> str:
    """Adds poolings whose vectors are joined.

    Args:
        graph: that is written; its `token_ids` are 0 behind the end of a text.
        layers: of `models.layers.pooling`.
        x: <float32>[time, batch, features].
        units: size of the state of each direction.

    Returns:
        <float32>[batch, features of all].
    """
    rows = graph.add("Transpose", x, perm=[1, 0, 2])
    real = is_real(graph, "token_ids")
    parts = [_POOLINGS[type(layer).__name__](graph, layer, rows, real, units) for layer in layers]
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=-1)


def _add_last(graph: Graph, layer: Any, rows: str, real: str, units: int) -> str:
    place = graph.add("Sub", count_real(graph, "token_ids"), graph.constant(1, "int32"))
    place = graph.add("Cast", place, to=7)
    place = graph.add("Unsqueeze", place, graph.constant([-1], "int64"))
    last = graph.add("GatherND", rows, place, batch_dims=1)
    if not layer.bidirectional:
        return last
    first = graph.add("Gather", rows, graph.constant(0, "int64"), axis=1)
    # The forward half of the last step, the backward half of the first one.
    places = [range(units), range(units, 2 * units)]
    halves = [
        graph.add("Gather", state, graph.constant(list(place), "int64"), axis=1)
        for state, place in zip((last, first), places, strict=True)
    ]
    return graph.add("Concat", *halves, axis=-1)


def _add_mean(graph: Graph, layer: Any, rows: str, real: str, units: int) -> str:
    weights = graph.add("Cast", real, to=1)
    weights = graph.add("Unsqueeze", weights, graph.constant([-1], "int64"))
    axis = graph.constant([1], "int64")
    total = graph.add("ReduceSum", graph.add("Mul", rows, weights), axis, keepdims=0)
    count = graph.add("ReduceSum", weights, axis, keepdims=0)
    return graph.add("Div", total, graph.add("Max", count, graph.constant(1.0)))


def _add_max(graph: Graph, layer: Any, rows: str, real: str, units: int) -> str:
    real = graph.add("Unsqueeze", real, graph.constant([-1], "int64"))
    kept = graph.add("Where", real, rows, graph.constant(_LOWEST))
    return graph.add("ReduceMax", kept, graph.constant([1], "int64"), keepdims=0)


def _add_attention(graph: Graph, layer: Any, rows: str, real: str, units: int) -> str:
    projected = graph.add("Tanh", add_dense(graph, layer.projection, rows))
    scores = add_dense(graph, layer.context, projected)
    real = graph.add("Unsqueeze", real, graph.constant([-1], "int64"))
    scores = graph.add("Where", real, scores, graph.constant(_LOWEST))
    weights = graph.add("Transpose", graph.add("Softmax", scores, axis=1), perm=[0, 2, 1])
    mean = graph.add("MatMul", weights, rows)
    return graph.add("Squeeze", mean, graph.constant([1], "int64"))


# By the layers' classes.
_POOLINGS: dict[str, Callable[[Graph, Any, str, str, int], str]] = {
    "LastState": _add_last,
    "MaskedMean": _add_mean,
    "MaskedMax": _add_max,
    "AttentionPooling": _add_attention,
}
