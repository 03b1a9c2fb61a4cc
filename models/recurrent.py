"""The recurrent factory: one layer by name, and stacks of them."""

import inspect
import operator

import keras

from data.errors import choose
from models import cells, recurrent_layers
from models.initializers import GateBias, GateOrthogonal
from models.names import CELLS

# The gates in the order of the bias: 1 forgets, -1 writes. A GRU's update gate is both: it keeps.
_GATE_SIGNS = {
    "lstm": (-1, 1, 0, 0),
    "gru": (1, 0, 0),
    "peephole_lstm": (-1, 1, 0, 0),
    "coupled_lstm": (1, 0, 0),
    "layer_norm_lstm": (-1, 1, 0, 0),
    "layer_norm_gru": (1, 0, 0),
}


def recurrent_layer(cell: str, units: int, bidirectional: bool = False, **options):
    """Builds one recurrent layer; on a CPU it runs in the compiled loop of `models.recurrence`.

    Args:
        cell: a name in `models.names.CELLS`: `simple_rnn` (Elman 1990), `lstm` (Hochreiter &
            Schmidhuber 1997), `gru` (Cho et al. 2014), `peephole_lstm` (Gers et al. 2002),
            `coupled_lstm` (Greff et al. 2017), `layer_norm_lstm` and `layer_norm_gru` (Ba et al.
            2016); their equations stand in `models.equations`.
        units: size of the state of each direction.
        bidirectional: run forward and backward and concatenate (Schuster & Paliwal 1997).
        **options: any constructor argument of the Keras layer (`return_sequences`, `dropout`,
            `recurrent_dropout`, `kernel_initializer`, `return_state`, ...), and
            `recurrent_initializer="gate_orthogonal"`, see `models.initializers`;
            `weight_drop`, the share of the recurrent kernel dropped in training;
            `forget_bias` and `chrono_length`, see `models.initializers.GateBias`;
            `l1` and `l2`, penalties on both kernels.

    Returns:
        A Keras layer: <float32>[batch, time, features] -> <float32>[batch, units], or
        [batch, time, units] with `return_sequences`; twice the units if bidirectional.

    Raises:
        ValueError: an unknown cell or option, or a size below 1.
    """
    class_name = choose("cell", cell, CELLS)
    if isinstance(units, bool) or not hasattr(units, "__index__") or units < 1:
        raise ValueError(f"units must be a whole number of at least 1. Received: {units!r}")
    units = operator.index(units)
    options = _with_penalties(options)
    if options.get("recurrent_initializer") == "gate_orthogonal":
        options["recurrent_initializer"] = GateOrthogonal()
    options = _with_gate_bias(cell, options)
    if not bidirectional:
        return _one_direction(cell, class_name, units, options)
    backward = {**options, "go_backwards": not options.get("go_backwards", False)}
    # Made here: while a file is loaded, Keras takes the copy it would make for the layer itself.
    return keras.layers.Bidirectional(
        _one_direction(cell, class_name, units, options),
        backward_layer=_one_direction(cell, class_name, units, backward),
    )


def _one_direction(cell: str, class_name: str, units: int, options: dict):
    if hasattr(recurrent_layers, class_name):
        layer_class = getattr(recurrent_layers, class_name)
        _check_options(cell, {*layer_class(1).get_config(), "use_cudnn"}, options)
        return layer_class(units, **options)
    return _layer_of_cell(cell, getattr(cells, class_name), units, options)


def _with_penalties(options: dict) -> dict:
    l1, l2 = options.pop("l1", 0.0), options.pop("l2", 0.0)
    if not (l1 or l2):
        return options
    for name in {"kernel_regularizer", "recurrent_regularizer"} & options.keys():
        raise ValueError(f"l1 and l2 stand for {name}. Pass one or the other.")
    penalty = keras.regularizers.L1L2(l1, l2)
    return {**options, "kernel_regularizer": penalty, "recurrent_regularizer": penalty}


def _with_gate_bias(cell: str, options: dict) -> dict:
    """`forget_bias` and `chrono_length` as the initializer of the bias."""
    wanted = {
        name: options.pop(name) for name in ("forget_bias", "chrono_length") if name in options
    }
    if wanted.get("forget_bias") is None and not wanted.get("chrono_length"):
        return options
    if cell not in _GATE_SIGNS:
        raise ValueError(f"{cell} has no gates: leave {' and '.join(wanted)} out.")
    if "bias_initializer" in options:
        raise ValueError("forget_bias and chrono_length stand for bias_initializer. Pass one.")
    constant = wanted.get("forget_bias")
    bias = GateBias(
        _GATE_SIGNS[cell],
        1.0 if constant is None else constant,
        wanted.get("chrono_length", 0),
    )
    keras_own = {"unit_forget_bias": False} if cell == "lstm" else {}
    own = {} if cell in ("lstm", "gru") else {"forget_bias": 0.0}
    return {**options, **keras_own, **own, "bias_initializer": bias}


