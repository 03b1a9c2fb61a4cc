import pytest

from apps.terminal.duration import format_duration
from apps.training.epoch_lines import format_epoch, format_metrics


def test_an_epoch_says_what_counts():
    line = format_epoch(3, 12, 0.41237, ("f1", 0.7), True, 8.4, 9)
    assert line == "epoch  3/12  loss 0.4124  f1 0.7000 best  8 s, 76 s left"


def test_the_last_epoch_has_nothing_left_and_one_without_validation_no_metric():
    assert format_epoch(2, 2, 1.0, ("f1", 0.5), False, 3.0, 0) == (
        "epoch 2/2  loss 1.0000  f1 0.5000       3 s"
    )
    assert format_epoch(1, 2, 1.0, None, False, 3.0, 1) == "epoch 1/2  loss 1.0000  3 s, 3 s left"


def test_the_longest_line_fits_a_terminal():
    line = format_epoch(100, 199, 12.3456, ("average_precision", 0.98765), True, 700.0, 99)
    assert line == (
        "epoch 100/199  loss 12.3456  average_precision 0.9877 best  11:40, 19:15:00 left"
    )
    assert len(line) == 80


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (99.4, "99 s"), (100, "1:40"), (3599.6, "1:00:00"), (3725, "1:02:05")],
)
def test_a_duration_is_short(seconds, text):
    assert format_duration(seconds) == text


def test_all_metrics_are_a_line_and_small_ones_have_an_exponent():
    metrics = {"loss": 0.5, "val_log_likelihood": -1.5, "learning_rate": 0.00025}
    assert format_metrics(4, 2.0, metrics) == (
        "4 steps of 500 ms, loss 0.5000, val_log_likelihood -1.5000, learning_rate\n2.5000e-04"
    )
