"""The linear model beside a recurrent classifier: `--linear`."""

import keras
import tensorflow as tf

from apps.tasks.classification.validation import ClassifierValidation
from data.errors import UserError
from data.examples.labelled import LabelledTexts
from data.messages import say
from data.text.vocabulary import Vocabularies
from models.classification.losses import class_weights
from models.classification.ngram_regression import fit_ngrams
from models.classification.ngrams import MOST_IDS
from models.classification.wide_classifier import WideClassifier


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


def with_linear_model(
    model: keras.Model,
    ids: tf.RaggedTensor,
    train: LabelledTexts,
    held_out: ClassifierValidation,
    class_weight: float,
) -> keras.Model:
    """A trained classifier with a linear model of the training split's n-grams beside it.

    Args:
        model: the classifier.
        ids: <int32>[rows, None], the tokens of the training split.
        train: the training split.
        held_out: the validation split, which says what share the linear model has.
        class_weight: the power of the classes' inverse frequencies that they are weighed by.

    Returns:
        The two as one, or the classifier if no word is in enough texts.
    """
    weights = class_weights(train.targets, class_weight)
    size = model.settings["vocabulary_size"]
    ngrams = fit_ngrams(ids, train.targets, held_out.multi_label, size, weights)
    if ngrams is None:
        say("linear model: no word is in enough training texts, there is none")
        return model
    share = held_out.share(model, ngrams)
    say(f"linear model: {ngrams.entries:,} n-grams, {share:.2f} of its logits")
    return WideClassifier.of(model, ngrams, share)