def _layer_of_cell(cell: str, cell_class: type, units: int, options: dict):
    cell_options = set(cell_class(1).get_config())
    layer_options = set(recurrent_layers.CellRNN(cell_class(1)).get_config()) - {"cell"}
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
    return recurrent_layers.CellRNN(cell_class(units, **of_cell), **of_layer)


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


@keras.saving.register_keras_serializable(package="models")
class RecurrentStack(keras.layers.Layer):
    """Recurrent layers on top of each other; each returns its whole sequence.

    `x[0] = inputs`, `x[i+1] = norm(x[i] * residual + recurrent[i](dropout(x[i])))`. The residual
    connection stands where widths agree, that is from the second layer on.

    Args:
        cell: a name in `models.names.CELLS`.
        units: size of the state of each direction of each layer.
        num_layers: how many layers.
        bidirectional: whether each layer runs both ways.
        dropout: share of features dropped before each layer but the first, one mask for all
            steps of a text (variational dropout, Gal & Ghahramani 2016).
        recurrent_dropout: share of the state dropped between steps; always in Keras' own loop.
        l1: penalty on the absolute kernel weights.
        l2: penalty on the squared kernel weights.
        kernel_initializer: for the input weights.
        recurrent_initializer: for the state weights.
        residual: add each layer's input to its output, from the second layer on.
        layer_normalization: normalise each layer's output (Ba et al. 2016).
        use_cudnn: "auto", True or False.
        weight_drop: share of the recurrent kernel dropped in a training step (Merity et al. 2018).
        forget_bias: initial bias of the forget gates; None keeps the cell's default.
        chrono_length: spread the units' memories over this many steps (Tallec & Ollivier 2018);
            0 for `forget_bias`.

    Call arguments:
        inputs: <float32>[batch, time, features].
        mask: <bool>[batch, time], true at real steps, or None.

    Output shape:
        <float32>[batch, time, units], twice the units if bidirectional.
    """

    def __init__(
        self,
        cell: str,
        units: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        kernel_initializer: str = "glorot_uniform",
        recurrent_initializer: str = "orthogonal",
        residual: bool = False,
        layer_normalization: bool = False,
        use_cudnn="auto",
        weight_drop: float = 0.0,
        forget_bias: float | None = None,
        chrono_length: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"num_layers must be at least 1. Received: {num_layers}")
        self.cell, self.units, self.num_layers = cell, units, num_layers
        self.bidirectional, self.residual = bidirectional, residual
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.weight_drop, self.forget_bias = weight_drop, forget_bias
        self.chrono_length = chrono_length
        self.l1, self.l2 = l1, l2
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.layer_normalization = layer_normalization
        self.use_cudnn = use_cudnn
        self.supports_masking = True
        # What a cell lacks is left out unless asked for; asked for, the factory refuses it.
        options = {"use_cudnn": use_cudnn} if cell in ("lstm", "gru") else {}
        wanted = {"recurrent_dropout": recurrent_dropout, "chrono_length": chrono_length}
        options |= {name: value for name, value in wanted.items() if value}
        if forget_bias is not None:
            options["forget_bias"] = forget_bias
        self.layers = [
            recurrent_layer(
                cell,
                units,
                bidirectional,
                return_sequences=True,
                weight_drop=weight_drop,
                l1=l1,
                l2=l2,
                kernel_initializer=kernel_initializer,
                recurrent_initializer=recurrent_initializer,
                **options,
            )
            for _ in range(num_layers)
        ]
        self.dropouts = [keras.layers.SpatialDropout1D(dropout) for _ in self.layers[1:]]
        self.norms = [keras.layers.LayerNormalization() for _ in self.layers if layer_normalization]

    def build(self, input_shape):
        for layer, norm in zip(self.layers, self.norms or [None] * self.num_layers, strict=True):
            layer.build(input_shape)
            input_shape = self.compute_output_shape(input_shape)
            if norm is not None:
                norm.build(input_shape)
        super().build(input_shape)

    def call(self, inputs, mask=None, training=False):
        x = inputs
        for i, layer in enumerate(self.layers):
            below = self.dropouts[i - 1](x, training=training) if i else x
            outputs = layer(below, mask=mask, training=training)
            x = outputs + x if self.residual and i else outputs
            if self.norms:
                x = self.norms[i](x)
        return x

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units * (2 if self.bidirectional else 1))

    def get_config(self):
        names = (
            "cell units num_layers bidirectional dropout recurrent_dropout weight_drop forget_bias "
            "chrono_length l1 l2 "
            "kernel_initializer recurrent_initializer residual layer_normalization use_cudnn"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names.split()}}


def recurrent_stack(cell: str, units: int, num_layers: int = 1, **options) -> RecurrentStack:
    """`RecurrentStack` by its arguments, the twin of `recurrent_layer` for deep networks.

    Raises:
        ValueError: an unknown cell or option, or sizes below 1.
    """
    known = set(inspect.signature(RecurrentStack).parameters) - {"kwargs"} | {"name", "dtype"}
    for option in options:
        if option not in known:
            raise ValueError(f"Unknown option {option!r}. Choose from: {', '.join(sorted(known))}.")
    return RecurrentStack(cell, units, num_layers, **options)
