import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from models.classification.decision import Decision
from models.classification.thresholds import choose_thresholds

NAMES = ("a", "b", "c")


def test_without_thresholds_the_most_probable_class_is_chosen():
    plain = Decision.plain(3, multi_label=False)
    scores = plain.scores(np.log([[0.2, 0.7, 0.1], [0.4, 0.4, 0.2]]).astype("float32"))
    assert_allclose(scores, [[0.2, 0.7, 0.1], [0.4, 0.4, 0.2]], rtol=1e-6)
    # Of equals the first.
    assert plain.decide(scores).numpy().tolist() == [[False, True, False], [True, False, False]]


def test_of_several_labels_each_that_reaches_a_half_is_chosen():
    plain = Decision.plain(2, multi_label=True)
    scores = plain.scores(np.array([[0.0, 3.0], [-1.0, -0.1]], "float32"))
    assert scores[0, 0] == 0.5
    assert plain.decide(scores).numpy().tolist() == [[True, True], [False, False]]


def test_the_temperature_divides_the_logits():
    logits = np.array([[2.0, 0.0, -2.0]], "float32")
    warm, plain = Decision(False, (1 / 3,) * 3, 4.0), Decision.plain(3, False)
    assert_allclose(warm.scores(logits), plain.scores(logits / 4), rtol=1e-6)


def test_of_two_classes_each_is_chosen_from_its_threshold_on():
    decision = Decision(False, (0.2, 0.8))
    decided = decision.decide(np.array([[0.21, 0.79], [0.19, 0.81]]))
    assert decided.numpy()[:, 0].tolist() == [True, False]


def test_a_fitted_decision_is_calibrated_and_has_its_thresholds():
    # Too sure, three of four right; the rare class always comes second by a little.
    logits = np.array([[8.0, 0.0]] * 8 + [[1.0, 0.0]] * 2, "float32")
    targets = np.eye(2)[[0] * 6 + [1] * 2 + [1] * 2]
    decision = Decision.fit(logits, targets, np.array([0.9, 0.1]), False, "prior")
    assert decision.temperature > 2
    assert sum(decision.thresholds) == pytest.approx(1.0)
    assert decision.decide(decision.scores(logits)).numpy()[:, 1].tolist() == [0] * 8 + [1] * 2


def test_thresholds_are_chosen_on_calibrated_scores():
    generator = np.random.default_rng(3)
    targets = np.eye(3)[generator.choice(3, 300, p=[0.7, 0.2, 0.1])]
    prior = targets.mean(axis=0)
    # Too sure, and of the frequent classes most of all.
    logits = 6 * targets + generator.normal(0, 4, targets.shape) + 4 * np.log(prior)
    logits = logits.astype("float32")
    decision = Decision.fit(logits, targets, prior, False, "prior")
    assert decision.temperature > 1.5
    warm = Decision(False, (1 / 3,) * 3, decision.temperature).scores(logits).numpy()
    expected = choose_thresholds("prior", warm, targets, prior, False)
    assert_allclose(decision.thresholds, expected / expected.sum())
    plain = choose_thresholds(
        "prior", Decision.plain(3, False).scores(logits).numpy(), targets, prior, False
    )
    assert np.abs(plain / plain.sum() - decision.thresholds).max() > 0.01


def test_a_wanted_precision_goes_before_the_goal():
    logits = np.log([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]]).astype("float32")
    targets = np.eye(2)[[0, 0, 1, 0]]
    even = np.array([0.5, 0.5])
    free = Decision.fit(logits, targets, even, False, "none")
    strict = Decision.fit(logits, targets, even, False, "none", {0: 1.0})
    counts = [d.decide(d.scores(logits)).numpy()[:, 0].sum() for d in (free, strict)]
    assert counts == [4, 2]


@pytest.mark.parametrize("multi_label", [False, True])
def test_it_comes_back_from_json(multi_label):
    decision = Decision(multi_label, (0.2, 0.3, 0.5), 1.25)
    values = json.loads(json.dumps(decision.describe(NAMES)))
    assert values == {"temperature": 1.25, "thresholds": {"a": 0.2, "b": 0.3, "c": 0.5}}
    assert Decision.read(values, NAMES, multi_label) == decision


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"temperature": 1.0, "thresholds": {"a": 0.5}},
        {"temperature": 0.0, "thresholds": {"a": 0.5, "b": 0.1, "c": 0.1}},
        {"temperature": 1.0, "thresholds": {"a": "much", "b": 0.1, "c": 0.1}},
        {"temperature": 1.0, "thresholds": {"a": float("nan"), "b": 0.1, "c": 0.1}},
        {"temperature": 1.0, "thresholds": {"a": "0.5", "b": 0.1, "c": 0.1}},
        {"temperature": 1.0, "thresholds": {"a": True, "b": 0.1, "c": 0.1}},
        {"temperature": 1.0, "thresholds": [0.5, 0.1, 0.1]},
        {"temperature": 10**400, "thresholds": {"a": 0.5, "b": 0.1, "c": 0.1}},
        {"temperature": float("inf"), "thresholds": {"a": 0.5, "b": 0.1, "c": 0.1}},
        {"temperature": None, "thresholds": {"a": 0.5, "b": 0.1, "c": 0.1}},
    ],
)
def test_what_is_no_decision_is_refused(values):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Decision.read(values, NAMES, False)
