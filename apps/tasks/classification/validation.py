"""The validation split of a classifier: the metrics that choose the epoch, and the decision."""

import keras
import numpy as np
import tensorflow as tf

from data.batches.padded import Batches
from data.examples.labelled import LabelledTexts
from data.graphs import without_autograph
from data.messages import warn
from models.classification.decision import Decision
from models.classification.ngrams import NgramTerms
from models.classification.wide_classifier import linear_classifier
from models.evaluation.classification import decision_metrics, mean_average_precision

# Tokens at once: memory does not grow with the length of the texts.
_TOKENS = 32_768


def predict_logits(model: keras.Model, ids: dict[str, tf.RaggedTensor]) -> np.ndarray:
    """<float32>[rows, num_classes], in the order of the rows, computed in that of their lengths.

    Args:
        model: ids to logits.
        ids: as `TextPreprocessor.ragged` returns them.
    """
    replicas = model.distribute_strategy.num_replicas_in_sync
    batches = Batches(
        ids, np.zeros(ids["token_ids"].nrows()), 1, batch_tokens=_TOKENS, replicas=replicas
    )
    dataset = batches.dataset().map(without_autograph(lambda ids, *_: ids))
    if replicas == 1 and not model.run_eagerly:
        # Otherwise Keras traces the model for the shape of the first batch, and then for any shape.
        model.make_predict_function()
        model.predict_function.get_concrete_function([dataset.element_spec])
    by_length = model.predict(dataset, verbose=0)
    # Rows that fill a batch up are there twice, with the same logits.
    order = np.concatenate([batches.fill_up(rows) for rows in batches.order(0)])
    logits = np.empty((len(batches.lengths), *by_length.shape[1:]), by_length.dtype)
    logits[order] = by_length
    return logits


def linear_logits(ngrams: NgramTerms, ids: dict[str, tf.RaggedTensor]) -> np.ndarray:
    """Those of a linear model alone; as `predict_logits`, of whose ids it reads the tokens."""
    return predict_logits(linear_classifier(ngrams), {"token_ids": ids["token_ids"]})


class ClassifierValidation:
    """The validation split, tokenised once.

    Args:
        ids: of its texts, as `TextPreprocessor.ragged` returns them.
        examples: the split.
        prior: <float>[num_classes], frequency of each class in the training split.
        multi_label: whether a text may have any number of classes.
        goal: of the thresholds, a name in `models.registry.THRESHOLDS`.
        precisions: the least precision wanted of single classes, by position.
    """

    def __init__(
        self,
        ids: dict[str, tf.RaggedTensor],
        examples: LabelledTexts,
        prior: np.ndarray,
        multi_label: bool,
        goal: str,
        precisions: dict[int, float],
    ):
        self.ids, self.texts = ids, examples.texts
        self.targets, self.class_names = examples.targets, examples.class_names
        self.prior = prior
        self.multi_label = multi_label
        self.goal, self.precisions = goal, precisions
        loss = (
            keras.losses.BinaryCrossentropy if multi_label else keras.losses.CategoricalCrossentropy
        )
        self.loss = loss(from_logits=True)

    def logits(self, model: keras.Model) -> np.ndarray:
        """Returns <float32>[rows, num_classes] of a model."""
        return predict_logits(model, self.ids)

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Returns loss, mean average precision, accuracy and macro-F1; the latter two as decided
        with thresholds for this state of the model, no class having a precision of its own."""
        logits = self.logits(model)
        decision = self.fit_decision(logits)
        scores = decision.scores(logits).numpy()
        decided = decision.decide(scores).numpy()
        return {
            "loss": float(self.loss(self.targets, logits)),
            "average_precision": mean_average_precision(self.targets, scores),
            **decision_metrics(self.targets, decided),
        }

    def decide(self, logits: np.ndarray) -> Decision:
        """Returns the temperature and the thresholds for the logits of a trained model; warns of a
        precision that no threshold gives, and of a class that is never predicted."""
        decision = self.fit_decision(logits, self.precisions)
        decided = decision.decide(decision.scores(logits)).numpy()
        for position, wanted in self.precisions.items():
            given = self.targets[decided[:, position], position]
            if not len(given) or given.mean() < wanted:
                warn(
                    f"warning: no threshold gives {self.class_names[position]} a precision of "
                    f"{wanted:g} on validation; the best one does {given.mean():.3f}"
                )
        never = self.targets.any(axis=0) & ~decided.any(axis=0)
        for position in np.flatnonzero(never).tolist():
            warn(
                f"warning: {self.class_names[position]} is never predicted on validation, though "
                f"{self.targets[:, position].sum():.0f} of its {len(decided)} rows are of this "
                "class. Try more --epochs, --class-weight 0.5 or more rows of it"
            )
        return decision

    def fit_decision(
        self, logits: np.ndarray, precisions: dict[int, float] | None = None
    ) -> Decision:
        """Chooses temperature and thresholds for the logits that any model gives these texts, no
        class having a precision of its own but those of `precisions`."""
        return Decision.fit(
            logits, self.targets, self.prior, self.multi_label, self.goal, precisions
        )
