"""Initial states of a recurrent stack: from the final states of an encoder, a vector or a class."""

from typing import Any

import keras
from keras import ops

from models.stored_names import stored_as


@stored_as("StateBridge")
class InitialStatesFromEncoder(keras.layers.Layer):
    """Computes the initial states of a decoder from the final states of an encoder.

    Each state of each layer has a dense layer with a tanh over both directions of the encoder, as
    Bahdanau et al. (2015), appendix A.2.2, `s[0] = tanh(W h)`, whose `h` is that of the backward
    direction only.

    Args:
        units: size of the states of the decoder.
        num_layers: how many layers both have.
        directions: how many the encoder has, 1 or 2.

    Call arguments:
        states: the final states, <float32>[batch, encoder_units] each: those of the first layer
            first, in a layer those of the forward direction first.

    Output shape:
        <float32>[batch, units] for each state of each layer of one direction.
    """

    def __init__(self, units: int, num_layers: int, directions: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.num_layers, self.directions = units, num_layers, directions

    def build(self, states_shape: list) -> None:
        sizes = [shape[-1] for shape in states_shape]
        self.projections = []
        for parts in self.group_directions(sizes):
            projection = keras.layers.Dense(self.units, activation="tanh")
            projection.build((None, sum(parts)))
            self.projections.append(projection)
        super().build(states_shape)

    def call(self, states: list) -> list:
        joined = [
            parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
            for parts in self.group_directions(states)
        ]
        return [layer(x) for layer, x in zip(self.projections, joined, strict=True)]

    def group_directions(self, states: list) -> list[list]:
        """Groups the states, or their sizes, that differ only in their direction."""
        per_layer = len(states) // self.num_layers
        per_direction = per_layer // self.directions
        return [
            states[first + state : first + per_layer : per_direction]
            for first in range(0, len(states), per_layer)
            for state in range(per_direction)
        ]

    def compute_output_shape(self, states_shape: list) -> list[tuple]:
        return [(states_shape[0][0], self.units)] * (len(states_shape) // self.directions)

    def get_config(self) -> dict:
        names = ("units", "num_layers", "directions")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="models")
class InitialStatesFromVector(keras.layers.Layer):
    """Computes the initial states of a recurrent stack from a vector, such as that of an image
    (Vinyals et al. 2015).

    Args:
        state_sizes: for each layer, the list of the sizes of its states.

    Call arguments:
        vectors: <float32>[batch, features].

    Output shape:
        <float32>[batch, size] for each state.
    """

    def __init__(self, state_sizes: list, **kwargs: Any):
        super().__init__(**kwargs)
        self.state_sizes = [list(sizes) for sizes in state_sizes]
        self.dense = [
            keras.layers.Dense(size, activation="tanh") for s in self.state_sizes for size in s
        ]

    def build(self, vectors_shape: tuple) -> None:
        for dense in self.dense:
            dense.build(vectors_shape)
        super().build(vectors_shape)

    def call(self, vectors: keras.KerasTensor) -> list:
        return [dense(vectors) for dense in self.dense]

    def get_config(self) -> dict:
        return {**super().get_config(), "state_sizes": self.state_sizes}


@stored_as("LabelBridge")
class InitialStatesFromLabel(keras.layers.Layer):
    """Computes the initial states of a recurrent stack from a class.

    Args:
        num_labels: how many classes there are.
        embedding_dim: size of the class embedding.
        state_sizes: for each layer, the list of the sizes of its states.

    Call arguments:
        labels: <int32>[batch], from 0.

    Output shape:
        <float32>[batch, size] for each state.
    """

    def __init__(self, num_labels: int, embedding_dim: int, state_sizes: list, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_labels, self.embedding_dim = num_labels, embedding_dim
        self.state_sizes = [list(sizes) for sizes in state_sizes]
        self.embedding = keras.layers.Embedding(num_labels, embedding_dim)
        # The output of an LSTM is within (-1, 1); its cell state need not be, but begins there.
        self.dense = [
            keras.layers.Dense(size, activation="tanh") for s in self.state_sizes for size in s
        ]

    def build(self, input_shape: tuple) -> None:
        self.embedding.build(input_shape)
        for dense in self.dense:
            dense.build((*input_shape, self.embedding_dim))
        super().build(input_shape)

    def call(self, labels: keras.KerasTensor) -> list:
        vectors = self.embedding(labels)
        return [dense(vectors) for dense in self.dense]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_labels": self.num_labels,
            "embedding_dim": self.embedding_dim,
            "state_sizes": self.state_sizes,
        }
