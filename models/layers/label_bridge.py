"""From the vector of a class to the states of a recurrent stack."""

import keras

from models.stored_names import stored_as


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
