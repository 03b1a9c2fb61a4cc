"""The recurrent factory: one layer by name, and stacks of them."""

import inspect
import operator

import keras

from data.errors import choose
from models.names import CELLS


def recurrent_layer(cell: str, units: int, bidirectional: bool = False, **options):
    """Builds one recurrent layer.

    Args:
        cell: a name in `models.names.CELLS`: `simple_rnn` (Elman 1990), `lstm` (Hochreiter &
            Schmidhuber 1997), `gru` (Cho et al. 2014).
        units: size of the state of each direction.
        bidirectional: run forward and backward and concatenate (Schuster & Paliwal 1997).
        **options: any constructor argument of the Keras layer (`return_sequences`, `dropout`,
            `recurrent_dropout`, `kernel_initializer`, `return_state`, ...), and `l1` and `l2`,
            penalties on both kernels.

    Returns:
        A Keras layer: <float32>[batch, time, features] -> <float32>[batch, units], or
        [batch, time, units] with `return_sequences`; twice the units if bidirectional.

    Raises:
        ValueError: an unknown cell or option, or a size below 1.
    """
    layer_class = getattr(keras.layers, choose("cell", cell, CELLS))
    if isinstance(units, bool) or not hasattr(units, "__index__") or units < 1:
        raise ValueError(f"units must be a whole number of at least 1. Received: {units!r}")
    units = operator.index(units)
    l1, l2 = options.pop("l1", 0.0), options.pop("l2", 0.0)
    if l1 or l2:
        for name in {"kernel_regularizer", "recurrent_regularizer"} & options.keys():
            raise ValueError(f"l1 and l2 stand for {name}. Pass one or the other.")
        options["kernel_regularizer"] = keras.regularizers.L1L2(l1, l2)
        options["recurrent_regularizer"] = keras.regularizers.L1L2(l1, l2)
    _check_options(cell, layer_class, options)
    layer = layer_class(units, **options)
    return keras.layers.Bidirectional(layer) if bidirectional else layer


def _check_options(cell: str, layer_class: type, options: dict) -> None:
    # A layer's own configuration is the list of what it takes; use_cudnn is left out of it.
    known = {*layer_class(1).get_config(), "use_cudnn"} - {"units", "name"}
    if layer_class is keras.layers.SimpleRNN:
        known -= {"use_cudnn"}
    for option in options:
        if option not in known | {"name"}:
            raise ValueError(
                f"Unknown option {option!r} for {cell}. "
                f"Choose from: {', '.join(sorted(known | {'l1', 'l2'}))}."
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
        recurrent_dropout: share of the state dropped between steps; never on cuDNN.
        l1: penalty on the absolute kernel weights.
        l2: penalty on the squared kernel weights.
        kernel_initializer: for the input weights.
        recurrent_initializer: for the state weights.
        residual: add each layer's input to its output, from the second layer on.
        layer_normalization: normalise each layer's output (Ba et al. 2016).
        use_cudnn: "auto", True or False.

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
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_layers < 1:
            raise ValueError(f"num_layers must be at least 1. Received: {num_layers}")
        self.cell, self.units, self.num_layers = cell, units, num_layers
        self.bidirectional, self.residual = bidirectional, residual
        self.dropout, self.recurrent_dropout = dropout, recurrent_dropout
        self.l1, self.l2 = l1, l2
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.layer_normalization = layer_normalization
        self.use_cudnn = use_cudnn
        self.supports_masking = True
        options = {} if cell == "simple_rnn" else {"use_cudnn": use_cudnn}
        self.layers = [
            recurrent_layer(
                cell,
                units,
                bidirectional,
                return_sequences=True,
                recurrent_dropout=recurrent_dropout,
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
            "cell units num_layers bidirectional dropout recurrent_dropout l1 l2 "
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
