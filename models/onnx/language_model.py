"""The network of a language model as an ONNX model."""

from typing import Any

import numpy as np
import onnx

from models.language_model.language_model import LanguageModel
from models.onnx.graph import Graph
from models.onnx.layers import add_dense, count_real
from models.onnx.recurrent import add_stack_with_states
from models.recurrent.stack import RecurrentStack


def state_names(stack: RecurrentStack) -> list[str]:
    """Returns names for the states of a stack of one direction, those of the first layer first."""
    return [f"state_{number}" for number in range(stack.num_states)]


def add_states(graph: Graph, stack: RecurrentStack) -> list[str]:
    """Declares the states of a stack of one direction as inputs."""
    sizes = [size for sizes in stack.state_sizes for size in sizes]
    return [
        graph.input(name, "float32", ("rows", size))
        for name, size in zip(state_names(stack), sizes, strict=True)
    ]


def next_states(stack: RecurrentStack, states: list[str]) -> dict[str, Any]:
    """Returns the states after a step as outputs, for `models.onnx.graph.Graph.to_model`."""
    return {
        f"next_{name}": (state, ("rows", stack.units))
        for name, state in zip(state_names(stack), states, strict=True)
    }


def language_model_network(model: LanguageModel) -> onnx.ModelProto:
    """Returns the ONNX model of a language model, which reads prompts and takes steps alike.

    Returns:
        Its inputs are `token_ids` <int32>[rows, time], 0 where padded, which only the end may be,
        and the states before them, `state_0` <float32>[rows, units] and so on; its outputs are
        `logits` <float32>[rows, vocabulary_size] after the last token of each row, and the states,
        `next_state_0` and so on.
    """
    graph, stack = Graph(), model.stack
    ids = graph.input("token_ids", "int32", ("rows", "time"))
    table = graph.constant(np.asarray(model.embedding.embeddings))
    x = graph.add("Transpose", graph.add("Gather", table, ids), perm=[1, 0, 2])
    lengths = graph.add("Max", count_real(graph, ids), graph.constant(1, "int32"))
    x, states = add_stack_with_states(graph, stack, x, lengths, add_states(graph, stack))
    x = _add_last_step(graph, x, lengths)
    if model.projection is not None:
        x = add_dense(graph, model.projection, x)
    matrix, bias = (np.asarray(weights) for weights in model.output_weights())
    if model.output_layer.own_kernel:
        table = graph.constant(matrix)
    logits = graph.add("Gemm", x, table, graph.constant(bias), transB=1)
    size = model.settings["vocabulary_size"]
    return graph.to_model(logits=(logits, ("rows", size)), **next_states(stack, states))


def _add_last_step(graph: Graph, x: str, lengths: str) -> str:
    """Turns <float32>[time, batch, features] into [batch, features], those of the last steps."""
    place = graph.add("Cast", graph.add("Sub", lengths, graph.constant(1, "int32")), to=7)
    place = graph.add("Unsqueeze", place, graph.constant([-1], "int64"))
    return graph.add("GatherND", graph.add("Transpose", x, perm=[1, 0, 2]), place, batch_dims=1)
