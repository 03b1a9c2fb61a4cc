"""Logistic regression on words and pairs of words, as a layer of token ids."""

import math

import numpy as np
import tensorflow as tf
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression

from models.ngrams import NgramTerms, keys_of

# The inverse strength of L2.
_C = 4.0
# An n-gram that a single text has teaches that text alone, but in few texts hardly one is in two.
_LEAST, _FEW_TEXTS = 2, 500


def fit_ngrams(
    token_ids: tf.RaggedTensor,
    targets: np.ndarray,
    multi_label: bool,
    vocabulary_size: int,
    class_weights: list[float],
) -> NgramTerms | None:
    """Fits the coefficients to a training split, by scikit-learn.

    Args:
        token_ids: <int32>[rows, (tokens)], the start token first in each row.
        targets: <float32>[rows, num_classes], 0 or 1.
        multi_label: one model a class instead of one for all.
        vocabulary_size: above all ids.
        class_weights: one a class; a row weighs as much as its classes on average.

    Returns:
        The layer, or None where no n-gram is in enough texts.
    """
    least = _LEAST if len(targets) >= _FEW_TEXTS else 1
    table, present = _presence(token_ids, vocabulary_size, least)
    if not len(table):
        return None
    weighing = TfidfTransformer()
    values = weighing.fit_transform(present)
    weights = (targets @ np.array(class_weights)) / np.maximum(targets.sum(axis=1), 1)
    # A text of no class weighs as any other.
    weights = np.where(targets.any(axis=1), weights, 1.0)
    fit = _one_a_class if multi_label else _one_for_all
    coefficients, bias = fit(values, targets, weights)
    layer = NgramTerms(vocabulary_size, targets.shape[1], len(table), name="ngrams")
    layer.build()
    layer.set_weights([table, weighing.idf_, coefficients, bias])
    return layer


def _presence(
    token_ids: tf.RaggedTensor, vocabulary_size: int, least: int
) -> tuple[np.ndarray, csr_matrix]:
    """The keys of all n-grams that are in enough texts, ascending, and which text has which:
    <float32>[rows, n-grams], 0 or 1."""
    rows, flat = int(token_ids.nrows()), token_ids.flat_values.numpy()
    # Every row begins with its start token: no pair reaches from one into another.
    keys = np.concatenate([np.asarray(each) for each in keys_of(flat, vocabulary_size)])
    documents = np.tile(token_ids.value_rowids().numpy(), 2)[keys > 0]
    # A text and its n-gram in one number are much faster sorted than two.
    both = np.unique(documents * vocabulary_size**2 + keys[keys > 0])
    documents, keys = np.divmod(both, vocabulary_size**2)
    table, column, texts = np.unique(keys, return_inverse=True, return_counts=True)
    present = csr_matrix((np.ones(len(keys), "float32"), (documents, column)), (rows, len(table)))
    return table[texts >= least], present[:, texts >= least]


def _one_for_all(values, targets: np.ndarray, weights: np.ndarray):
    """Logits that are shares of one by softmax."""
    classes = targets.argmax(axis=1)
    # A class without a row gets the share that one among all rows would have.
    bias = np.full(targets.shape[1], -math.log(len(targets) + 1.0))
    coefficients = np.zeros((values.shape[1], targets.shape[1]))
    if (classes == classes[0]).all():
        bias[classes[0]] = 0.0
        return coefficients, bias
    model = _regression().fit(values, classes, sample_weight=weights)
    found, level = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        # scikit-learn has the difference of the two.
        found, level = np.concatenate([-found, found]) / 2, np.concatenate([-level, level]) / 2
    coefficients[:, model.classes_] = found.T
    bias[model.classes_] = level
    return coefficients, bias


def _one_a_class(values, targets: np.ndarray, weights: np.ndarray):
    """Logits each of which is a probability by its sigmoid."""
    coefficients = np.zeros((values.shape[1], targets.shape[1]))
    bias = np.zeros(targets.shape[1])
    for position, column in enumerate(targets.T > 0.5):
        if column.all() or not column.any():
            bias[position] = math.log(len(column) + 1.0) * (1 if column.all() else -1)
            continue
        model = _regression().fit(values, column, sample_weight=weights)
        coefficients[:, position], bias[position] = model.coef_[0], model.intercept_[0]
    return coefficients, bias


def _regression() -> LogisticRegression:
    return LogisticRegression(C=_C, max_iter=1000, random_state=0)
