"""The decoder of a translator: target ids so far to logits of the next ones."""

import keras
import tensorflow as tf
from keras import ops

from data.errors import choose
from models.attention.factory import attention_layer
from models.layers.vocabulary_logits import VocabularyLogits
from models.recurrent.stack import recurrent_stack
from models.registry import FEEDINGS
from models.seq2seq.memory import Memory
from models.seq2seq.scheduled_sampling import ScheduledSampling
from models.seq2seq.step_by_step import target_steps


def word_vectors() -> keras.initializers.Initializer:
    """Of a translator's embeddings. With the small vectors that Keras makes, all words look alike
    at first: the loss stays for hundreds of steps where guessing by frequency has it."""
    return keras.initializers.RandomNormal(stddev=0.3)


@keras.saving.register_keras_serializable(package="models")
class TranslationDecoder(keras.layers.Layer):
    """A recurrent stack over the target, an attention to the source, and a softmax layer.

    `s = stack(E y)`, `c = attention(s)`, `h = tanh(W [s; c])` (Luong et al. 2015, equation 5),
    `logits = O h + b`; without attention `h = tanh(W s)`. With `feeding="none"` no step needs what
    an attention before it found: trained with the true target, the stack is one pass over it and
    the attention one product over all its steps. With the others, and with scheduled sampling, a
    `tf.while_loop` takes step by step: `attentional` reads `[E y; h]` of the step before (input
    feeding, section 3.3), `context` reads `[E y; c]` with `c` for the state before, as Bahdanau et
    al. (2015).

    Args:
        vocabulary_size: of the target, with padding 0 and the start of a text.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name; one direction.
        attention: a name in `models.registry.ATTENTIONS`, or `none`.
        window: of local attention, positions on either side.
        feeding: a name in `models.registry.FEEDINGS`.
        dropout: share dropped of the embeddings, the same features at all steps, and of `h`.
        word_dropout: share of the target's words whose vectors are dropped.
        tied: whether `O` is the target's embedding (Press & Wolf 2017; Inan et al. 2017).
        embedding: the layer to embed the target with, if it is shared with the encoder.
        scheduled_sampling: share of words that are the model's own instead of the true ones, in the
            end (`models.seq2seq.scheduled_sampling`).
        sampling_steps: training steps until that share is reached.

    Call arguments:
        target_ids: <int32>[batch, steps], START and the words before each step, 0 where padded.
        values: <float32>[batch, time, features], outputs of the encoder.
        states: initial ones, <float32>[batch, units] each, those of the first layer first.
        source_mask: <bool>[batch, time].

    Output shape:
        logits <float32>[batch, steps, vocabulary_size].
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict,
        attention: str = "general",
        window: int = 4,
        feeding: str = "none",
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        tied: bool = True,
        embedding: keras.layers.Embedding | None = None,
        scheduled_sampling: float = 0.0,
        sampling_steps: int = 1,
        **kwargs,
    ):
        super().__init__(**kwargs)
        choose("feeding", feeding, dict.fromkeys(FEEDINGS))
        self.vocabulary_size, self.feeding, self.tied = vocabulary_size, feeding, tied
        self.supports_masking = True
        self.embedding = embedding or keras.layers.Embedding(
            vocabulary_size, embedding_dim, word_vectors(), name="target_embedding"
        )
        self.drop_words = keras.layers.Dropout(word_dropout, noise_shape=(None, None, 1))
        self.drop_features = keras.layers.SpatialDropout1D(dropout)
        self.stack = recurrent_stack(**recurrent, return_state=True, name="decoder_recurrent")
        self.attention = None
        if attention != "none":
            self.attention = attention_layer(attention, recurrent["units"], window)
        elif feeding != "none":
            raise ValueError(f"feeding {feeding!r} needs an attention. Received: none")
        # Tied, the vector before the logits is as long as those of the embedding.
        self.size = embedding_dim if tied else recurrent["units"]
        self.combine = keras.layers.Dense(self.size, activation="tanh", name="attentional")
        self.drop = keras.layers.Dropout(dropout)
        self.logits = VocabularyLogits(vocabulary_size, own_kernel=not tied, dtype="float32")
        self.sampling = None
        if scheduled_sampling:
            self.sampling = ScheduledSampling(scheduled_sampling, sampling_steps)

    def build(self, target_ids_shape, values_shape, states_shape=None, source_mask_shape=None):
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
        super().build(target_ids_shape)

    def call(self, target_ids, values, states, source_mask=None, training=False):
        memory = self.memory(values, source_mask)
        hidden, _ = self.hidden(target_ids, memory, states, training)
        return self.logits_of(self.drop(hidden, training=training))

    def hidden(self, target_ids, memory: Memory, states, training=False):
        """The vectors before the logits, <float32>[batch, steps, size], and the attention's weights
        <float32>[batch, steps, time], None without. Arguments as `call`."""
        sampling = self.sampling is not None and training
        if self.feeding != "none" or sampling:
            return target_steps(self, target_ids, memory, states, training)
        outputs, _ = self.stack(
            self.embedded(target_ids, training), initial_state=states, training=training
        )
        return self._attended(outputs, memory)

    def memory(self, values, mask) -> Memory:
        """What steps look at, made once for a source."""
        keys = None if self.attention is None else self.attention.keys_of(values)
        return Memory(values, keys, mask)

    def start(self, states, coverage: tf.Tensor | None = None) -> dict:
        """The state before the first step; all of it is <float32 or int32>[batch, ...].

        Args:
            states: as in `call`.
            coverage: <float32>[batch, time], zeros, if it is to be summed up; or None.
        """
        batch = ops.shape(states[0])[0]
        state = {"recurrent": list(states)}
        state["position"] = ops.zeros((batch,), "int32")
        if self.feeding == "attentional":
            state["fed"] = ops.zeros((batch, self.size), states[0].dtype)
        return state if coverage is None else {**state, "coverage": coverage}

    def step(self, token_ids, state: dict, memory: Memory) -> tuple[tf.Tensor, dict]:
        """One step of decoding.

        Args:
            token_ids: <int32>[rows], START or what was chosen last. There may be several rows for
                each source, those of one source together.
            state: of `start` or the step before, [rows, ...].
            memory: of the sources.

        Returns:
            logits <float32>[rows, vocabulary_size], and the new state.
        """
        hidden, _, state = self.one_step(self.vectors_of(token_ids), state, memory)
        return self.logits_of(hidden), state

    def logits_of(self, hidden):
        """<float32>[..., vocabulary_size] of <float32>[..., size]."""
        return self.logits(hidden, kernel=self.embedding.embeddings if self.tied else None)

    def embedded(self, target_ids, training):
        """The target's vectors as dropout leaves them."""
        x = self.drop_words(self.vectors_of(target_ids), training=training)
        return self.drop_features(x, training=training)

    def vectors_of(self, ids):
        """The embedded ids, <float32>[..., embedding_dim] of <int32>[...]."""
        # Past the layer, which may attach a mask: behind its end a target needs none.
        return ops.cast(ops.take(self.embedding.embeddings, ids, axis=0), self.compute_dtype)

    def _attended(self, outputs, memory: Memory, positions=None):
        """`h` and the weights for the stack's outputs <float32>[batch, queries, units]."""
        if self.attention is None:
            return self.combine(outputs), None
        context, weights = self.attention(
            outputs, memory.keys, memory.values, mask=memory.mask, positions=positions
        )
        return self.combine(ops.concatenate([outputs, context], axis=-1)), weights

    def one_step(self, x, state: dict, memory: Memory, masks=None):
        """`h` <float32>[rows, size], weights <float32>[rows, time] or None, and the new state, of
        embedded tokens <float32>[rows, embedding_dim]."""
        sources = ops.shape(memory.values)[0]

        def by_source(rows):
            return ops.reshape(rows, (sources, -1, rows.shape[-1]))

        def flat(rows):
            return ops.reshape(rows, (-1, *ops.shape(rows)[2:]))

        positions, before = state["position"][:1], state["recurrent"]
        context = weights = None
        if self.feeding == "attentional":
            x = ops.concatenate([x, state["fed"]], axis=-1)
        elif self.feeding == "context":
            context, weights = self.attention(
                # Of the last layer's states the first one is its output.
                by_source(before[-len(self.stack.state_sizes[-1])]),
                memory.keys,
                memory.values,
                mask=memory.mask,
                positions=positions,
            )
            x = ops.concatenate([x, flat(context)], axis=-1)
        outputs, after = self.stack.step(x, before, masks)
        if context is not None:
            hidden = self.combine(ops.concatenate([outputs, flat(context)], axis=-1))
        else:
            hidden, weights = self._attended(by_source(outputs), memory, positions)
            hidden = flat(hidden)
        weights = None if weights is None else flat(weights)
        new = {**state, "recurrent": after, "position": state["position"] + 1}
        if "fed" in state:
            new["fed"] = hidden
        if "coverage" in state:
            new["coverage"] = state["coverage"] + weights
        return hidden, weights, new

    def compute_output_shape(self, target_ids_shape, *_, **__):
        return (*target_ids_shape, self.vocabulary_size)
