"""The factory of recurrent layers: one layer by the name of its cell."""

import operator
from typing import Any

import keras

from data.errors import choose
from models.recurrent import cells, layers
from models.recurrent.initializers import GateBias, GateOrthogonal

# The cells that Keras has, too, are layers of their own; the others run in `layers.CellRNN`.
CELLS: dict[str, Any] = {
    "simple_rnn": layers.SimpleRNN,
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    **cells.CELLS,
}


def recurrent_layer(
    cell: str, units: int, bidirectional: bool = False, **options: Any
) -> keras.layers.Layer:
    """Builds one recurrent layer; on a CPU it runs in the compiled loop of
    `models.recurrent.compiled_batch`.

    Args:
        cell: a name in `models.registry.CELLS`: `simple_rnn` (Elman 1990), `lstm` (Hochreiter &
            Schmidhuber 1997), `gru` (Cho et al. 2014), `peephole_lstm` (Gers et al. 2002),
            `coupled_lstm` (Greff et al. 2017), `layer_norm_lstm` and `layer_norm_gru` (Ba et al.
            2016); their equations stand in `models.recurrent.equations`.
        units: size of the state of each direction.
        bidirectional: run forward and backward and concatenate (Schuster & Paliwal 1997).
        **options: any constructor argument of the Keras layer (`return_sequences`, `dropout`,
            `recurrent_dropout`, `kernel_initializer`, `return_state`, ...), and
            `recurrent_initializer="gate_orthogonal"`, see `models.recurrent.initializers`;
            `weight_drop`, the share of the recurrent kernel that is dropped in training;
            `forget_bias` and `chrono_length`, see `models.recurrent.initializers.GateBias`;
            `l1` and `l2`, penalties on both kernels.

    Returns:
        A Keras layer: <float32>[batch, time, features] -> <float32>[batch, units], or
        [batch, time, units] with `return_sequences`; twice the units if bidirectional.

    Raises:
        ValueError: an unknown cell or option, or a size below 1.
    """
    cell_class = choose("cell", cell, CELLS)
    if isinstance(units, bool) or not hasattr(units, "__index__") or units < 1:
        raise ValueError(f"units must be a whole number of at least 1. Received: {units!r}")
    units = operator.index(units)
    options = _add_penalties(options)
    if options.get("recurrent_initializer") == "gate_orthogonal":
        options["recurrent_initializer"] = GateOrthogonal()
    options = _add_gate_bias(cell, cell_class, options)
    if not bidirectional:
        return _build_direction(cell, cell_class, units, options)
    backward = {**options, "go_backwards": not options.get("go_backwards", False)}
    # Both are made here: while Keras loads a file, it takes the copy that it would make of a
    # layer for the layer itself.
    return layers.Bidirectional(
        _build_direction(cell, cell_class, units, options),
        backward_layer=_build_direction(cell, cell_class, units, backward),
    )


def _build_direction(cell: str, cell_class: Any, units: int, options: dict) -> keras.layers.RNN:
    if issubclass(cell_class, cells.Cell):
        return _wrap_cell(cell, cell_class, units, options)
    _check_options(cell, {*cell_class(1).get_config(), "use_cudnn"}, options)
    return cell_class(units, **options)


def _add_penalties(options: dict) -> dict:
    """Returns the options with regularizers for `l1` and `l2`."""
    l1, l2 = options.pop("l1", 0.0), options.pop("l2", 0.0)
    if not (l1 or l2):
        return options
    for name in {"kernel_regularizer", "recurrent_regularizer"} & options.keys():
        raise ValueError(f"l1 and l2 stand for {name}. Pass one or the other.")
    penalty = keras.regularizers.L1L2(l1, l2)
    return {**options, "kernel_regularizer": penalty, "recurrent_regularizer": penalty}


def _add_gate_bias(cell: str, cell_class: Any, options: dict) -> dict:
    """Returns the options with an initializer of the bias for `forget_bias` and `chrono_length`."""
    given = [name for name in ("forget_bias", "chrono_length") if name in options]
    constant, length = options.pop("forget_bias", None), options.pop("chrono_length", 0)
    if constant is None and not length:
        return options
    if not cell_class.gate_signs:
        raise ValueError(f"{cell} has no gates: leave {' and '.join(given)} out.")
    if "bias_initializer" in options:
        raise ValueError("forget_bias and chrono_length stand for bias_initializer. Pass one.")
    bias = GateBias(cell_class.gate_signs, 1.0 if constant is None else constant, length)
    options = {**options, "bias_initializer": bias}
    # A cell would add a bias of its own.
    if issubclass(cell_class, cells.Cell):
        return {**options, "forget_bias": 0.0}
    return {**options, "unit_forget_bias": False} if cell == "lstm" else options


def _wrap_cell(
    cell: str, cell_class: type[cells.Cell], units: int, options: dict
) -> layers.CellRNN:
    """Returns the layer of a cell that Keras lacks."""
    cell_options = set(cell_class(1).get_config())
    layer_options = set(layers.CellRNN(cell_class(1)).get_config()) - {"cell"}
    options = {name: value for name, value in options.items() if name != "use_cudnn"}
    known = cell_options | layer_options | {"weight_drop"}
    _check_options(cell, known, options)
    # Of what both know, the name is the layer's, the dtype goes to both, the rest is the cell's.
    for_cell = {
        name: value
        for name, value in options.items()
        if name in cell_options and name not in ("name", "trainable")
    }
    for_layer = {
        name: value for name, value in options.items() if name not in for_cell or name == "dtype"
    }
    return layers.CellRNN(cell_class(units, **for_cell), **for_layer)


def _check_options(cell: str, known: set[str], options: dict) -> None:
    # The configuration of a layer lists its options, all but use_cudnn.
    if cell == "simple_rnn":
        known -= {"use_cudnn"}
    known = known - {"units"} | {"weight_drop"}
    for option in options:
        if option not in known | {"name"}:
            names = sorted(known - {"name"} | {"l1", "l2", "forget_bias", "chrono_length"})
            raise ValueError(
                f"Unknown option {option!r} for {cell}. Choose from: {', '.join(names)}."
            )
