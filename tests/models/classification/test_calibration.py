import numpy as np
import pytest

from models.classification.calibration import fit_temperature, reliability


def rows(logit, right, wrong):
    """Rows of two classes whose first has this logit, and how many of them it is the class of."""
    return np.tile([[logit, 0.0]], (right + wrong, 1)), np.eye(2)[[0] * right + [1] * wrong]


def test_the_temperature_turns_logits_into_the_share_that_is_right():
    # Three of four are right: the logit should be log 3.
    logits, targets = rows(5.0, right=30_000, wrong=10_000)
    assert fit_temperature(logits, targets, False) == pytest.approx(5.0 / np.log(3.0), rel=1e-3)


def test_the_temperature_of_several_labels():
    logits, targets = rows(5.0, right=30_000, wrong=10_000)
    found = fit_temperature(logits[:, :1], targets[:, :1], True)
    assert found == pytest.approx(5.0 / np.log(3.0), rel=1e-3)


def test_calibrated_logits_stay():
    logits, targets = rows(np.log(3.0), right=30, wrong=10)
    assert fit_temperature(logits, targets, False) == pytest.approx(1.0, rel=1e-3)


def test_a_few_rows_that_are_all_right_make_nothing_certain():
    logits, targets = rows(1.0, right=12, wrong=0)
    few, many = (
        fit_temperature(np.tile(logits, (n, 1)), np.tile(targets, (n, 1)), False) for n in (1, 1000)
    )
    assert 0.4 < few < 1.0
    assert many < few / 2


def test_the_prior_by_hand():
    # The derivatives of both parts by log T cancel: n x sigmoid(-x) / T of rows and 4 log T.
    logits, targets = rows(2.0, right=20, wrong=0)
    x = 2.0 / (temperature := fit_temperature(logits, targets, False))
    assert 20 * x / (1 + np.exp(x)) == pytest.approx(-4 * np.log(temperature), rel=1e-2)


def test_no_rows_leave_the_logits_as_they_are():
    assert fit_temperature(np.zeros((0, 2)), np.zeros((0, 2)), False) == 1.0


def test_the_calibration_error_by_hand():
    # Sure by 0.9 and right in two of four; sure by 0.6 and right in both.
    first, first_targets = rows(np.log(9.0), right=2, wrong=2)
    second, second_targets = rows(np.log(1.5), right=2, wrong=0)
    found = reliability(
        np.concatenate([first, second]), np.concatenate([first_targets, second_targets]), False, 1.0
    )
    assert found["ece"] == pytest.approx((4 * 0.4 + 2 * 0.4) / 6)
    assert found["bins"] == [
        {"sureness": pytest.approx(0.6), "accuracy": 1.0, "rows": 2},
        {"sureness": pytest.approx(0.9), "accuracy": 0.5, "rows": 4},
    ]


def test_the_temperature_counts():
    logits, targets = rows(5.0 * np.log(3.0), right=3, wrong=1)
    assert reliability(logits, targets, False, 5.0)["ece"] == pytest.approx(0.0, abs=1e-6)
    assert reliability(logits, targets, False, 1.0)["ece"] == pytest.approx(0.246, abs=1e-3)


def test_of_several_labels_each_is_counted():
    found = reliability(np.array([[0.0, 100.0]]), np.array([[1, 1]]), True, 1.0)
    assert found["bins"] == [
        {"sureness": 0.5, "accuracy": 1.0, "rows": 1},
        {"sureness": 1.0, "accuracy": 1.0, "rows": 1},
    ]
    assert found["ece"] == 0.25


def test_an_empty_split_has_no_error():
    assert reliability(np.zeros((0, 2)), np.zeros((0, 2)), False, 1.0) == {"ece": 0.0, "bins": []}
