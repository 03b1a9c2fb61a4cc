"""A recurrent classifier and, beside it, a linear one of n-grams."""

import keras
import numpy as np
from keras import ops
from scipy.optimize import minimize

from models.classification.calibration import negative_log_likelihood
from models.classification.classifier import TextClassifier
from models.classification.ngrams import NgramTerms
from models.copies import inputs_like

# Before any row has been seen, each model has half, and this deviation from it is common.
_HALF, _DEVIATION = 0.5, 0.5
# A recurrent model without any share would be another package's.
_BOUNDS = ((0.05, 10.0), (0.0, 10.0))


@keras.saving.register_keras_serializable(package="models")
class WideClassifier(keras.Model):
    """Token ids to the sum of two models' logits.

    Some things are said by a word wherever it stands, and a linear model learns them from texts in
    which it is rare; what depends on order is the recurrent model's. Both together are right more
    often than either (Mesnil et al. 2014, "Ensemble of Generative and Discriminative Techniques for
    Sentiment Analysis of Movie Reviews"; Cheng et al. 2016, "Wide & Deep Learning for Recommender
    Systems", who train the two at once).

    Args:
        recurrent: a trained classifier.
        entries: n-grams that the linear model knows.

    Call arguments:
        inputs: those of the recurrent classifier.

    Output shape:
        logits <float32>[batch, num_classes].
    """

    def __init__(self, recurrent: TextClassifier, entries: int, **kwargs):
        # === Layers ===
        sizes = (recurrent.settings["vocabulary_size"], recurrent.settings["num_classes"])
        ngrams = NgramTerms(*sizes, entries, name="ngrams")

        # === Functional graph ===
        inputs = inputs_like(recurrent)
        logits = recurrent(inputs) + ops.sum(ngrams(inputs["token_ids"]), axis=1)
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

        # === Config ===
        # A name, since the graph has the model already: twice, it would be saved twice.
        self.recurrent_name, self.entries = recurrent.name, entries

    @classmethod
    def of(cls, recurrent: TextClassifier, ngrams: NgramTerms, share: float) -> "WideClassifier":
        """The two models as one.

        Args:
            recurrent: a trained classifier.
            ngrams: the linear model, see `models.classification.ngram_regression.fit_ngrams`.
            share: what its logits are multiplied by, see `share_of`.
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
        """The linear model, its logits as they are added."""
        return self.get_layer("ngrams")

    @property
    def settings(self) -> dict:
        """Those of the recurrent classifier."""
        return self.recurrent.settings

    def for_export(self) -> "WideClassifier":
        """The same model with a recurrent classifier for export."""
        return WideClassifier.of(self.recurrent.for_export(), self.ngrams, 1.0)

    def get_config(self):
        recurrent = keras.saving.serialize_keras_object(self.recurrent)
        return {"name": self.name, "recurrent": recurrent, "entries": self.entries}

    @classmethod
    def from_config(cls, config):
        recurrent = keras.saving.deserialize_keras_object(config["recurrent"])
        return cls(**{**config, "recurrent": recurrent})


def linear_classifier(ngrams: NgramTerms) -> keras.Model:
    """The linear model alone: `token_ids` <int32>[batch, time] to logits <float32>[batch,
    num_classes]."""
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    return keras.Model({"token_ids": token_ids}, ops.sum(ngrams(token_ids), axis=1))


def share_of(
    linear: np.ndarray, recurrent: np.ndarray, targets: np.ndarray, multi_label: bool
) -> float:
    """What to multiply a linear model's logits by before they are added to the recurrent one's.

    The two factors with the least negative log-likelihood on rows that neither was trained on
    (Wolpert 1992, "Stacked Generalization"), under a normal prior around equal ones that a dozen
    rows cannot overrule; the quotient of the two is the result, since the temperature, chosen after
    it, scales both.

    Args:
        linear, recurrent: <float32>[rows, num_classes], logits.
        targets: <float32>[rows, num_classes], 0 or 1.
        multi_label: independent probabilities, instead of shares of one.
    """
    both = np.stack([recurrent, linear]).astype(np.float64)

    def cost(factors: np.ndarray) -> float:
        prior = (((factors - _HALF) / _DEVIATION) ** 2).sum() / 2
        return negative_log_likelihood(np.tensordot(factors, both, 1), targets, multi_label) + prior

    found = minimize(cost, (_HALF, _HALF), bounds=_BOUNDS, method="L-BFGS-B").x
    return float(found[1] / found[0])
