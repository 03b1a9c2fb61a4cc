"""The language model: embedding front end, recurrent stack with states, a softmax over tokens."""

import keras
import tensorflow as tf

from models.copies import FromSettings
from models.layers.embedding import embed
from models.layers.initial_states import InitialStatesFromLabel
from models.layers.vocabulary_dropout import VocabularyDropout
from models.layers.vocabulary_logits import VocabularyLogits
from models.precision import dtype_policy
from models.recurrent.stack import recurrent_stack


@keras.saving.register_keras_serializable(package="models")
class LanguageModel(FromSettings, keras.Model):
    """Ids of tokens to the logits of the token that follows each (Mikolov et al. 2010, "Recurrent
    neural network based language model"), with the states that carry a text on.

    Args:
        vocabulary_size: ids, the four special ones included.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name; one direction.
        tied: whether the output's weights are the embedding (Inan et al. 2017; Press & Wolf 2017);
            where the stack's vectors have another size, a projection stands between.
        dropout: share dropped of the features behind the stack, the same ones at all steps of a
            window (locked dropout, Merity et al. 2018).
        input_dropout: likewise of the tokens' vectors.
        embedding_dropout: share of the vocabulary whose vectors are dropped as a whole, the same
            for all texts of a step (Gal & Ghahramani 2016, section 4.2).
        num_labels: classes that a text may be conditioned on; 0 for none. The states that a text
            begins with are then a function of its class (from a vector to a sequence).
        dtype: Keras' policy of all layers; logits are float32 in any.

    Call arguments:
        token_ids: <int32>[batch, time], 0 where padded, at the end alone.
        states: from `initial_states` or an earlier call; None for the former.

    Output shape:
        A pair: logits <float32>[batch, time, vocabulary_size], and the states after each text's
        last real step, <float32>[batch, units] each.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict,
        tied: bool = False,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        embedding_dropout: float = 0.0,
        num_labels: int = 0,
        dtype: str = "float32",
        **kwargs,
    ):
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
                vocabulary_size, not tied, dtype="float32", name="logits"
            )
            self.bridge = None
            if num_labels:
                self.bridge = InitialStatesFromLabel(
                    num_labels, embedding_dim, self.stack.state_sizes
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
            "dtype": dtype,
        }

    @property
    def embedding(self) -> keras.layers.Embedding:
        """The vectors of the tokens."""
        return self.front_end.get_layer("embedding")

    def initial_states(self, batch_size, labels=None) -> list:
        """The states before a text.

        Args:
            batch_size: <int32>[] or a number.
            labels: <int32>[batch], from 0, of a model with classes.
        """
        if self.bridge is not None:
            return self.bridge(labels)
        sizes = [size for sizes in self.stack.state_sizes for size in sizes]
        return [tf.zeros([batch_size, size], self.stack.compute_dtype) for size in sizes]

    def call(self, token_ids, states=None, training=False):
        if states is None:
            states = self.initial_states(tf.shape(token_ids)[0])
        outputs, states = self.outputs_of(token_ids, states, training)
        return self.logits(self.features(self.locked(outputs, training=training))), states

    def outputs_of(self, token_ids, states, training=False) -> tuple:
        """The stack's outputs <float32>[batch, time, units], and the states after them."""
        x = self.front_end({"token_ids": token_ids}, training=training)
        x = self.row_dropout(x, token_ids, training=training)
        mask = tf.not_equal(token_ids, 0)
        return self.stack(x, mask=mask, training=training, initial_state=states)

    def features(self, outputs):
        """What logits are made of: <float32>[..., units] -> <float32>[..., size]."""
        return outputs if self.projection is None else self.projection(outputs)

    def output_weights(self) -> tuple:
        """The matrix <float32>[vocabulary_size, size] and the bias <float32>[vocabulary_size] that
        make logits of features."""
        own = self.output_layer
        matrix = self.embedding.embeddings if own.kernel is None else own.kernel
        return tf.convert_to_tensor(matrix), tf.convert_to_tensor(own.bias)

    def logits(self, features):
        """<float32>[..., size] -> <float32>[..., vocabulary_size]."""
        return self.output_layer(features, self.output_weights()[0])

    def step(self, token_ids, states: list) -> tuple:
        """One step without dropout, for loops that generate.

        Args:
            token_ids: <int32>[rows].
            states: <float32>[rows, units] each.

        Returns:
            The logits <float32>[rows, vocabulary_size] and the states after it.
        """
        vectors = tf.gather(tf.convert_to_tensor(self.embedding.embeddings), token_ids)
        vectors = tf.cast(vectors, self.stack.compute_dtype)
        outputs, states = self.stack.step(vectors, states)
        return self.logits(self.features(outputs)), states
