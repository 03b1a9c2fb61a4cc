"""The language model: embedding front end, recurrent stack with states, a softmax over tokens."""

from typing import Any

import keras
import tensorflow as tf

from models.copies import FromSettings
from models.layers.embedding import embed
from models.layers.initial_states import InitialStatesFromLabel
from models.layers.vocabulary_dropout import VocabularyDropout
from models.layers.vocabulary_logits import VocabularyLogits
from models.precision import dtype_policy
from models.recurrent.stack import RecurrentStack, recurrent_stack


@keras.saving.register_keras_serializable(package="models")
class LanguageModel(FromSettings, keras.Model):
    """A recurrent network from token ids to the logits of the next tokens (Mikolov et al. 2010,
    "Recurrent neural network based language model").

    It also returns its states, from which a text can be continued. With `backward` it has a second
    stack, which predicts each token from those after it, with the same embedding and the same
    softmax (Peters et al. 2018, "Deep contextualized word representations"): models that begin with
    this one can then read both ways. All else that the model does is done by the first stack.

    Args:
        vocabulary_size: number of ids, the four special ones included.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name, without
            `bidirectional`.
        tied: whether the output's weights are the embedding (Inan et al. 2017; Press & Wolf 2017);
            if the stack's outputs have another size, a projection precedes it.
        dropout: rate of dropout on the stack's outputs, the same features at all steps of a window
            (locked dropout, Merity et al. 2018).
        input_dropout: rate of locked dropout on the tokens' vectors.
        embedding_dropout: share of the vocabulary whose vectors are dropped as a whole, the same
            for all texts of a step (Gal & Ghahramani 2016, section 4.2).
        num_labels: number of classes that texts are conditioned on; 0 for none. The initial states
            are then a function of the class.
        backward: whether there is a second stack.
        dtype: Keras' policy of all layers; logits are always float32.

    Call arguments:
        token_ids: <int32>[batch, time], 0 where padded, which only the end may be.
        states: from an earlier call; None for `initial_states`.

    Output shape:
        A pair: logits <float32>[batch, time, vocabulary_size], and the states after each text's
        last real step, <float32>[batch, units] each.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        tied: bool = False,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        num_labels: int = 0,
        backward: bool = False,
        dtype: str = "float32",
        **kwargs: Any,
    ) -> None:
        if recurrent.get("bidirectional"):
            raise ValueError("a language model reads in one direction. Received: bidirectional")
        units = recurrent["units"]
        with dtype_policy(dtype):
            super().__init__(**kwargs)

            # === Layers ===
            inputs, vectors, _ = embed(vocabulary_size, embedding_dim, input_dropout)
            self.front_end = keras.Model(inputs, vectors, name="front_end")
            self.row_dropout = VocabularyDropout(
                vocabulary_size, embedding_dropout, name="row_dropout"
            )
            self.stack = recurrent_stack(**recurrent, return_state=True, name="recurrent")
            self.locked = keras.layers.SpatialDropout1D(dropout, name="dropout")
            self.projection = None
            if tied and units != embedding_dim:
                self.projection = keras.layers.Dense(embedding_dim, name="projection")
            self.output_layer = VocabularyLogits(
                vocabulary_size,
                own_kernel=not tied,
                training_dtype=self.stack.compute_dtype,
                dtype="float32",
                name="logits",
            )
            self.bridge = None
            if num_labels:
                self.bridge = InitialStatesFromLabel(
                    num_labels, embedding_dim, self.stack.state_sizes
                )
            # Behind all others: `without_backward` leaves the last weights out.
            self.backward_stack = None
            if backward:
                self.backward_stack = recurrent_stack(
                    **recurrent, return_state=True, name="backward"
                )

        # === Weights ===
        self.stack.build((None, None, embedding_dim))
        features = units
        if self.projection is not None:
            self.projection.build((None, units))
            features = embedding_dim
        self.output_layer.build((None, features))
        if self.bridge is not None:
            self.bridge.build((None,))
        if self.backward_stack is not None:
            self.backward_stack.build((None, None, embedding_dim))
        self.built = True

        # === Config ===
        self.settings = {
            "vocabulary_size": vocabulary_size,
            "embedding_dim": embedding_dim,
            "recurrent": dict(recurrent),
            "tied": tied,
            "dropout": dropout,
            "input_dropout": input_dropout,
            "embedding_dropout": embedding_dropout,
            "num_labels": num_labels,
            "backward": backward,
            "dtype": dtype,
        }

    def for_export(self) -> "LanguageModel":
        return super(LanguageModel, self.without_backward()).for_export()

    def without_backward(self) -> "LanguageModel":
        """Returns the model itself, or where it has a second stack a copy without it."""
        if self.backward_stack is None:
            return self
        copy = LanguageModel.from_config({**self.get_config(), "backward": False})
        copy.set_weights(self.get_weights()[: len(copy.weights)])
        return copy

    @property
    def embedding(self) -> keras.layers.Embedding:
        """The embedding layer of the tokens."""
        return self.front_end.get_layer("embedding")

    def initial_states(
        self, batch_size: int | tf.Tensor, labels: tf.Tensor | None = None
    ) -> list[tf.Tensor]:
        """Returns the states before a text.

        Args:
            batch_size: a number or <int32>[].
            labels: <int32>[batch], classes from 0, for a model with classes.

        Returns:
            <float32>[batch, units] each, from the first layer on.
        """
        if self.bridge is not None:
            return self.bridge(labels)
        sizes = [size for sizes in self.stack.state_sizes for size in sizes]
        return [tf.zeros([batch_size, size], self.stack.compute_dtype) for size in sizes]

    def call(
        self, token_ids: tf.Tensor, states: list[tf.Tensor] | None = None, training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        if states is None:
            states = self.initial_states(tf.shape(token_ids)[0])
        outputs, states = self.run_stack(token_ids, states, training)
        features = self.project(self.locked(outputs, training=training))
        return self.compute_logits(features), states

    def run_stack(
        self,
        token_ids: tf.Tensor,
        states: list[tf.Tensor],
        training: bool = False,
        backward: bool = False,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs the recurrent stack over tokens; arguments as in `call`.

        Args:
            token_ids: <int32>[batch, time]; for the second stack, those of a text from its end on.
            states: <float32>[batch, units] each.
            training: whether there is dropout.
            backward: run the second stack instead.

        Returns:
            Its outputs <float32>[batch, time, units], and the states after each text's last real
            step.
        """
        x, mask = self._read(token_ids, training)
        stack = self._both_stacks()[1] if backward else self.stack
        return stack(x, mask=mask, training=training, initial_state=states)

    def run_stacks(
        self, token_ids: tf.Tensor, states: list[tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs both stacks as `run_stack` does, each over one half of the rows: the first half for
        the first stack, the second for the second."""
        x, mask = self._read(token_ids, training)
        halves = zip(tf.split(x, 2), tf.split(mask, 2), _split_rows(states), strict=True)
        found = [
            stack(rows, mask=real, training=training, initial_state=before)
            for stack, (rows, real, before) in zip(self._both_stacks(), halves, strict=True)
        ]
        outputs, ends = zip(*found, strict=True)
        return tf.concat(outputs, 0), [tf.concat(pair, 0) for pair in zip(*ends, strict=True)]

    def _both_stacks(self) -> tuple[RecurrentStack, RecurrentStack]:
        assert self.backward_stack is not None, "the model reads in one direction alone"
        return self.stack, self.backward_stack

    def _read(self, token_ids: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the vectors of tokens <float32>[batch, time, embedding_dim] and which are real
        <bool>[batch, time]."""
        x = self.front_end({"token_ids": token_ids}, training=training)
        return self.row_dropout(x, token_ids, training=training), tf.not_equal(token_ids, 0)

    def project(self, outputs: tf.Tensor) -> tf.Tensor:
        """Turns the stack's outputs <float32>[..., units] into features <float32>[..., size]."""
        return outputs if self.projection is None else self.projection(outputs)

    def output_weights(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the weights of the logits: a matrix <float32>[vocabulary_size, size] and a bias
        <float32>[vocabulary_size]."""
        kernel, bias = self.output_layer.kernel, self.output_layer.bias
        matrix = self.embedding.embeddings if kernel is None else kernel
        return tf.convert_to_tensor(matrix), tf.convert_to_tensor(bias)

    def compute_logits(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Computes logits <float32>[..., vocabulary_size] of features <float32>[..., size]."""
        return self.output_layer(features, self.output_weights()[0], training=training)

    def round_weights(self) -> None:
        """Makes `step` compute with recurrent weights of eight bits, see `RecurrentStack`."""
        self.stack.round_weights()

    def step(
        self, token_ids: tf.Tensor, states: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Takes one step without dropout, for loops that generate.

        Args:
            token_ids: <int32>[rows].
            states: <float32>[rows, units] each.

        Returns:
            The logits <float32>[rows, vocabulary_size] and the states after the step.
        """
        vectors = tf.gather(tf.convert_to_tensor(self.embedding.embeddings), token_ids)
        vectors = tf.cast(vectors, self.stack.compute_dtype)
        outputs, states = self.stack.step(vectors, states)
        return self.compute_logits(self.project(outputs)), states


def _split_rows(states: list[tf.Tensor]) -> list[list[tf.Tensor]]:
    """Returns the states of the first half of the rows and those of the second."""
    pairs = [tf.split(state, 2) for state in states]
    return [[pair[half] for pair in pairs] for half in range(2)]
