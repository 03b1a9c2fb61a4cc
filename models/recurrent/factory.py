"""The recurrent factory: one layer by name."""

import operator

import keras

from data.errors import choose
from models.recurrent import cells, layers
from models.recurrent.initializers import GateBias, GateOrthogonal

# The cells that Keras has, too, are layers of their own; the others run in `layers.CellRNN`.
CELLS: dict[str, type] = {
    "simple_rnn": layers.SimpleRNN,
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    **cells.CELLS,
}


def recurrent_layer(cell: str, units: int, bidirectional: bool = False, **options):
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
            `weight_drop`, the share of the recurrent kernel dropped in training;
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
    options = _with_penalties(options)
    if options.get("recurrent_initializer") == "gate_orthogonal":
        options["recurrent_initializer"] = GateOrthogonal()
    options = _with_gate_bias(cell, cell_class, options)
    if not bidirectional:
        return _one_direction(cell, cell_class, units, options)
    backward = {**options, "go_backwards": not options.get("go_backwards", False)}
    # Made here: while a file is loaded, Keras takes the copy it would make for the layer itself.
    return layers.Bidirectional(
        _one_direction(cell, cell_class, units, options),
        backward_layer=_one_direction(cell, cell_class, units, backward),
    )


def _one_direction(cell: str, cell_class: type, units: int, options: dict) -> keras.layers.RNN:
    if issubclass(cell_class, cells.Cell):
        return _layer_of_cell(cell, cell_class, units, options)
    _check_options(cell, {*cell_class(1).get_config(), "use_cudnn"}, options)
    return cell_class(units, **options)


def _with_penalties(options: dict) -> dict:
    l1, l2 = options.pop("l1", 0.0), options.pop("l2", 0.0)
    if not (l1 or l2):
        return options
    for name in {"kernel_regularizer", "recurrent_regularizer"} & options.keys():
        raise ValueError(f"l1 and l2 stand for {name}. Pass one or the other.")
    penalty = keras.regularizers.L1L2(l1, l2)
    return {**options, "kernel_regularizer": penalty, "recurrent_regularizer": penalty}


def _with_gate_bias(cell: str, cell_class: type, options: dict) -> dict:
    """`forget_bias` and `chrono_length` as the initializer of the bias."""
    wanted = {
        name: options.pop(name) for name in ("forget_bias", "chrono_length") if name in options
    }
    if wanted.get("forget_bias") is None and not wanted.get("chrono_length"):
        return options
    if not cell_class.gate_signs:
        raise ValueError(f"{cell} has no gates: leave {' and '.join(wanted)} out.")
    if "bias_initializer" in options:
        raise ValueError("forget_bias and chrono_length stand for bias_initializer. Pass one.")
    constant = wanted.get("forget_bias")
    bias = GateBias(
        cell_class.gate_signs,
        1.0 if constant is None else constant,
        wanted.get("chrono_length", 0),
    )
    keras_own = {"unit_forget_bias": False} if cell == "lstm" else {}
    own = {"forget_bias": 0.0} if issubclass(cell_class, cells.Cell) else {}
    return {**options, **keras_own, **own, "bias_initializer": bias}


def _layer_of_cell(cell: str, cell_class: type, units: int, options: dict):
    cell_options = set(cell_class(1).get_config())
    layer_options = set(layers.CellRNN(cell_class(1)).get_config()) - {"cell"}
    options = {name: value for name, value in options.items() if name != "use_cudnn"}
    known = cell_options | layer_options | {"weight_drop"}
    _check_options(cell, known, options)
    # The name and the dtype are the layer's; all else that both know is the cell's.
    of_cell = {
        name: value
        for name, value in options.items()
        if name in cell_options and name not in ("name", "trainable")
    }
    of_layer = {
        name: value for name, value in options.items() if name not in of_cell or name == "dtype"
    }
    return layers.CellRNN(cell_class(units, **of_cell), **of_layer)


def _check_options(cell: str, known: set[str], options: dict) -> None:
    # A layer's own configuration is the list of what it takes; use_cudnn is left out of it.
    if cell == "simple_rnn":
        known -= {"use_cudnn"}
    known = known - {"units"} | {"weight_drop"}
    for option in options:
        if option not in known | {"name"}:
            shown = sorted(known - {"name"} | {"l1", "l2", "forget_bias", "chrono_length"})
            raise ValueError(
                f"Unknown option {option!r} for {cell}. Choose from: {', '.join(shown)}."
            )
