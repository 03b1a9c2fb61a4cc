import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import rel_entr

from models.classification.classifier import TextClassifier
from models.classification.losses import classification_loss
from models.optimization.r_drop import RDrop, divergence
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.loss import TranslationLoss

IDS = {"token_ids": np.array([[2, 3, 4], [5, 2, 0]], "int32")}
TARGETS = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")


def classifier(dropout):
    keras.utils.set_random_seed(3)
    recurrent = {"cell": "gru", "units": 3}
    return TextClassifier(6, 2, 4, recurrent, pooling=("mean",), dropout=dropout)


def translator(dropout):
    keras.utils.set_random_seed(3)
    return Translator(7, 7, 4, {"cell": "gru", "units": 3}, dropout=dropout)


def test_the_divergence_is_the_mean_of_both():
    logits = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    first, second = logits
    p, q = (np.asarray(tf.nn.softmax(each)) for each in logits)
    expected = (rel_entr(p, q) + rel_entr(q, p)).sum(axis=-1) / 2
    assert_allclose(divergence(first, second), expected, rtol=1e-5)
    # Logits of one distribution are equal but for a constant.
    assert_allclose(divergence(first, first + 3.0), 0.0, atol=1e-5)


def test_the_divergence_of_independent_classes_is_the_sum_of_theirs():
    first, second = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")
    zero = np.zeros_like(first)
    each = [
        divergence(
            np.stack([zero[:, c], first[:, c]], -1), np.stack([zero[:, c], second[:, c]], -1)
        )
        for c in range(4)
    ]
    assert_allclose(divergence(first, second, independent=True), sum(each), rtol=1e-5)


@pytest.mark.parametrize("multi_label", [False, True])
def test_without_dropout_it_learns_as_the_model_itself(multi_label):
    logs, weights = [], []
    for wrapped in (False, True):
        model = classifier(0.0)
        part = RDrop(model, 2.0, multi_label) if wrapped else model
        loss = classification_loss(multi_label, [1.0, 1.0], 0.0, 0.0)
        part.compile(keras.optimizers.SGD(0.5), loss, jit_compile=False)
        logs.append(part.train_on_batch(IDS, TARGETS))
        weights.append(model.get_weights())
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)
    for first, second in zip(*weights, strict=True):
        assert_allclose(first, second, atol=1e-6)


def test_answers_that_differ_cost_their_divergence():
    part = RDrop(classifier(0.0), 3.0)
    part.compile(loss=classification_loss(False, [1.0, 1.0], 0.0, 0.0))
    logits = np.array([[1.0, 0.0], [2.0, -1.0], [0.0, 0.0], [1.0, 1.0]], "float32")
    targets = np.concatenate([TARGETS, TARGETS])
    plain = float(part.loss(targets, logits))
    costs = np.mean(divergence(logits[:2], logits[2:]))
    found = part.compute_loss(None, tf.constant(targets), tf.constant(logits), None, training=True)
    assert float(found) == pytest.approx(plain + 1.5 * costs, rel=1e-5)
    measured = part.compute_loss(None, targets[:2], logits[:2], None, training=False)
    assert float(measured) == pytest.approx(float(part.loss(targets[:2], logits[:2])), rel=1e-5)


def test_tokens_that_are_padding_need_not_agree():
    part = RDrop(translator(0.0), 2.0)
    part.compile(loss=TranslationLoss())
    logits = np.random.default_rng(0).normal(size=(2, 3, 7)).astype("float32")
    ids = np.array([[4, 3, 0]] * 2, "float32")
    found = part.compute_loss(None, tf.constant(ids), tf.constant(logits), None, training=True)
    costs = np.mean(divergence(logits[0, :2], logits[1, :2]))
    assert float(found) == pytest.approx(float(part.loss(ids, logits)) + costs, rel=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_answers_come_to_agree(jit):
    differences = []
    for weight in (0.0, 20.0):
        model = classifier(0.4)
        part = RDrop(model, weight)
        loss = classification_loss(False, [1.0, 1.0], 0.0, 0.0)
        part.compile(keras.optimizers.Adam(0.03), loss, jit_compile=jit)
        for _ in range(60):
            part.train_on_batch(IDS, TARGETS)
        answers = [model(IDS, training=True) for _ in range(20)]
        pairs = zip(answers[::2], answers[1::2], strict=True)
        differences.append(np.mean([divergence(*pair) for pair in pairs]))
    assert differences[1] < 0.5 * differences[0]


def test_a_translator_learns_by_it_and_shares_its_weights():
    model = translator(0.2)
    part = RDrop(model, 5.0)
    part.compile(keras.optimizers.Adam(0.05), TranslationLoss(), jit_compile=False)
    inputs = {
        "token_ids": np.array([[4, 5, 6], [6, 4, 0]], "int32"),
        "target_ids": np.array([[2, 5, 4], [2, 6, 0]], "int32"),
    }
    targets = np.array([[5, 4, 3], [6, 3, 0]], "int32")
    before = float(part.loss(targets, model(inputs)))
    for _ in range(30):
        part.train_on_batch(inputs, targets)
    assert float(part.loss(targets, model(inputs))) < 0.5 * before
    assert_array_equal(part(inputs), model(inputs))
