"""From the final states of an encoder to the initial states of a decoder."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="models")
class Bridge(keras.layers.Layer):
    """A dense layer with a tanh for each state, over both directions of the encoder's.

    As Bahdanau et al. (2015), appendix A.2.2, `s[0] = tanh(W h)`, with the states of both ends for
    theirs of the backward direction.

    Args:
        units: size of the decoder's states.
        directions: of the encoder, 1 or 2.

    Call arguments:
        states: for each layer its states, <float32>[batch, encoder_units] each, those of the
            backward direction last.

    Output shape:
        For each layer its states, <float32>[batch, units] each.
    """

    def __init__(self, units: int, directions: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.units, self.directions = units, directions

    def build(self, states_shape):
        self.projections = []
        for shapes in states_shape:
            kinds = len(shapes) // self.directions
            row = [keras.layers.Dense(self.units, activation="tanh") for _ in range(kinds)]
            for kind, projection in enumerate(row):
                projection.build((None, sum(shape[-1] for shape in shapes[kind::kinds])))
            self.projections.append(row)
        super().build(states_shape)

    def call(self, states):
        made = []
        for given, row in zip(states, self.projections, strict=True):
            kinds = len(row)
            joined = [ops.concatenate(given[kind::kinds], axis=-1) for kind in range(kinds)]
            made.append([layer(x) for layer, x in zip(row, joined, strict=True)])
        return made

    def compute_output_shape(self, states_shape):
        return [
            [(shapes[0][0], self.units)] * (len(shapes) // self.directions)
            for shapes in states_shape
        ]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "directions": self.directions}
