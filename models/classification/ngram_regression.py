"""Logistic regression on n-grams of one to three words, fitted to a training split."""

import math

import numpy as np
import tensorflow as tf
from scipy.sparse import csr_array

from models.classification.ngrams import LONGEST, NgramTerms, ngram_keys

# The inverse strength of L2.
_C = 10.0
# An n-gram of a single text says nothing about others, but few texts hardly share any.
_LEAST, _FEW_TEXTS = 2, 500


def fit_ngrams(
    token_ids: tf.RaggedTensor,
    targets: np.ndarray,
    multi_label: bool,
    vocabulary_size: int,
    class_weights: list[float],
) -> NgramTerms | None:
    """Fits the linear model of n-grams to a training split.

    An n-gram's value is its log-count ratio, and scikit-learn's logistic regression weighs the
    values (Wang & Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", who use a support vector machine).

    Args:
        token_ids: <int32>[rows, (tokens)], the start token first in each row.
        targets: <float32>[rows, num_classes], 0 or 1.
        multi_label: whether a text may have any number of classes.
        vocabulary_size: above all ids.
        class_weights: one per class; a row has the mean weight of its classes.

    Returns:
        The layer, or None where no n-gram is in enough texts.
    """
    least = _LEAST if len(targets) >= _FEW_TEXTS else 1
    table, present = _count_ngrams(token_ids, vocabulary_size, least)
    if not len(table):
        return None
    weights = (targets @ np.array(class_weights)) / np.maximum(targets.sum(axis=1), 1)
    # A text without a class has the weight 1.
    weights = np.where(targets.any(axis=1), weights, 1.0)
    num_classes = targets.shape[1]
    coefficients, bias = np.zeros((len(table), num_classes)), np.zeros(num_classes)
    if num_classes == 2 and not multi_label:
        # One model decides between two classes that exclude each other.
        log_odds, level = _fit_class(present, targets[:, 1] > 0.5, weights)
        coefficients[:], bias[:] = np.outer(log_odds, [-0.5, 0.5]), (-level / 2, level / 2)
    else:
        for position, column in enumerate(targets.T > 0.5):
            fitted = _fit_class(present, column, weights)
            coefficients[:, position], bias[position] = fitted
    layer = NgramTerms(vocabulary_size, num_classes, len(table), name="ngrams")
    layer.build()
    layer.set_weights([table, coefficients, bias])
    return layer


def _count_ngrams(
    token_ids: tf.RaggedTensor, vocabulary_size: int, least: int
) -> tuple[np.ndarray, csr_array]:
    """Returns the keys of all n-grams that are in enough texts, ascending, and which text has
    which: <float32>[rows, n-grams], 0 or 1."""
    # Every row begins with its start token, so that no n-gram reaches from one row into another.
    keys = np.concatenate(
        [np.asarray(keys) for keys in ngram_keys(token_ids.flat_values, vocabulary_size)]
    )
    documents = np.tile(token_ids.value_rowids().numpy(), LONGEST)[keys > 0]
    # Without gaps, an n-gram's number and its text's fit into one integer, which sorts fast.
    table, keys = np.unique(keys[keys > 0], return_inverse=True)
    documents, columns = np.divmod(np.unique(documents * len(table) + keys), max(len(table), 1))
    shape = (int(token_ids.nrows()), len(table))
    present = csr_array((np.ones(len(columns), "float32"), (documents, columns)), shape)
    kept = np.bincount(columns, minlength=len(table)) >= least
    return table[kept], present[:, kept]


def _fit_class(
    present: csr_array, positive: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """Fits one class against the rest: coefficients <float64>[n-grams] of its log-odds, and a
    bias."""
    from sklearn.linear_model import LogisticRegression

    if positive.all() or not positive.any():
        # As confident as the number of texts allows.
        level = math.log(len(positive) + 1.0)
        return np.zeros(present.shape[1]), level if positive.all() else -level
    counts = np.stack([present[rows].sum(axis=0) + 1.0 for rows in (positive, ~positive)])
    ratios = np.log(counts / counts.sum(axis=1, keepdims=True))
    ratios = ratios[0] - ratios[1]
    norms = np.sqrt(np.maximum(present.sum(axis=1), 1.0))
    values = present.multiply(ratios).multiply(1 / norms[:, None]).tocsr()
    model = LogisticRegression(C=_C, max_iter=1000, random_state=0)
    model.fit(values, positive, sample_weight=weights)
    return model.coef_[0] * ratios, float(model.intercept_[0])
