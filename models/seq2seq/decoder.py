"""The decoder of a translator: from the target ids so far to the logits of the next one."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from data.errors import choose
from models.attention.factory import attention_layer
from models.layers.vocabulary_logits import VocabularyLogits
from models.recurrent.stack import recurrent_stack
from models.registry import FEEDINGS
from models.seq2seq.copying import Copying, coverage_loss
from models.seq2seq.memory import Memory
from models.seq2seq.scheduled_sampling import ScheduledSampling
from models.seq2seq.step_by_step import decode_step_by_step


def embedding_initializer() -> keras.initializers.Initializer:
    """Returns the initializer of a translator's embeddings.

    With the small vectors that Keras makes by default, all words look alike at first, and for
    hundreds of steps the loss stays where guessing by frequency would have it.
    """
    return keras.initializers.RandomNormal(stddev=0.3)


@keras.saving.register_keras_serializable(package="models")
class TranslationDecoder(keras.layers.Layer):
    """A recurrent stack over the target, an attention to the source, and a softmax layer.

    `s = stack(E y)`, `c = attention(s)`, `h = tanh(W [s; c])` (Luong et al. 2015, equation 5),
    `logits = O h + b`; without attention `h = tanh(W s)`. With `feeding="none"` no step needs the
    attention of an earlier one: in training, when the target is known, the stack is one pass over
    it and the attention one product over all its steps. With other feedings, and with scheduled
    sampling, a `tf.while_loop` decodes step by step: `attentional` reads `[E y; h]` with `h` of the
    step before (input feeding, section 3.3), `context` reads `[E y; c]` with `c` for the state
    before, as Bahdanau et al. (2015).

    Args:
        vocabulary_size: of the target, special ids included.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name, without
            `bidirectional`.
        attention: a name in `models.registry.ATTENTIONS`, or `none`.
        window: positions on either side that local attention sees.
        feeding: a name in `models.registry.FEEDINGS`.
        dropout: rate of dropout on the embeddings (the same features at all steps) and on `h`.
        word_dropout: share of the target's tokens whose vectors are dropped.
        tied: whether `O` is the target's embedding (Press & Wolf 2017; Inan et al. 2017).
        embedding: the embedding of the encoder, to share it with the target; or None.
        scheduled_sampling: final share of tokens that are the model's predictions instead of the
            true ones (`models.seq2seq.scheduled_sampling`).
        sampling_steps: training steps until that share is reached.
        copy: whether it copies tokens of the source, too (`models.seq2seq.copying`), which needs an
            attention and one vocabulary for both sides.
        coverage: weight of the loss for looking at the same places again.

    Call arguments:
        target_ids: <int32>[batch, steps], START and the token before each other step, 0 where
            padded.
        values: <float32>[batch, time, features], outputs of the encoder.
        states: the initial states, <float32>[batch, units] each, from the first layer on.
        source_mask: <bool>[batch, time].
        source_ids: <int32>[batch, time], for a decoder that copies.

    Output shape:
        logits <float32>[batch, steps, vocabulary_size]; of a decoder that copies, the logarithms of
        probabilities.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        attention: str = "general",
        window: int = 4,
        feeding: str = "none",
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        tied: bool = True,
        embedding: keras.layers.Embedding | None = None,
        scheduled_sampling: float = 0.0,
        sampling_steps: int = 1,
        copy: bool = False,
        coverage: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        choose("feeding", feeding, dict.fromkeys(FEEDINGS))
        self.vocabulary_size, self.feeding, self.tied = vocabulary_size, feeding, tied
        self.supports_masking = True
        self.embedding = embedding or keras.layers.Embedding(
            vocabulary_size, embedding_dim, embedding_initializer(), name="target_embedding"
        )
        self.drop_words = keras.layers.Dropout(word_dropout, noise_shape=(None, None, 1))
        self.drop_features = keras.layers.SpatialDropout1D(dropout)
        self.stack = recurrent_stack(**recurrent, return_state=True, name="decoder_recurrent")
        self.attention = None
        if attention != "none":
            self.attention = attention_layer(attention, recurrent["units"], window)
        elif feeding != "none" or copy or coverage:
            needy = "copy" if copy else "coverage" if coverage else f"feeding {feeding!r}"
            raise ValueError(f"{needy} needs an attention. Received: none")
        # With tied weights, `h` must have the size of the embedding's vectors.
        self.size = embedding_dim if tied else recurrent["units"]
        self.combine = keras.layers.Dense(self.size, activation="tanh", name="attentional")
        self.drop = keras.layers.Dropout(dropout)
        self.logits = VocabularyLogits(
            vocabulary_size, not tied, training_dtype=self.compute_dtype, dtype="float32"
        )
        self.sampling = None
        if scheduled_sampling:
            self.sampling = ScheduledSampling(scheduled_sampling, sampling_steps)
        self.copying = Copying(name="copying", dtype="float32") if copy else None
        self.coverage = coverage

    def build(
        self,
        target_ids_shape: tuple,
        values_shape: tuple,
        states_shape: Any = None,
        source_mask_shape: tuple | None = None,
        source_ids_shape: tuple | None = None,
    ) -> None:
        batch, features = target_ids_shape[0], self.embedding.output_dim
        if not self.embedding.built:
            self.embedding.build(target_ids_shape)
        fed = {"none": 0, "attentional": self.size, "context": values_shape[-1]}[self.feeding]
        self.stack.build((batch, None, features + fed))
        width = self.stack.units
        if self.attention is not None:
            query, width = (batch, None, width), width + values_shape[-1]
            keys = (*values_shape[:-1], self.attention.units)
            self.attention.build(query, keys, values_shape)
        self.combine.build((batch, None, width))
        self.logits.build((batch, None, self.size))
        if self.copying is not None:
            self.copying.build((batch, None, self.vocabulary_size), (batch, None, self.size))
        super().build(target_ids_shape)

    def call(
        self,
        target_ids: tf.Tensor,
        values: tf.Tensor,
        states: list,
        source_mask: tf.Tensor | None = None,
        source_ids: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        memory = self.prepare_memory(values, source_mask, source_ids)
        hidden, weights = self.decode_target(target_ids, memory, states, training)
        if self.coverage and training:
            self.add_loss(self.coverage * coverage_loss(weights, target_ids > 0))
        return self.score_tokens(self.drop(hidden, training=training), weights, memory)

    def decode_target(
        self, target_ids: tf.Tensor, memory: Memory, states: list, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Decodes all steps of a known target; arguments as in `call`.

        Returns:
            `h` <float32>[batch, steps, size], from which logits are computed, and the attention's
            weights <float32>[batch, steps, time], None without attention.
        """
        is_sampling = self.sampling is not None and training
        if self.feeding != "none" or is_sampling:
            return decode_step_by_step(self, target_ids, memory, states, training)
        outputs, _ = self.stack(
            self.embed_target(target_ids, training), initial_state=states, training=training
        )
        return self._attend(outputs, memory)

    def prepare_memory(
        self, values: tf.Tensor, mask: tf.Tensor, token_ids: tf.Tensor | None = None
    ) -> Memory:
        """Prepares what the attention reads, once for a batch of sources.

        Args:
            values: <float32>[batch, time, features], outputs of the encoder.
            mask: <bool>[batch, time].
            token_ids: <int32>[batch, time], the sources; None where nothing is copied.
        """
        keys = None if self.attention is None else self.attention.keys_of(values)
        return Memory(values, keys, mask, None if self.copying is None else token_ids)

    def initial_state(self, states: list, coverage: tf.Tensor | None = None) -> dict[str, Any]:
        """Returns the state before the first step.

        Args:
            states: as in `call`.
            coverage: zeros <float32>[batch, time] to which each step adds the attention's weights;
                or None.

        Returns:
            Nested tensors, <float32 or int32>[batch, ...] each.
        """
        batch = ops.shape(states[0])[0]
        state = {"recurrent": list(states)}
        state["position"] = ops.zeros((batch,), "int32")
        if self.feeding == "attentional":
            state["fed"] = ops.zeros((batch, self.size), states[0].dtype)
        return state if coverage is None else {**state, "coverage": coverage}

    def step(
        self, token_ids: tf.Tensor, state: dict[str, Any], memory: Memory
    ) -> tuple[tf.Tensor, dict[str, Any]]:
        """Decodes one step without dropout, for loops that search.

        Args:
            token_ids: <int32>[rows], START or the token chosen last. There may be several rows for
                each source, those of one source together.
            state: from `initial_state` or the step before, [rows, ...].
            memory: of the sources.

        Returns:
            logits <float32>[rows, vocabulary_size], and the new state.
        """
        hidden, weights, state = self.advance(self.embed_ids(token_ids), state, memory)
        if self.copying is None:
            return self.compute_logits(hidden), state
        hidden, weights = (_group_by_source(rows, memory) for rows in (hidden, weights))
        scores = self.score_tokens(hidden, weights, memory)
        return ops.reshape(scores, (-1, self.vocabulary_size)), state

    def score_tokens(
        self, hidden: tf.Tensor, weights: tf.Tensor | None, memory: Memory
    ) -> tf.Tensor:
        """Scores each token as the next one.

        Args:
            hidden: `h` <float32>[batch, steps, size].
            weights: <float32>[batch, steps, time], of the attention; None without attention.
            memory: of the sources.

        Returns:
            <float32>[batch, steps, vocabulary_size], as the output of `call`.
        """
        logits = self.compute_logits(hidden)
        if self.copying is None:
            return logits
        return self.copying(logits, hidden, weights, memory.token_ids)

    def compute_logits(self, hidden: tf.Tensor) -> tf.Tensor:
        """Computes logits <float32>[..., vocabulary_size] of `h` <float32>[..., size]."""
        return self.logits(hidden, kernel=self.embedding.embeddings if self.tied else None)

    def embed_target(self, target_ids: tf.Tensor, training: bool) -> tf.Tensor:
        """Embeds a target, with dropout if `training`: <float32>[batch, steps, embedding_dim]."""
        x = self.drop_words(self.embed_ids(target_ids), training=training)
        return self.drop_features(x, training=training)

    def embed_ids(self, ids: tf.Tensor) -> tf.Tensor:
        """Embeds ids <int32>[...] without dropout, <float32>[..., embedding_dim]."""
        # The layer itself may attach a mask, but what follows the end of a target has no effect.
        return ops.cast(ops.take(self.embedding.embeddings, ids, axis=0), self.compute_dtype)

    def _attend(
        self, outputs: tf.Tensor, memory: Memory, positions: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Returns `h` and the attention's weights for outputs <float32>[batch, queries, units]."""
        if self.attention is None:
            return self.combine(outputs), None
        context, weights = self.attention(
            outputs, memory.keys, memory.values, mask=memory.mask, positions=positions
        )
        return self.combine(ops.concatenate([outputs, context], axis=-1)), weights

    def advance(
        self, x: tf.Tensor, state: dict[str, Any], memory: Memory, masks: list | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None, dict[str, Any]]:
        """Advances the state by one embedded token.

        Args:
            x: <float32>[rows, embedding_dim].
            state, memory: as in `step`.
            masks: dropout's, from the stack's `step_masks`; or None.

        Returns:
            `h` <float32>[rows, size], the attention's weights <float32>[rows, time] or None, and
            the new state.
        """

        def flatten(rows: tf.Tensor) -> tf.Tensor:
            return ops.reshape(rows, (-1, *ops.shape(rows)[2:]))

        positions, before = state["position"][:1], state["recurrent"]
        context = weights = None
        if self.feeding == "attentional":
            x = ops.concatenate([x, state["fed"]], axis=-1)
        elif self.feeding == "context" and self.attention is not None:
            context, weights = self.attention(
                # The first state of the last layer is its output.
                _group_by_source(before[-len(self.stack.state_sizes[-1])], memory),
                memory.keys,
                memory.values,
                mask=memory.mask,
                positions=positions,
            )
            x = ops.concatenate([x, flatten(context)], axis=-1)
        outputs, after = self.stack.step(x, before, masks)
        if context is not None:
            hidden = self.combine(ops.concatenate([outputs, flatten(context)], axis=-1))
        else:
            hidden, weights = self._attend(_group_by_source(outputs, memory), memory, positions)
            hidden = flatten(hidden)
        weights = None if weights is None else flatten(weights)
        new = {**state, "recurrent": after, "position": state["position"] + 1}
        if "fed" in state:
            new["fed"] = hidden
        if "coverage" in state:
            new["coverage"] = state["coverage"] + weights
        return hidden, weights, new

    def compute_output_shape(self, target_ids_shape: tuple, *_: Any, **__: Any) -> tuple:
        return (*target_ids_shape, self.vocabulary_size)


def _group_by_source(rows: tf.Tensor, memory: Memory) -> tf.Tensor:
    """Splits <float32>[rows, size] into <float32>[sources, rows of each, size]."""
    return ops.reshape(rows, (ops.shape(memory.values)[0], -1, ops.shape(rows)[-1]))
