"""The captioner: from a picture and the caption so far to the logits of the next tokens."""

import math
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.captioning.image_encoder import build_image_encoder, is_pretrained
from models.copies import FromSettings
from models.layers.initial_states import InitialStatesFromVector
from models.precision import dtype_policy
from models.seq2seq.decoder import TranslationDecoder
from models.seq2seq.memory import Memory


@keras.saving.register_keras_serializable(package="models")
class PlaceEmbedding(keras.layers.Layer):
    """Adds a vector of its row and one of its column to each place, so that what is found there
    says where it is.

    Call arguments:
        inputs: <float32>[batch, places, features], the places of a square, row by row.

    Output shape:
        As the inputs.
    """

    def build(self, input_shape: tuple) -> None:
        self.side = math.isqrt(input_shape[1])
        self.rows, self.columns = (
            self.add_weight(
                shape=(self.side, input_shape[2]),
                initializer=keras.initializers.RandomNormal(stddev=0.3),
                name=name,
            )
            for name in ("rows", "columns")
        )
        super().build(input_shape)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        vectors = self.rows[:, None, :] + self.columns[None, :, :]
        vectors = ops.reshape(vectors, (self.side**2, -1))
        return inputs + ops.cast(vectors, inputs.dtype)


class CaptionsDecoder(keras.layers.Layer):
    """Decodes all captions of each picture, for which the picture is encoded once.

    Args:
        decoder: of a caption.
        doubly_stochastic: weight of the loss for places that a caption looks at too little or too
            much; it needs an attention.

    Call arguments:
        target_ids: <int32>[batch, captions, steps], 0 where padded.
        values, states: as `models.seq2seq.decoder.TranslationDecoder` takes them, of the pictures.

    Output shape:
        logits <float32>[batch, captions * steps, vocabulary_size].
    """

    def __init__(
        self, decoder: TranslationDecoder, doubly_stochastic: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.decoder, self.doubly_stochastic = decoder, doubly_stochastic

    def build(self, target_ids_shape: tuple, values_shape: tuple, states_shape: list) -> None:
        self.decoder.build((None, None), values_shape, states_shape)
        super().build(target_ids_shape)

    def call(
        self, target_ids: tf.Tensor, values: tf.Tensor, states: list, training: bool = False
    ) -> tf.Tensor:
        batch, captions, steps = tf.unstack(tf.shape(target_ids))
        values, *states = (tf.repeat(each, captions, axis=0) for each in (values, *states))
        ids = tf.reshape(target_ids, [-1, steps])
        memory = self.decoder.prepare_memory(values, None)
        hidden, weights = self.decoder.decode_target(ids, memory, states, training)
        if self.doubly_stochastic and training:
            self.add_loss(self.doubly_stochastic * doubly_stochastic_loss(weights, ids > 0))
        logits = self.decoder.compute_logits(self.decoder.drop(hidden, training=training))
        return tf.reshape(logits, [batch, captions * steps, self.decoder.vocabulary_size])

    def compute_output_shape(self, target_ids_shape: tuple, *_: Any, **__: Any) -> tuple:
        return (target_ids_shape[0], None, self.decoder.vocabulary_size)

    def compute_output_spec(self, target_ids: Any, *_: Any, **__: Any) -> keras.KerasTensor:
        shape = self.compute_output_shape(target_ids.shape)
        return keras.KerasTensor(shape, dtype="float32")


def doubly_stochastic_loss(weights: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Computes how far the attention is from looking at each place once in a caption: the sum over
    places of `(1 - sum of the weights over steps)^2` (Xu et al. 2015, equation 14), as the mean
    over captions.

    Args:
        weights: <float32>[rows, steps, places], of the attention.
        mask: <bool>[rows, steps], true at real steps; rows without one are no captions.
    """
    real = tf.cast(mask, weights.dtype)
    looked = tf.reduce_sum(weights * real[:, :, None], axis=1)
    missed = tf.reduce_sum(tf.square(1.0 - looked), axis=-1)
    captions = tf.cast(tf.reduce_any(mask, axis=1), weights.dtype)
    return tf.reduce_sum(missed * captions) / tf.maximum(tf.reduce_sum(captions), 1.0)


class FeatureCaptioner(keras.Model):
    """Writes captions from the features of places: all of a captioner but its image encoder.

    It trains by itself where the encoder stays as it is, on features that were computed once.

    Args:
        shape: places, and features of each.
        decoder: of the captions.
        dropout: rate of dropout on the features of places.
        doubly_stochastic: as `CaptionsDecoder`.

    Call arguments:
        inputs: a dict of `features` <float32>[batch, places, features] and `target_ids`
            <int32>[batch, captions, steps], START and each caption, 0 where padded.

    Output shape:
        logits <float32>[batch, captions * steps, vocabulary_size].
    """

    def __init__(
        self,
        shape: tuple[int, int],
        decoder: TranslationDecoder,
        dropout: float,
        doubly_stochastic: float = 0.0,
        **kwargs: Any,
    ) -> None:
        # === The encoder's second half: places as the attention reads them, and a vector ===
        features = keras.Input(shape, name="features")
        x = keras.layers.Dense(decoder.stack.units, name="projection")(features)
        x = keras.layers.ReLU()(PlaceEmbedding(name="places")(x))
        values = keras.layers.SpatialDropout1D(dropout)(x)
        mean = keras.layers.GlobalAveragePooling1D(name="mean")(values)
        # Most places of most pictures look alike: what is particular to one is a small part of it.
        mean = keras.layers.BatchNormalization(momentum=0.9, name="normalized_mean")(mean)
        vector = keras.layers.Dense(2 * decoder.stack.units, "relu", name="vector")(mean)
        states = InitialStatesFromVector(decoder.stack.state_sizes, name="bridge")(vector)
        reader = keras.Model(features, {"values": values, "states": states}, name="reader")

        # === Functional graph ===
        inputs = {
            "features": keras.Input(shape, name="features"),
            "target_ids": keras.Input((None, None), dtype="int32", name="target_ids"),
        }
        encoded = reader(inputs["features"])
        captions = CaptionsDecoder(decoder, doubly_stochastic, name="captions")
        logits = captions(inputs["target_ids"], encoded["values"], encoded["states"])
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

    @property
    def decoder(self) -> TranslationDecoder:
        """The decoder, which can also take single steps."""
        return self.get_layer("captions").decoder

    def encode(self, features: tf.Tensor) -> tuple[Memory, list]:
        """Encodes features <float32>[batch, places, features] without dropout.

        Returns:
            What the decoder's attention reads, and the decoder's initial states.
        """
        encoded = self.get_layer("reader")(features, training=False)
        values = encoded["values"]
        mask = tf.ones(tf.shape(values)[:2], tf.bool)
        return self.decoder.prepare_memory(values, mask), encoded["states"]

    def attention_weights(self, features: tf.Tensor, target_ids: tf.Tensor) -> tf.Tensor:
        """Computes how much each step of a known caption attends to each place.

        Args:
            features: as in `call`.
            target_ids: <int32>[batch, steps], one caption each.

        Returns:
            <float32>[batch, steps, places]; zeros without attention.
        """
        memory, states = self.encode(features)
        _, weights = self.decoder.decode_target(target_ids, memory, states)
        if weights is None:
            return tf.zeros(tf.concat([tf.shape(target_ids), tf.shape(memory.mask)[1:]], axis=0))
        return weights


@keras.saving.register_keras_serializable(package="models")
class Captioner(FromSettings, keras.Model):
    """A captioner of pictures: an image encoder and a recurrent decoder.

    The mean of all places becomes the decoder's initial states ("show and tell", Vinyals et al.
    2015). With attention the decoder looks at the places at each step ("show, attend and tell", Xu
    et al. 2015); without, the states are all that it knows of a picture.

    It is trained on targets <int>[batch, captions * steps] that are `target_ids` one step later,
    with END at their end, 0 where padded, and with the loss `models.seq2seq.loss.TranslationLoss`.

    Args:
        vocabulary_size: number of ids, special ones included.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name, without
            `bidirectional`.
        encoder: a name of `models.captioning.image_encoder`.
        picture_size: the sides of a picture, in pixels.
        attention: a name in `models.registry.PLACE_ATTENTIONS`, or `none`.
        feeding, tied, scheduled_sampling, sampling_steps: as
            `models.seq2seq.decoder.TranslationDecoder`.
        doubly_stochastic: weight of the loss for places that a caption looks at too little or too
            much; it needs an attention.
        dropout: rate of dropout on the features of places, on embeddings and before the logits.
        word_dropout: share of tokens whose vectors are dropped.
        dtype: Keras' policy of all layers; logits are always float32.

    Call arguments:
        inputs: a dict of `images` <float32>[batch, picture_size, picture_size, 3], from 0 to 255,
            and `target_ids` <int32>[batch, captions, steps], START and each caption, 0 where
            padded.

    Output shape:
        logits <float32>[batch, captions * steps, vocabulary_size].
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        encoder: str = "small-cnn",
        picture_size: int = 64,
        attention: str = "general",
        feeding: str = "none",
        doubly_stochastic: float = 0.0,
        tied: bool = True,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        scheduled_sampling: float = 0.0,
        sampling_steps: int = 1,
        dtype: str = "float32",
        **kwargs: Any,
    ) -> None:
        if doubly_stochastic and attention == "none":
            raise ValueError("doubly_stochastic needs an attention. Received: none")
        pretrained = is_pretrained(encoder)
        with dtype_policy(dtype):
            image_encoder = build_image_encoder(
                # Where nothing looks at places, what an encoder has learned before is in the mean.
                encoder,
                picture_size,
                pooled=pretrained and attention == "none",
            )
            image_encoder.trainable = not pretrained
            decoder = TranslationDecoder(
                vocabulary_size,
                embedding_dim,
                dict(recurrent),
                attention,
                feeding=feeding,
                dropout=dropout,
                word_dropout=word_dropout,
                tied=tied,
                scheduled_sampling=scheduled_sampling,
                sampling_steps=sampling_steps,
                name="decoder",
            )
            shape = image_encoder.output_shape[1:]
            head = FeatureCaptioner(shape, decoder, dropout, doubly_stochastic, name="head")
            inputs = {
                "images": keras.Input((picture_size, picture_size, 3), name="images"),
                "target_ids": keras.Input((None, None), dtype="int32", name="target_ids"),
            }
            features = image_encoder(inputs["images"])
            logits = head({"features": features, "target_ids": inputs["target_ids"]})
            super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        self.settings = {
            "vocabulary_size": vocabulary_size,
            "embedding_dim": embedding_dim,
            "recurrent": dict(recurrent),
            "encoder": encoder,
            "picture_size": picture_size,
            "attention": attention,
            "feeding": feeding,
            "doubly_stochastic": doubly_stochastic,
            "tied": tied,
            "dropout": dropout,
            "word_dropout": word_dropout,
            "scheduled_sampling": scheduled_sampling,
            "sampling_steps": sampling_steps,
            "dtype": dtype,
        }

    @property
    def image_encoder(self) -> keras.Model:
        """The encoder: images to the features of places."""
        return self.get_layer("image_encoder")

    @property
    def head(self) -> FeatureCaptioner:
        """All that comes after the image encoder."""
        return self.get_layer("head")

    @property
    def decoder(self) -> TranslationDecoder:
        """The decoder, which can also take single steps."""
        return self.head.decoder

    def find_features(self, images: tf.Tensor) -> tf.Tensor:
        """Computes features <float32>[batch, places, features] of images, as `call` takes them."""
        return self.image_encoder(images, training=False)

    def encode(self, images: tf.Tensor) -> tuple[Memory, list]:
        """Encodes images, as `call` takes them, without dropout; see `FeatureCaptioner.encode`."""
        return self.head.encode(self.find_features(images))
