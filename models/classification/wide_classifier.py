"""The wide classifier: a recurrent classifier plus a linear model of n-grams."""

from typing import Any, Self

import keras
import numpy as np
from keras import ops

from models.classification.calibration import negative_log_likelihood
from models.classification.classifier import TextClassifier
from models.classification.ngrams import NgramTerms
from models.copies import inputs_like

# The prior of each model's factor: mean and standard deviation.
_HALF, _DEVIATION = 0.5, 0.5
# The recurrent model always has a share: a purely linear model is not this package's.
_BOUNDS = ((0.05, 10.0), (0.0, 10.0))


@keras.saving.register_keras_serializable(package="models")
class WideClassifier(keras.Model):
    """A classifier whose logits are the sum of a recurrent and a linear model's.

    The linear model learns what a word says wherever it stands, even if it is rare; the recurrent
    model learns what depends on order. Together they are right more often than either (Mesnil et
    al. 2014, "Ensemble of Generative and Discriminative Techniques for Sentiment Analysis of Movie
    Reviews"; Cheng et al. 2016, "Wide & Deep Learning for Recommender Systems", who train the two
    at once).

    Args:
        recurrent: a trained classifier.
        entries: number of n-grams that the linear model knows.

    Call arguments:
        inputs: the inputs of the recurrent classifier.

    Output shape:
        logits <float32>[batch, num_classes].
    """

    def __init__(self, recurrent: TextClassifier, entries: int, **kwargs: Any) -> None:
        # === Layers ===
        settings = recurrent.settings
        ngrams = NgramTerms(
            settings["vocabulary_size"], settings["num_classes"], entries, name="ngrams"
        )

        # === Functional graph ===
        inputs = inputs_like(recurrent)
        logits = recurrent(inputs) + ops.sum(ngrams(inputs["token_ids"]), axis=1)
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        # Only the name: the graph holds the model already, and a second one would be saved again.
        self.recurrent_name, self.entries = recurrent.name, entries

    @classmethod
    def from_models(cls, recurrent: TextClassifier, ngrams: NgramTerms, share: float) -> Self:
        """Joins a recurrent and a linear model.

        Args:
            recurrent: a trained classifier.
            ngrams: a trained linear model, see `models.classification.ngram_regression.fit_ngrams`.
            share: factor of its logits, see `fit_share`.
        """
        model = cls(recurrent, ngrams.entries)
        keys, coefficients, bias = ngrams.get_weights()
        model.ngrams.set_weights([keys, share * coefficients, share * bias])
        return model

    @property
    def recurrent(self) -> TextClassifier:
        """The recurrent classifier."""
        return self.get_layer(self.recurrent_name)

    @property
    def ngrams(self) -> NgramTerms:
        """The linear model, whose coefficients contain its share."""
        return self.get_layer("ngrams")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the recurrent classifier."""
        return self.recurrent.settings

    def for_export(self) -> "WideClassifier":
        """Returns the model with its recurrent classifier's copy for export."""
        return WideClassifier.from_models(self.recurrent.for_export(), self.ngrams, 1.0)

    def get_config(self) -> dict[str, Any]:
        recurrent = keras.saving.serialize_keras_object(self.recurrent)
        return {"name": self.name, "recurrent": recurrent, "entries": self.entries}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        recurrent = keras.saving.deserialize_keras_object(config["recurrent"])
        return cls(**{**config, "recurrent": recurrent})


def linear_classifier(ngrams: NgramTerms) -> keras.Model:
    """Returns the linear model alone, from `token_ids` <int32>[batch, time] to logits
    <float32>[batch, num_classes]."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    return keras.Model({"token_ids": token_ids}, ops.sum(ngrams(token_ids), axis=1))


def fit_share(
    linear: np.ndarray, recurrent: np.ndarray, targets: np.ndarray, multi_label: bool
) -> float:
    """Finds the factor of a linear model's logits before they are added to a recurrent model's.

    Both models get factors, with the least negative log-likelihood on rows that neither was trained
    on (Wolpert 1992, "Stacked Generalization"), under a normal prior around equal factors that a
    dozen rows cannot overrule. The quotient of the two is the result, since the temperature, which
    is chosen later, scales both.

    Args:
        linear, recurrent: <float32>[rows, num_classes], logits.
        targets: <float32>[rows, num_classes], 0 or 1.
        multi_label: scores are independent probabilities (sigmoid) instead of a softmax.
    """
    from scipy.optimize import minimize

    both = np.stack([recurrent, linear]).astype(np.float64)

    def cost(factors: np.ndarray) -> float:
        prior = (((factors - _HALF) / _DEVIATION) ** 2).sum() / 2
        return negative_log_likelihood(np.tensordot(factors, both, 1), targets, multi_label) + prior

    best = minimize(cost, (_HALF, _HALF), bounds=_BOUNDS, method="L-BFGS-B").x
    return float(best[1] / best[0])
