"""Initial states of a recurrent stack, from the final states of an encoder or from a class."""

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


@stored_as("LabelBridge")
class InitialStatesFromLabel(keras.layers.Layer):
    """The vector of a class to the states of a recurrent stack (as in image captions, Vinyals et
    al. 2015, a vector that a sequence is made of).

    Args:
        num_labels: classes.
        embedding_dim: size of a class' vector.
        state_sizes: of each layer, a list each.

    Call arguments:
        labels: <int32>[batch], from 0.

    Output shape:
        <float32>[batch, size] for each state.
    """

    def __init__(self, num_labels: int, embedding_dim: int, state_sizes: list, **kwargs):
        super().__init__(**kwargs)
        self.num_labels, self.embedding_dim = num_labels, embedding_dim
        self.state_sizes = [list(sizes) for sizes in state_sizes]
        self.embedding = keras.layers.Embedding(num_labels, embedding_dim)
        # What an LSTM shows is within (-1, 1); what it keeps need not be, but begins there too.
        self.dense = [
            keras.layers.Dense(size, activation="tanh") for s in self.state_sizes for size in s
        ]

    def build(self, input_shape):
        self.embedding.build(input_shape)
        for dense in self.dense:
            dense.build((*input_shape, self.embedding_dim))
        super().build(input_shape)

    def call(self, labels):
        vectors = self.embedding(labels)
        return [dense(vectors) for dense in self.dense]

    def get_config(self):
        return {
            **super().get_config(),
            "num_labels": self.num_labels,
            "embedding_dim": self.embedding_dim,
            "state_sizes": self.state_sizes,
        }
