"""From the final states of an encoder to the initial states of a decoder."""

import keras
from keras import ops

from models.stored_names import stored_as


@stored_as("StateBridge")
class InitialStatesFromEncoder(keras.layers.Layer):
    """A dense layer with a tanh for each state of each layer, over both directions of the
    encoder's.

    As Bahdanau et al. (2015), appendix A.2.2, `s[0] = tanh(W h)`, with what both directions end in
    for their `h` of the backward one.

    Args:
        units: size of the decoder's states.
        num_layers: of both.
        directions: of the encoder, 1 or 2.

    Call arguments:
        states: final ones, <float32>[batch, encoder_units] each: those of the first layer first, in
            a layer those of the forward direction.

    Output shape:
        <float32>[batch, units] for each state of each layer of one direction.
    """

    def __init__(self, units: int, num_layers: int, directions: int, **kwargs):
        super().__init__(**kwargs)
        self.units, self.num_layers, self.directions = units, num_layers, directions

    def build(self, states_shape):
        sizes = [shape[-1] for shape in states_shape]
        self.projections = []
        for parts in self._together(sizes):
            projection = keras.layers.Dense(self.units, activation="tanh")
            projection.build((None, sum(parts)))
            self.projections.append(projection)
        super().build(states_shape)

    def call(self, states):
        together = self._together(states)
        joined = [
            parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1) for parts in together
        ]
        return [layer(x) for layer, x in zip(self.projections, joined, strict=True)]

    def _together(self, states: list) -> list[list]:
        """The states of both directions side by side."""
        of_layer = len(states) // self.num_layers
        kinds = of_layer // self.directions
        return [
            states[first + kind : first + of_layer : kinds]
            for first in range(0, len(states), of_layer)
            for kind in range(kinds)
        ]

    def compute_output_shape(self, states_shape):
        return [(states_shape[0][0], self.units)] * (len(states_shape) // self.directions)

    def get_config(self):
        names = ("units", "num_layers", "directions")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
