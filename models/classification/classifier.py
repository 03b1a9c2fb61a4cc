"""The text classifier: embedding front end, recurrent stack, pooling, logits."""

from typing import Any

import keras

from models.classification.adversarial import PERTURBATION, AdversarialTraining, Perturbation
from models.copies import FromSettings
from models.layers.embedding import embed
from models.layers.pooling import pooling_layer
from models.precision import dtype_policy
from models.recurrent.stack import recurrent_stack


@keras.saving.register_keras_serializable(package="models")
class TextClassifier(AdversarialTraining, FromSettings, keras.Model):
    """A recurrent network from token ids to one logit per class.

    Args:
        vocabulary_size: token ids, with padding 0 and unknown 1.
        num_classes: number of logits.
        embedding_dim: size of a token's vector.
        recurrent: arguments of `models.recurrent.stack.recurrent_stack`, by name.
        pooling: names in `models.layers.pooling.POOLINGS`; the vectors of several are concatenated.
        dropout: rate of dropout on the embedding's features (spatial: a feature is dropped in a
            whole text) and on the pooled vector.
        character_vocabulary_size: character ids, with padding 0 and unknown 1; 0 for a model
            without characters.
        max_word_length: number of letters that are read of a word.
        word_dropout: share of words that are dropped as a whole.
        open_rows: number of token ids, the last ones, whose vectors are not trained.
        dtype: Keras' policy of all layers; the logits are always float32.
        adversarial: size of the move of vectors in adversarial training, see
            `models.classification.adversarial.step_against`; 0 for none.

    Call arguments:
        inputs: a dict of `token_ids` <int32>[batch, time], 0 where padded, and with characters
            `character_ids` <int32>[batch, time, max_word_length], 0 where padded.

    Output shape:
        logits <float32>[batch, num_classes].
    """

    def __init__(
        self,
        vocabulary_size: int,
        num_classes: int,
        embedding_dim: int,
        recurrent: dict[str, Any],
        pooling: tuple[str, ...] = ("attention",),
        dropout: float = 0.0,
        character_vocabulary_size: int = 0,
        max_word_length: int = 0,
        word_dropout: float = 0.0,
        open_rows: int = 0,
        dtype: str = "float32",
        adversarial: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if not pooling:
            raise ValueError("pooling names one layer at least. Received none.")

        bidirectional = recurrent.get("bidirectional", False)
        with dtype_policy(dtype):
            # === Layers ===
            stack = recurrent_stack(**recurrent, name="recurrent")
            poolings = [pooling_layer(name, bidirectional) for name in pooling]
            head = keras.layers.Dense(num_classes, dtype="float32", name="logits")

            # === Functional graph ===
            inputs, x, mask = embed(
                vocabulary_size,
                embedding_dim,
                dropout,
                character_vocabulary_size,
                max_word_length,
                word_dropout,
                open_rows=open_rows,
            )
            if adversarial:
                x = Perturbation(name=PERTURBATION)(x, mask=mask)
            x = stack(x, mask=mask)
            pooled = [layer(x, mask=mask) for layer in poolings]
            x = pooled[0] if len(pooled) == 1 else keras.layers.Concatenate()(pooled)
            x = keras.layers.Dropout(dropout, name="dropout")(x)
            super().__init__(inputs=inputs, outputs=head(x), **kwargs)

        # === Config ===
        self.settings = {
            "vocabulary_size": vocabulary_size,
            "num_classes": num_classes,
            "embedding_dim": embedding_dim,
            "recurrent": dict(recurrent),
            "pooling": tuple(pooling),
            "dropout": dropout,
            "character_vocabulary_size": character_vocabulary_size,
            "max_word_length": max_word_length,
            "word_dropout": word_dropout,
            "open_rows": open_rows,
            "dtype": dtype,
            "adversarial": adversarial,
        }
