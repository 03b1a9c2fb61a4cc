"""The tagger: embedding front end, recurrent stack, and a CRF or a softmax over tags."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from data.errors import choose
from models.copies import FromSettings
from models.crf.layer import LinearChainCRF, bio_constraints
from models.layers.embedding import embed
from models.precision import dtype_policy
from models.recurrent.stack import recurrent_stack
from models.registry import HEADS
from models.tagging.language_features import LanguageFeatures
from models.tagging.tag_sequences import TagSequences


@keras.saving.register_keras_serializable(package="models")
class Tagger(TagSequences, FromSettings, keras.Model):
    """A recurrent network from token ids to tags (Huang et al. 2015; Lample et al. 2016).

    It is trained with the loss `TaggingLoss` on tags <int>[batch, time] that count from 1, 0 where
    padded.

    Args:
        tags: names of the tags in BIO: `O`, `B-PER`, `I-PER`, ...
        vocabulary_size: token ids, with padding 0 and unknown 1.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name.
        head: `crf`, which scores whole sequences, or `softmax`, which scores each token alone.
        constrained: whether the CRF forbids what BIO forbids (`models.crf.layer.bio_constraints`).
        dropout: rate of dropout on the features before and after the recurrent stack, the same ones
            at all steps of a text (locked dropout, Gal & Ghahramani 2016).
        character_vocabulary_size: character ids, with padding 0 and unknown 1; 0 for a model
            without characters.
        max_word_length: number of letters that are read of a word.
        characters: a name in `models.registry.CHARACTER_ENCODERS`.
        case_features: whether the case of a word is a feature (`data.registry.CASES`).
        word_dropout: share of words whose vectors are dropped, though not characters and case.
        open_rows: number of token ids, the last ones, whose vectors are not trained.
        language_model: arguments of a `models.tagging.language_features.LanguageFeatures`, by name,
            whose features the stack reads, too; or None.
        dtype: Keras' policy of all layers; emissions and CRF are always float32.

    Call arguments:
        inputs: a dict of `token_ids` <int32>[batch, time], 0 where padded, with characters
            `character_ids` <int32>[batch, time, max_word_length], with case features `case_ids`
            <int32>[batch, time], and with a language model `language_ids` <int32>[batch, time].

    Output shape:
        emissions <float32>[batch, time, len(tags)].
    """

    def __init__(
        self,
        tags: tuple[str, ...],
        vocabulary_size: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        head: str = "crf",
        constrained: bool = True,
        dropout: float = 0.0,
        character_vocabulary_size: int = 0,
        max_word_length: int = 0,
        characters: str = "convolution",
        case_features: bool = True,
        word_dropout: float = 0.0,
        open_rows: int = 0,
        language_model: dict[str, Any] | None = None,
        dtype: str = "float32",
        **kwargs: Any,
    ) -> None:
        choose("head", head, dict.fromkeys(HEADS))
        with dtype_policy(dtype):
            # === Layers ===
            stack = recurrent_stack(**recurrent, name="recurrent")
            locked = keras.layers.SpatialDropout1D(dropout, name="dropout")
            emit = keras.layers.Dense(len(tags), dtype="float32", name="emissions")

            # === Functional graph ===
            use_cudnn = recurrent.get("use_cudnn", "auto")
            inputs, x, mask = embed(
                vocabulary_size,
                embedding_dim,
                dropout,
                character_vocabulary_size,
                max_word_length,
                word_dropout,
                characters,
                case_features,
                drop_word_vectors=True,
                use_cudnn=use_cudnn,
                open_rows=open_rows,
            )
            if language_model is not None:
                ids = keras.Input((None,), dtype="int32", name="language_ids")
                stack_options = {**language_model["recurrent"], "use_cudnn": use_cudnn}
                language_features = LanguageFeatures(
                    **{**language_model, "recurrent": stack_options}, name="language"
                )
                features = keras.layers.SpatialDropout1D(dropout)(language_features(ids))
                inputs["language_ids"] = ids
                x = keras.layers.Concatenate()([x, features])
            outputs = emit(locked(stack(x, mask=mask)))
            if head == "crf":
                allowed = bio_constraints(tags) if constrained else None
                outputs = LinearChainCRF(len(tags), allowed, name="crf")(outputs)
            super().__init__(inputs=inputs, outputs=outputs, **kwargs)

        # === Config ===
        self.settings = {
            "tags": tuple(tags),
            "vocabulary_size": vocabulary_size,
            "embedding_dim": embedding_dim,
            "recurrent": dict(recurrent),
            "head": head,
            "constrained": constrained,
            "dropout": dropout,
            "character_vocabulary_size": character_vocabulary_size,
            "max_word_length": max_word_length,
            "characters": characters,
            "case_features": case_features,
            "word_dropout": word_dropout,
            "open_rows": open_rows,
            "language_model": language_model,
            "dtype": dtype,
        }

    def shift_outside(self, by: float) -> None:
        """Adds a number to the emission of `O` at each step; a negative one gives more entities."""
        bias = self.get_layer("emissions").bias
        outside = tf.one_hot(self.settings["tags"].index("O"), len(self.settings["tags"]))
        bias.assign_add(by * outside)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        losses = self.negative_log_likelihood(y_pred, y)
        return super().compute_loss(x, y, losses, sample_weight, training=training)


@keras.saving.register_keras_serializable(package="models")
class TaggingLoss(keras.losses.Loss):
    """The negative log-likelihood of each text's tags, summed over its tokens.

    With the head `softmax` each token has the weight of its tag; with a CRF, whose likelihood is
    that of a whole text, each text has the mean weight of its tags.

    Args:
        tag_weights: one per tag, or None for equal weights.

    Call arguments:
        y_true: <float32>[batch, time], tags from 1, 0 where padded; or several sequences of tags,
            <float32>[batch, time, paths], as `Tagger.negative_log_likelihood` takes them.
        y_pred: <float32>[batch, 1 or time], from `Tagger.negative_log_likelihood`.
    """

    def __init__(
        self, tag_weights: list[float] | None = None, name: str | None = None, **kwargs: Any
    ):
        super().__init__(name=name, **kwargs)
        self.tag_weights = None if tag_weights is None else list(tag_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if self.tag_weights is None:
            return ops.sum(y_pred, axis=-1)
        tags = ops.cast(y_true, "int32")
        weights = ops.take(ops.convert_to_tensor([0.0, *self.tag_weights]), tags)
        if len(weights.shape) == 3:
            weights, tags = ops.mean(weights, axis=-1), tags[:, :, 0]
        if y_pred.shape[-1] == 1:
            tokens = ops.sum(ops.cast(tags > 0, weights.dtype), axis=-1, keepdims=True)
            weights = ops.sum(weights, axis=-1, keepdims=True) / ops.maximum(tokens, 1.0)
        return ops.sum(weights * y_pred, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "tag_weights": self.tag_weights}
