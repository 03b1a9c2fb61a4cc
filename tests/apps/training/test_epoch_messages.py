import pytest

from apps.training.epoch_messages import format_epoch


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (8.4, "4/4 - 8s - 2s/step"),
        (1.0, "4/4 - 1s - 250ms/step"),
        (0.0008, "4/4 - 0s - 200us/step"),
    ],
)
def test_an_epoch_says_how_long_it_took(seconds, line):
    assert format_epoch(4, seconds, {}) == line


def test_an_epoch_says_its_metrics_and_small_ones_with_an_exponent():
    metrics = {"loss": 0.5, "val_log_likelihood": -1.5, "learning_rate": 0.00025}
    assert format_epoch(1, 2.0, metrics) == (
        "1/1 - 2s - 2s/step - loss: 0.5000 - val_log_likelihood: -1.5000e+00 - "
        "learning_rate: 2.5000e-04"
    )
