"""Recurrent layers as ONNX's own operators.

Sequences are `[time, batch, features]`, as these operators want them. Behind the end of a text they
return zeros where Keras repeats its last output: whatever reads them has to mask.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import numpy as np

from data.errors import UserError
from models.onnx.graph import Graph
from models.recurrent.stack import RecurrentStack


class Weights(NamedTuple):
    """The weights of one direction of a recurrent operator.

    Attributes:
        operator: its name.
        kernels: of the inputs, <float32>[gates * units, features].
        recurrent: of the state, <float32>[gates * units, units].
        biases: of both, <float32>[2 * gates * units].
        peepholes: <float32>[3 * units], or None.
        options: attributes of the operator.
    """

    operator: str
    kernels: np.ndarray
    recurrent: np.ndarray
    biases: np.ndarray
    peepholes: np.ndarray | None = None
    options: Mapping[str, Any] = MappingProxyType({})


def _order(weights: np.ndarray, gates: int, order: tuple[int, ...]) -> np.ndarray:
    """Returns gates that are joined along the last axis in another order."""
    parts = np.split(weights, gates, axis=-1)
    return np.concatenate([parts[place] for place in order], axis=-1)


def _simple_rnn(cell: Any) -> Weights:
    kernel, recurrent, bias = _arrays(cell)
    return Weights("RNN", kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)]))


# Keras' gates are i, f, g, o; ONNX' are i, o, f, g.
_GATES = (0, 3, 1, 2)


def _lstm(cell: Any) -> Weights:
    kernel, recurrent, bias = (_order(array, 4, _GATES) for array in _arrays(cell))
    return Weights("LSTM", kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)]))


def _gru(cell: Any) -> Weights:
    kernel, recurrent, bias = _arrays(cell)
    # Without `reset_after` the state has no bias of its own.
    biases = bias.reshape(-1) if bias.ndim == 2 else np.concatenate([bias, np.zeros_like(bias)])
    options = {"linear_before_reset": int(cell.reset_after)}
    return Weights("GRU", kernel.T, recurrent.T, biases, options=options)


def _peephole_lstm(cell: Any) -> Weights:
    gate_in, forget, out = (np.asarray(weight) for weight in cell.parameter_weights)
    return _lstm(cell)._replace(peepholes=np.concatenate([gate_in, out, forget]))


def _coupled_lstm(cell: Any) -> Weights:
    # With `input_forget` the forget gate is one minus the input gate; here it is the other way
    # round, and one minus a sigmoid is the sigmoid of the negative.
    arrays = []
    for array in _arrays(cell):
        forget, carry, out = np.split(array, 3, axis=-1)
        arrays.append(np.concatenate([-forget, out, forget, carry], axis=-1))
    kernel, recurrent, bias = arrays
    biases = np.concatenate([bias, np.zeros_like(bias)])
    return Weights("LSTM", kernel.T, recurrent.T, biases, options={"input_forget": 1})


def _arrays(cell: Any) -> list[np.ndarray]:
    return [
        np.asarray(keras.ops.convert_to_numpy(weight), np.float32)
        for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
    ]


# The cells that an operator of ONNX computes.
CELLS: dict[str, Callable[[Any], Weights]] = {
    "simple_rnn": _simple_rnn,
    "lstm": _lstm,
    "gru": _gru,
    "peephole_lstm": _peephole_lstm,
    "coupled_lstm": _coupled_lstm,
}


def check_cell(cell: str) -> None:
    """Refuses a cell that no operator of ONNX computes.

    Raises:
        UserError: it is one.
    """
    if cell not in CELLS:
        raise UserError(
            f"ONNX has no operator for the cell {cell!r}, only for {', '.join(CELLS)}. Use "
            "--format savedmodel"
        )


def add_layer(graph: Graph, cell: str, layer: Any, inputs: str, lengths: str, last: bool) -> str:
    """Adds a recurrent layer of one or of both directions.

    Args:
        graph: that is written.
        cell: a name in `CELLS`.
        layer: the Keras layer.
        inputs: <float32>[time, batch, features].
        lengths: <int32>[batch], of each text, at least 1.
        last: whether the last states are wanted instead of all outputs.

    Returns:
        <float32>[time, batch, directions * units]; with `last` [batch, directions * units].
    """
    operator, read, options = _prepare(graph, cell, layer, inputs, lengths, [])
    outputs = 3 if operator == "LSTM" else 2
    found = graph.add(operator, *read, outputs=outputs, take=int(last), **options)
    # The directions stand before the batch.
    size = len(_directions(layer)) * options["hidden_size"]
    if last:
        turned = graph.add("Transpose", found, perm=[1, 0, 2])
        return graph.add("Reshape", turned, graph.constant([-1, size], "int64"))
    return _join_directions(graph, found, size)


def add_layer_with_states(
    graph: Graph, cell: str, layer: Any, inputs: str, lengths: str, states: Sequence[str] = ()
) -> tuple[str, list[str]]:
    """Adds a recurrent layer that begins with states and returns those after each text.

    Args:
        graph, cell, layer, inputs, lengths: as `add_layer`.
        states: <float32>[batch, units] each, of a layer of one direction; none for zeros.

    Returns:
        <float32>[time, batch, directions * units], and the states <float32>[batch, units], those of
        the forward direction first.
    """
    operator, read, options = _prepare(graph, cell, layer, inputs, lengths, states)
    names = graph.add_all(operator, *read, outputs=3 if operator == "LSTM" else 2, **options)
    directions = range(len(_directions(layer)))
    after = [
        graph.add("Gather", state, graph.constant(direction, "int64"), axis=0)
        for direction in directions
        for state in names[1:]
    ]
    return _join_directions(graph, names[0], len(directions) * options["hidden_size"]), after


def _directions(layer: Any) -> list[Any]:
    both = isinstance(layer, keras.layers.Bidirectional)
    return [layer.forward_layer, layer.backward_layer] if both else [layer]


def _prepare(
    graph: Graph, cell: str, layer: Any, inputs: str, lengths: str, states: Sequence[str]
) -> tuple[str, list[str], dict[str, Any]]:
    """Adds the weights of a layer; returns its operator, what that reads, and its attributes."""
    layers = _directions(layer)
    weights = [CELLS[cell](each.cell) for each in layers]
    read = [inputs]
    for field in ("kernels", "recurrent", "biases"):
        read.append(graph.constant(np.stack([getattr(each, field) for each in weights])))
    read.append(lengths)
    read += [graph.add("Unsqueeze", state, graph.constant([0], "int64")) for state in states]
    peepholes = [each.peepholes for each in weights if each.peepholes is not None]
    if peepholes:
        # Where there are no initial states, their names are empty.
        read += [""] * (7 - len(read))
        read.append(graph.constant(np.stack(peepholes)))
    direction = "bidirectional" if len(layers) > 1 else "forward"
    options = {"hidden_size": layers[0].cell.units, "direction": direction, **weights[0].options}
    return weights[0].operator, read, options


def _join_directions(graph: Graph, found: str, size: int) -> str:
    """Turns <float32>[time, directions, batch, units] into [time, batch, size]."""
    turned = graph.add("Transpose", found, perm=[0, 2, 1, 3])
    return graph.add("Reshape", turned, graph.constant([0, 0, size], "int64"))


def add_stack(graph: Graph, stack: RecurrentStack, inputs: str, lengths: str) -> str:
    """Adds a stack of recurrent layers; arguments and result as `add_layer`."""
    x = inputs
    for number, layer in enumerate(stack.layers):
        outputs = add_layer(graph, stack.cell, layer, x, lengths, last=False)
        x = _connect(graph, stack, number, outputs, x)
    return x


def add_stack_with_states(
    graph: Graph, stack: RecurrentStack, inputs: str, lengths: str, states: Sequence[str] = ()
) -> tuple[str, list[str]]:
    """Adds a stack of recurrent layers; arguments and result as `add_layer_with_states`, the states
    of the first layer first."""
    x, rest, after = inputs, iter(states), []
    for number, layer in enumerate(stack.layers):
        own = [next(rest) for _ in stack.state_sizes[number]] if states else []
        outputs, new = add_layer_with_states(graph, stack.cell, layer, x, lengths, own)
        after += new
        x = _connect(graph, stack, number, outputs, x)
    return x, after


def _connect(graph: Graph, stack: RecurrentStack, number: int, outputs: str, inputs: str) -> str:
    """Adds the residual connection and the norm of a layer to its outputs."""
    x = graph.add("Add", outputs, inputs) if stack.residual and number else outputs
    if not stack.norms:
        return x
    norm = stack.norms[number]
    gain, shift = (graph.constant(np.asarray(weight)) for weight in (norm.gamma, norm.beta))
    return graph.add("LayerNormalization", x, gain, shift, axis=-1, epsilon=norm.epsilon)
