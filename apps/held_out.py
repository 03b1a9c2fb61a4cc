"""The validation split of a classifier: the figures that choose the epoch and the decision."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import f1_score

from data.examples import LabelledTexts
from data.pipeline import Batches, vectorize
from data.preprocessor import TextPreprocessor
from models.metrics import mean_average_precision, predicted
from models.prior import best_strength

# Tokens at once: memory does not grow with the length of the texts.
_TOKENS = 32_768


def logits_of(model: keras.Model, ids: dict[str, tf.RaggedTensor]) -> np.ndarray:
    """<float32>[rows, num_classes], in the order of the rows, computed in that of their lengths.

    Args:
        model: ids to logits.
        ids: from `data.pipeline.vectorize`.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    batches = Batches(
        ids, np.zeros(ids["token_ids"].nrows()), 1, batch_tokens=_TOKENS, replicas=replicas
    )
    by_length = model.predict(batches.dataset().map(lambda ids, *_: ids), verbose=0)
    # Rows that fill a batch up are there twice, with the same logits.
    order = np.concatenate([batches.filled(rows) for rows in batches.order(0)])
    logits = np.empty((len(batches.lengths), *by_length.shape[1:]), by_length.dtype)
    logits[order] = by_length
    return logits


def probabilities(logits: np.ndarray, multi_label: bool) -> np.ndarray:
    """Shares of one, or of one each if multi-label; both <float32>[rows, num_classes]."""
    return (tf.nn.sigmoid(logits) if multi_label else tf.nn.softmax(logits)).numpy()


class HeldOut:
    """The validation split, tokenised once.

    Args:
        preprocessor: strings to ids.
        examples: the split.
        prior: <float>[num_classes], frequency of each class in the training split.
        multi_label: whether a text may have any number of classes.
        correct_prior: whether logits are shifted before the decision (`models.prior`).
    """

    def __init__(
        self,
        preprocessor: TextPreprocessor,
        examples: LabelledTexts,
        prior: np.ndarray,
        multi_label: bool,
        correct_prior: bool,
    ):
        self.ids = vectorize(preprocessor, examples.texts)
        self.targets = examples.targets
        self.prior = prior
        self.multi_label = multi_label
        self.correct_prior = correct_prior and not multi_label
        loss = (
            keras.losses.BinaryCrossentropy if multi_label else keras.losses.CategoricalCrossentropy
        )
        self.loss = loss(from_logits=True)

    def figures(self, model: keras.Model) -> dict[str, float]:
        """Loss, mean average precision, accuracy and macro-F1; the latter two as decided after the
        shift."""
        logits = logits_of(model, self.ids)
        shifted = logits + self._shift(logits)
        decided = predicted(probabilities(shifted, self.multi_label), self.multi_label)
        truth = self.targets > 0.5
        return {
            "loss": float(self.loss(self.targets, logits)),
            "average_precision": mean_average_precision(
                self.targets, probabilities(logits, self.multi_label)
            ),
            "accuracy": float((decided == truth).all(axis=1).mean()),
            "macro_f1": float(f1_score(truth, decided, average="macro", zero_division=0)),
        }

    def shift(self, model: keras.Model) -> np.ndarray:
        """<float>[num_classes] to add to the logits; zeros where no correction is wanted."""
        return self._shift(logits_of(model, self.ids))

    def _shift(self, logits: np.ndarray) -> np.ndarray:
        if not self.correct_prior:
            return np.zeros_like(self.prior)
        return -best_strength(logits, self.targets, self.prior)[0] * np.log(self.prior)
