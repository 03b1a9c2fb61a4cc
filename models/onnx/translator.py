"""The networks of a translator as ONNX models: its encoder, and a step of its decoder."""

from typing import Any

import numpy as np
import onnx

from models.onnx.attention import add_attention, add_keys, add_self_attention
from models.onnx.graph import Graph
from models.onnx.language_model import add_states, next_states, state_names
from models.onnx.layers import add_dense, add_vectors, count_real
from models.onnx.recurrent import add_stack_with_states
from models.seq2seq.encoder_decoder import Translator


def encoder_network(model: Translator) -> onnx.ModelProto:
    """Returns the ONNX model of a translator's encoder.

    Returns:
        Its input is `token_ids` <int32>[batch, time], sources, 0 where padded; its outputs are the
        initial states of the decoder, `state_0` <float32>[batch, units] and so on, and for an
        attention `values` <float32>[batch, time, features] and their `keys`.
    """
    graph, encoder, decoder = Graph(), model.get_layer("encoder"), model.decoder
    stack = encoder.get_layer("recurrent")
    lengths = graph.add(
        "Max",
        count_real(graph, graph.input("token_ids", "int32", ("batch", "time"))),
        graph.constant(1, "int32"),
    )
    settings = {"character_vocabulary_size": 0}
    x, states = add_stack_with_states(graph, stack, add_vectors(graph, encoder, settings), lengths)
    values = graph.add("Transpose", x, perm=[1, 0, 2])
    outputs: dict[str, Any] = {}
    bridge = encoder.get_layer("bridge")
    # Each state of the decoder follows from that of both directions.
    for name, dense, parts in zip(
        state_names(decoder.stack), bridge.projections, bridge.group_directions(states), strict=True
    ):
        joined = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=-1)
        state = graph.add("Tanh", add_dense(graph, dense, joined))
        outputs[name] = (state, ("batch", decoder.stack.units))
    if decoder.attention is None:
        return graph.to_model(**outputs)
    if model.settings["self_attention"]:
        values = add_self_attention(graph, encoder.get_layer("self_attention"), values, "token_ids")
    names = [layer.name for layer in encoder.layers]
    if "memory" in names:
        values = add_dense(graph, encoder.get_layer("memory"), values)
    keys = add_keys(graph, decoder.attention, values)
    outputs["values"] = (values, ("batch", "time", "features"))
    outputs["keys"] = (keys, ("batch", "time", "key_features"))
    return graph.to_model(**outputs)


def decoder_network(model: Translator) -> onnx.ModelProto:
    """Returns the ONNX model of one step of a translator's decoder; several rows may read one
    source, those of one source together.

    Returns:
        Its inputs are `token_ids` <int32>[rows], START or the tokens chosen last, the states before
        them as of `language_model_network`, with an attention `source_ids` <int32>[batch, time],
        `values` and `keys` of the encoder and `position` <float32>[1], the number of the step, and
        with input feeding `fed` <float32>[rows, size]. Its outputs are `logits` <float32>[rows,
        vocabulary_size], the states after the step, and with an attention its `weights`
        <float32>[rows, time].
    """
    graph, decoder = Graph(), model.decoder
    stack, attention = decoder.stack, decoder.attention
    ids = graph.input("token_ids", "int32", ("rows",))
    table = graph.constant(np.asarray(decoder.embedding.embeddings))
    x, states = graph.add("Gather", table, ids), add_states(graph, stack)
    outputs: dict[str, Any] = {}
    context = weights = None
    if decoder.feeding == "attentional":
        x = graph.add("Concat", x, graph.input("fed", "float32", ("rows", decoder.size)), axis=-1)
    elif decoder.feeding == "context":
        # The first state of the last layer is its output.
        before = states[-len(stack.state_sizes[-1])]
        context, weights = add_attention(graph, attention, before)
        x = graph.add("Concat", x, context, axis=-1)
    x = graph.add("Unsqueeze", x, graph.constant([0], "int64"))
    lengths = graph.add(
        "Add", graph.add("Mul", ids, graph.constant(0, "int32")), graph.constant(1, "int32")
    )
    x, states = add_stack_with_states(graph, stack, x, lengths, states)
    x = graph.add("Squeeze", x, graph.constant([0], "int64"))
    if attention is not None:
        if context is None:
            context, weights = add_attention(graph, attention, x)
        x = graph.add("Concat", x, context, axis=-1)
    hidden = graph.add("Tanh", add_dense(graph, decoder.combine, x))
    if not decoder.tied:
        table = graph.constant(np.asarray(decoder.logits.kernel))
    bias = graph.constant(np.asarray(decoder.logits.bias))
    logits = graph.add("Gemm", hidden, table, bias, transB=1)
    if decoder.copying is not None:
        logits = _add_copying(graph, decoder, logits, hidden, weights)
    if decoder.feeding == "attentional":
        outputs["next_fed"] = (hidden, ("rows", decoder.size))
    if weights is not None:
        outputs["weights"] = (weights, ("rows", "time"))
    size = decoder.vocabulary_size
    return graph.to_model(logits=(logits, ("rows", size)), **next_states(stack, states), **outputs)


def _add_copying(graph: Graph, decoder: Any, logits: str, hidden: str, weights: Any) -> str:
    """Adds `models.seq2seq.copying.Copying`; returns the logarithms of probabilities."""
    shape = graph.add("Shape", logits)
    # A row for each row of the source that it reads.
    repeated = graph.add("Expand", *_group(graph, graph.add("Cast", "source_ids", to=7), weights))
    places = graph.add("Reshape", repeated, graph.add("Shape", weights))
    nothing = graph.add("Expand", graph.constant(0.0), shape)
    copied = graph.add("ScatterElements", nothing, places, weights, axis=1, reduction="add")
    gate = graph.add("Sigmoid", add_dense(graph, decoder.copying.gate, hidden))
    written = graph.add("Mul", gate, graph.add("Softmax", logits, axis=-1))
    rest = graph.add("Sub", graph.constant(1.0), gate)
    total = graph.add("Add", written, graph.add("Mul", rest, copied))
    return graph.add("Log", graph.add("Max", total, graph.constant(1e-30)))


def _group(graph: Graph, sources: str, weights: str) -> tuple[str, str]:
    """Returns <int64>[batch, 1, time] of sources, and the shape [batch, rows of each, time]."""
    shape = graph.add("Shape", sources)
    batch = graph.add("Slice", shape, *(graph.constant([n], "int64") for n in (0, 1)))
    time = graph.add("Slice", shape, *(graph.constant([n], "int64") for n in (1, 2)))
    rows = graph.add("Shape", weights, start=0, end=1)
    each = graph.add("Div", rows, batch)
    wanted = graph.add("Concat", batch, each, time, axis=0)
    return graph.add("Unsqueeze", sources, graph.constant([1], "int64")), wanted
