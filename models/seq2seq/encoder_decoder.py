"""The translator: from source ids and the target so far to the logits of the next tokens."""

from typing import Any

import keras
import tensorflow as tf

from models.attention.self_attention import SelfAttention
from models.copies import FromSettings
from models.layers.embedding import embed
from models.layers.initial_states import InitialStatesFromEncoder
from models.precision import dtype_policy
from models.recurrent.stack import recurrent_stack
from models.seq2seq.decoder import TranslationDecoder, embedding_initializer
from models.seq2seq.memory import Memory


@keras.saving.register_keras_serializable(package="models")
class Translator(FromSettings, keras.Model):
    """An encoder-decoder model (Sutskever et al. 2014; Bahdanau et al. 2015; Luong et al. 2015).

    Between encoder and decoder stands a bridge, which makes the decoder's initial states. Without
    attention they are all that the decoder knows of a source.

    It is trained on targets <int>[batch, steps] that are `target_ids` one step later, with END at
    their end, 0 where padded, and with the loss `models.seq2seq.loss.TranslationLoss`.

    Args:
        source_vocabulary_size, target_vocabulary_size: number of ids, special ones included.
        embedding_dim: size of a token's vector.
        recurrent: arguments of the encoder's `models.recurrent.stack.recurrent_stack`, by name; the
            decoder's are the same but for `bidirectional` and `units`.
        decoder_units: size of the decoder's states; 0 for the number of the encoder's features.
        attention, window, feeding, tied, scheduled_sampling, sampling_steps, copy, coverage: as
            `models.seq2seq.decoder.TranslationDecoder`.
        self_attention: whether the encoder's outputs attend to each other.
        shared_embeddings: whether source and target share one embedding, which needs one vocabulary
            for both.
        dropout: rate of dropout on embeddings, on the encoder's outputs and before the logits.
        word_dropout: share of tokens, of source and target, whose vectors are dropped.
        dtype: Keras' policy of all layers; logits are always float32.

    Call arguments:
        inputs: a dict of `token_ids` <int32>[batch, time], the source, 0 where padded, and
            `target_ids` <int32>[batch, steps], START and the target, 0 where padded.

    Output shape:
        logits <float32>[batch, steps, target_vocabulary_size].
    """

    def __init__(
        self,
        source_vocabulary_size: int,
        target_vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        decoder_units: int = 0,
        attention: str = "general",
        window: int = 4,
        feeding: str = "none",
        self_attention: bool = False,
        tied: bool = True,
        shared_embeddings: bool = False,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        scheduled_sampling: float = 0.0,
        sampling_steps: int = 1,
        copy: bool = False,
        coverage: float = 0.0,
        dtype: str = "float32",
        **kwargs: Any,
    ) -> None:
        if shared_embeddings and source_vocabulary_size != target_vocabulary_size:
            raise ValueError(
                "shared_embeddings needs one vocabulary. Received: "
                f"{source_vocabulary_size} and {target_vocabulary_size} ids"
            )
        if copy and source_vocabulary_size != target_vocabulary_size:
            raise ValueError(
                "copy needs one vocabulary. Received: "
                f"{source_vocabulary_size} and {target_vocabulary_size} ids"
            )
        directions = 2 if recurrent.get("bidirectional") else 1
        features = directions * recurrent["units"]
        units = decoder_units or features
        with dtype_policy(dtype):
            # === Layers ===
            stack = recurrent_stack(**recurrent, return_state=True, name="recurrent")
            drop = keras.layers.SpatialDropout1D(dropout, name="encoder_dropout")
            bridge = InitialStatesFromEncoder(
                units, recurrent.get("num_layers", 1), directions, name="bridge"
            )

            # === Functional graph ===
            source, x, mask = embed(
                source_vocabulary_size,
                embedding_dim,
                dropout,
                word_dropout=word_dropout,
                initializer=embedding_initializer(),
            )
            values, states = stack(x, mask=mask)
            if self_attention:
                values = SelfAttention(features, name="self_attention")(values, mask=mask)
            if attention == "dot" and units != features:
                values = keras.layers.Dense(units, use_bias=False, name="memory")(values)
            outputs = {"values": drop(values), "states": bridge(states), "mask": mask}
            encoder = keras.Model(source["token_ids"], outputs, name="encoder")
            decoder = TranslationDecoder(
                target_vocabulary_size,
                embedding_dim,
                {**recurrent, "units": units, "bidirectional": False},
                attention,
                window,
                feeding,
                dropout,
                word_dropout,
                tied,
                encoder.get_layer("embedding") if shared_embeddings else None,
                scheduled_sampling,
                sampling_steps,
                copy,
                coverage,
                name="decoder",
            )
            inputs = {
                name: keras.Input((None,), dtype="int32", name=name)
                for name in ("token_ids", "target_ids")
            }
            encoded = encoder(inputs["token_ids"])
            logits = decoder(
                inputs["target_ids"],
                encoded["values"],
                encoded["states"],
                source_mask=encoded["mask"],
                **({"source_ids": inputs["token_ids"]} if copy else {}),
            )
            super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        self.settings = {
            "source_vocabulary_size": source_vocabulary_size,
            "target_vocabulary_size": target_vocabulary_size,
            "embedding_dim": embedding_dim,
            "recurrent": dict(recurrent),
            "decoder_units": decoder_units,
            "attention": attention,
            "window": window,
            "feeding": feeding,
            "self_attention": self_attention,
            "tied": tied,
            "shared_embeddings": shared_embeddings,
            "dropout": dropout,
            "word_dropout": word_dropout,
            "scheduled_sampling": scheduled_sampling,
            "sampling_steps": sampling_steps,
            "copy": copy,
            "coverage": coverage,
            "dtype": dtype,
        }

    @property
    def decoder(self) -> TranslationDecoder:
        """The decoder, which can also take single steps."""
        return self.get_layer("decoder")

    def encode(self, token_ids: tf.Tensor) -> tuple[Memory, list]:
        """Encodes sources without dropout.

        Args:
            token_ids: <int32>[batch, time], 0 where padded.

        Returns:
            What the decoder's attention reads, and the decoder's initial states.
        """
        encoded = self.get_layer("encoder")(token_ids, training=False)
        memory = self.decoder.prepare_memory(encoded["values"], encoded["mask"], token_ids)
        return memory, encoded["states"]

    def attention_weights(self, token_ids: tf.Tensor, target_ids: tf.Tensor) -> tf.Tensor:
        """Computes how much each step of a known target attends to each source token.

        Args:
            token_ids, target_ids: as in `call`.

        Returns:
            <float32>[batch, steps, time], 0 where the source is padded; zeros without attention.
        """
        memory, states = self.encode(token_ids)
        _, weights = self.decoder.decode_target(target_ids, memory, states)
        if weights is None:
            shape = tf.concat([tf.shape(target_ids), tf.shape(token_ids)[1:]], axis=0)
            return tf.zeros(shape)
        return weights

    def copied_shares(
        self, token_ids: tf.Tensor, target_ids: tf.Tensor, ids: tf.Tensor
    ) -> tf.Tensor:
        """Computes how much of each token of a known target is copied, for a model that copies.

        Args:
            token_ids, target_ids: as in `call`.
            ids: <int32>[batch, steps], the target itself, `target_ids` one step later.

        Returns:
            <float32>[batch, steps], from 0 to 1.
        """
        decoder, copying = self.decoder, self.decoder.copying
        assert copying is not None  # the model copies
        memory, states = self.encode(token_ids)
        hidden, weights = decoder.decode_target(target_ids, memory, states)
        logits = decoder.compute_logits(hidden)
        return copying.copied_shares(logits, hidden, weights, memory.token_ids, ids)
