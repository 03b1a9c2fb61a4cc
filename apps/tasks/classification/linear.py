"""The linear model beside a recurrent classifier: `--linear`."""

import keras
import numpy as np

from apps.tasks.classification.data import ClassifierData
from apps.tasks.classification.validation import linear_logits
from data.errors import UserError
from data.messages import say
from data.text.vocabulary import Vocabularies
from models.classification.losses import class_weights
from models.classification.ngram_regression import fit_ngrams
from models.classification.ngrams import MOST_IDS
from models.classification.wide_classifier import WideClassifier, fit_share


def check_size(vocabularies: Vocabularies) -> None:
    """Refuses a vocabulary that a linear model of n-grams has no room for, before the training.

    Raises:
        UserError: it is too large.
    """
    if vocabularies.vocabulary_size > MOST_IDS:
        raise UserError(
            f"--linear takes a vocabulary of at most {MOST_IDS:,} words. Received "
            f"{len(vocabularies.tokens):,}. Pass a smaller --max-tokens or --open-vocabulary"
        )


def add_linear_model(
    model: keras.Model, logits: np.ndarray, data: ClassifierData, class_weight: float
) -> tuple[keras.Model, np.ndarray]:
    """Adds a linear model of the training split's n-grams to a trained classifier.

    Args:
        model: the classifier.
        logits: <float32>[rows, num_classes], its own on the validation split.
        data: the training split, and the validation split that says what share the linear model
            has.
        class_weight: the power of the classes' inverse frequencies that they are weighed by.

    Returns:
        The two as one and their logits on the validation split; or the classifier and its own, if
        no word is in enough texts.
    """
    validation = data.validation
    weights = class_weights(data.labels, class_weight)
    size = model.settings["vocabulary_size"]
    ngrams = fit_ngrams(data.ids["token_ids"], data.labels, validation.multi_label, size, weights)
    if ngrams is None:
        say("linear model: no word is in enough training texts, there is none")
        return model, logits
    linear = linear_logits(ngrams, validation.ids)
    share = fit_share(linear, logits, validation.targets, validation.multi_label)
    say(f"linear model: {ngrams.entries:,} n-grams, {share:.2f} of its logits")
    joined = WideClassifier.from_models(model, ngrams, share)
    # The recurrent classifier, which takes the time, has read the validation split already.
    return joined, logits + linear_logits(joined.ngrams, validation.ids)
