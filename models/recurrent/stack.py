"""A stack of recurrent layers."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from models.recurrent.factory import recurrent_layer
from models.registry import RECURRENT_OPTIONS


@keras.saving.register_keras_serializable(package="models")
class RecurrentStack(keras.layers.Layer):
    """A stack of recurrent layers, each of which returns its whole sequence.

    `x[0] = inputs`, `x[i+1] = norm(x[i] * residual + recurrent[i](dropout(x[i])))`. The residual
    connection is there where the widths agree, that is from the second layer on.

    Args:
        cell: a name in `models.registry.CELLS`.
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
        return_state: also return the final states, of a bidirectional layer those of the forward
            direction first.

    Call arguments:
        inputs: <float32>[batch, time, features].
        mask: <bool>[batch, time], true at real steps, or None.
        initial_state: <float32>[batch, units] each, as many as `num_states`, those of the first
            layer first; or None for zeros.

    Output shape:
        <float32>[batch, time, units], twice the units if bidirectional; with `return_state` a pair
        of it and a list like `initial_state`.
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
        use_cudnn: str | bool = "auto",
        weight_drop: float = 0.0,
        forget_bias: float | None = None,
        chrono_length: int = 0,
        return_state: bool = False,
        **kwargs: Any,
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
        self.return_state = return_state
        self.supports_masking = True
        # Options that the cell may lack are passed only if they are set: the factory refuses them.
        options: dict[str, Any] = {"use_cudnn": use_cudnn} if cell in ("lstm", "gru") else {}
        optional = {"recurrent_dropout": recurrent_dropout, "chrono_length": chrono_length}
        options |= {name: value for name, value in optional.items() if value}
        if forget_bias is not None:
            options["forget_bias"] = forget_bias
        self.layers = [
            recurrent_layer(
                cell,
                units,
                bidirectional,
                return_sequences=True,
                return_state=return_state,
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
        self._rounded_steps: list = []
        self.norms = [keras.layers.LayerNormalization() for _ in self.layers if layer_normalization]

    def build(self, input_shape: tuple) -> None:
        for layer, norm in zip(self.layers, self.norms or [None] * self.num_layers, strict=True):
            layer.build(input_shape)
            input_shape = (*input_shape[:-1], self.units * (2 if self.bidirectional else 1))
            if norm is not None:
                norm.build(input_shape)
        super().build(input_shape)

    @property
    def state_sizes(self) -> list[list[int]]:
        """The sizes of the states of each layer."""
        return [_state_sizes(layer) for layer in self.layers]

    @property
    def num_states(self) -> int:
        """The number of states of all layers together."""
        return sum(map(len, self.state_sizes))

    def call(
        self,
        inputs: tf.Tensor,
        mask: tf.Tensor | None = None,
        training: bool = False,
        initial_state: list | None = None,
    ) -> Any:
        x: Any = inputs
        final_states: list = []
        initial = self._group_by_layer(initial_state)
        for i, layer in enumerate(self.layers):
            layer_inputs = self.dropouts[i - 1](x, training=training) if i else x
            outputs = layer(layer_inputs, initial_state=initial[i], mask=mask, training=training)
            if self.return_state:
                outputs, *states = outputs
                final_states += states
            x = self._connect(i, outputs, x)
        return (x, final_states) if self.return_state else x

    def step(self, inputs: tf.Tensor, states: list, masks: list | None = None) -> tuple:
        """Runs one step of a stack of one direction, without Keras' loops and weight-drop.

        Args:
            inputs: <float32>[batch, features].
            states: like `initial_state`.
            masks: those of `step_masks` in training, else None.

        Returns:
            The output <float32>[batch, units] and the states after it.
        """
        x: Any = inputs
        new_states: list = []
        for i, old in enumerate(self._group_by_layer(states)):
            layer_inputs = x * masks[i - 1] if masks and i else x
            new = self._step_of(i)(layer_inputs, old)
            new_states += new
            x = self._connect(i, new[0], x)
        return x, new_states

    def round_weights(self) -> None:
        """Makes `step` compute with weights of eight bits, as they are now: it reads a quarter of
        the bytes, in the native operator.

        Raises:
            ValueError: the operator is missing or has no such cell.
        """
        self._rounded_steps = [layer.rounded_step() for layer in self.layers]

    def _step_of(self, i: int) -> Callable[[Any, list], list]:
        """Returns the function from the inputs and states of a layer to its new states, of which
        the first is the output."""
        if self._rounded_steps:
            return self._rounded_steps[i]

        def step(inputs: Any, states: list) -> list:
            outputs, new = self.layers[i].cell(inputs, states, training=False)
            return [outputs, *new[1:]]

        return step

    def step_masks(self, batch: int | tf.Tensor) -> list:
        """Draws the dropout masks between the layers, for all steps of a loop: <float32>[batch,
        units] for each layer but the first."""
        ones = keras.ops.ones((batch, 1, self.units), self.compute_dtype)
        return [drop(ones, training=True)[:, 0] for drop in self.dropouts]

    def _connect(self, i: int, outputs: Any, inputs: Any) -> Any:
        """Applies the residual connection and the norm of a layer to its outputs."""
        x = outputs + inputs if self.residual and i else outputs
        return self.norms[i](x) if self.norms else x

    def _group_by_layer(self, states: list | None) -> list:
        if states is None:
            return [None] * self.num_layers
        rest = iter(states)
        return [[next(rest) for _ in sizes] for sizes in self.state_sizes]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        shape = (*input_shape[:-1], self.units * (2 if self.bidirectional else 1))
        if not self.return_state:
            return shape
        return shape, [(input_shape[0], size) for sizes in self.state_sizes for size in sizes]

    def get_config(self) -> dict:
        names = (*RECURRENT_OPTIONS, "use_cudnn", "return_state")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _state_sizes(layer: Any) -> list[int]:
    if isinstance(layer, keras.layers.Bidirectional):
        return _state_sizes(layer.forward_layer) + _state_sizes(layer.backward_layer)
    size = layer.cell.state_size
    return list(size) if isinstance(size, list | tuple) else [size]


def recurrent_stack(cell: str, units: int, num_layers: int = 1, **options: Any) -> RecurrentStack:
    """Builds a `RecurrentStack` as `recurrent_layer` builds a layer, and refuses unknown options.

    Raises:
        ValueError: an unknown cell or option, or sizes below 1.
    """
    known = set(inspect.signature(RecurrentStack).parameters) - {"kwargs"} | {"name", "dtype"}
    for option in options:
        if option not in known:
            raise ValueError(f"Unknown option {option!r}. Choose from: {', '.join(sorted(known))}.")
    return RecurrentStack(cell, units, num_layers, **options)
