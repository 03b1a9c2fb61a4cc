"""The figures that choose the epoch, on logits written by hand."""

import numpy as np
import pytest
import tensorflow as tf

from apps.tasks.classification import validation
from apps.tasks.classification.validation import ClassifierValidation, predict_logits
from data.examples.labelled import LabelledTexts
from data.graphs import in_chunks
from data.text.preprocessor import TextPreprocessor
from data.text.vocabulary import Vocabularies

VOCABULARIES = Vocabularies(["<start>", "a", "b", "c"], ["a", "b", "c"])
NAMES = ("rare", "frequent")


def examples(texts, targets):
    return LabelledTexts(texts, np.array(targets, np.float32), NAMES)


def held(monkeypatch, logits, goal, multi_label=False, targets=None, precisions=None):
    """A validation split whose model gives these logits."""
    monkeypatch.setattr(
        validation, "predict_logits", lambda model, ids: np.array(logits, np.float32)
    )
    targets = targets or [[1, 0], [0, 1], [0, 1]]
    return ClassifierValidation(
        {},
        examples(["a", "b", "c"], targets),
        np.array([0.1, 0.9]),
        multi_label,
        goal,
        precisions or {},
    )


# The rare class ranks first in its row, but never wins by itself.
LOGITS = [[0.0, 1.0], [-3.0, 1.0], [-3.0, 1.0]]


def test_thresholds_give_a_rare_class_its_chance(monkeypatch):
    plain = held(monkeypatch, LOGITS, "none")
    assert plain.measure(None)["accuracy"] == pytest.approx(2 / 3)
    assert plain.decide(np.array(LOGITS, np.float32)).thresholds == (0.5, 0.5)
    chosen = held(monkeypatch, LOGITS, "prior")
    assert chosen.measure(None)["macro_f1"] == 1.0
    rare, frequent = chosen.decide(np.array(LOGITS, np.float32)).thresholds
    assert frequent / rare > np.exp(1.0 / chosen.decide(np.array(LOGITS, np.float32)).temperature)


def test_average_precision_and_loss_do_not_depend_on_the_thresholds(monkeypatch):
    plain = held(monkeypatch, LOGITS, "none").measure(None)
    chosen = held(monkeypatch, LOGITS, "prior").measure(None)
    assert plain["average_precision"] == chosen["average_precision"] == 1.0
    assert plain["loss"] == chosen["loss"] == pytest.approx((1.3133 + 2 * 0.0181) / 3, abs=1e-3)


def test_several_labels_a_text_know_no_power_of_their_frequency(monkeypatch):
    several = held(monkeypatch, LOGITS, "prior", multi_label=True, targets=[[1, 1], [0, 1], [0, 1]])
    assert several.decide(np.array(LOGITS, np.float32)).thresholds == (0.5, 0.5)
    # Sigmoid of 0 is one half, which reaches the threshold.
    assert several.measure(None)["accuracy"] == 1.0


def test_a_wanted_precision_is_for_the_decision_not_for_the_choice_of_the_epoch(monkeypatch):
    logits = [[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]
    strict = held(monkeypatch, logits, "none", False, [[1, 0], [0, 1], [1, 0]], {0: 1.0})
    assert strict.measure(None)["accuracy"] == pytest.approx(2 / 3)
    decision = strict.decide(np.array(logits, np.float32))
    scores = decision.scores(np.array(logits, np.float32))
    assert decision.decide(scores).numpy()[:, 0].tolist() == [True, False, False]


def test_a_precision_that_is_not_to_be_had_is_told(monkeypatch, capsys):
    logits = [[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]]
    hopeless = held(monkeypatch, logits, "none", False, [[0, 1], [1, 0], [1, 0]], {0: 0.9})
    hopeless.decide(np.array(logits, np.float32))
    message = "warning: no threshold gives rare a precision of 0.9 on validation; the best one does"
    assert capsys.readouterr().err.splitlines()[0] == f"{message} 0.667"
    held(monkeypatch, logits, "none", False, [[1, 0], [0, 1], [1, 0]], {0: 0.9}).decide(
        np.array(logits, np.float32)
    )
    assert capsys.readouterr().err == ""


def test_logits_come_in_the_order_of_the_texts_whatever_their_length():
    class LastToken:
        distribute_strategy = tf.distribute.get_strategy()
        run_eagerly = True

        def predict(self, inputs, verbose):
            rows = [batch["token_ids"].numpy() for batch in inputs]
            return np.concatenate([ids.max(axis=1, keepdims=True) for ids in rows])

    preprocessor = TextPreprocessor(VOCABULARIES, "plain", 5)
    ids = in_chunks(preprocessor.ragged)(["a a c", "b", "a", "a a a b"])
    assert predict_logits(LastToken(), ids).ravel().tolist() == [5, 4, 3, 4]


def test_long_texts_are_computed_a_few_at_a_time_and_keep_their_order(monkeypatch):
    seen = []

    class Lengths:
        """A model whose logit is the length of a text."""

        distribute_strategy = tf.distribute.get_strategy()
        run_eagerly = True

        def predict(self, inputs, verbose):
            batches = [ids["token_ids"].numpy() for ids in inputs]
            seen.extend(batch.shape for batch in batches)
            return np.concatenate([(batch != 0).sum(axis=1, keepdims=True) for batch in batches])

    monkeypatch.setattr(validation, "_TOKENS", 12)
    preprocessor = TextPreprocessor(VOCABULARIES, "plain", 20)
    texts = ["a " * 15, "a", "a b", "a " * 3]
    logits = predict_logits(Lengths(), in_chunks(preprocessor.ragged)(texts))
    assert logits[:, 0].tolist() == [16, 2, 3, 4]
    assert seen == [(3, 4), (1, 16)]


# The first class is scored low as a whole, and even in its own rows.
SHY_LOGITS = [[-2.0, 0.0], [-3.0, 0.0], [-3.5, 0.0]]


def test_a_class_that_is_never_predicted_is_told_once(monkeypatch, capsys):
    held(monkeypatch, SHY_LOGITS, "none").decide(np.array(SHY_LOGITS, np.float32))
    assert capsys.readouterr().err == (
        "warning: rare is never predicted on validation, though 1 of its 3 rows are of this class. "
        "Try more --epochs, --class-weight 0.5 or more rows of it\n"
    )


def test_a_class_that_thresholds_rescue_is_not_told(monkeypatch, capsys):
    decision = held(monkeypatch, SHY_LOGITS, "prior").decide(np.array(SHY_LOGITS, np.float32))
    decided = decision.decide(decision.scores(np.array(SHY_LOGITS, np.float32))).numpy()
    assert decided.tolist() == [[True, False], [False, True], [False, True]]
    assert capsys.readouterr().err == ""


def test_a_class_without_a_validation_row_is_not_told(monkeypatch, capsys):
    held(monkeypatch, SHY_LOGITS, "none", targets=[[0, 1]] * 3).decide(
        np.array(SHY_LOGITS, np.float32)
    )
    assert capsys.readouterr().err == ""
