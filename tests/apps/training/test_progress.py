import random

import keras
import numpy as np
import pytest

from apps.training.progress import Progress


@pytest.fixture
def model():
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])


def progress_of(model, patience=2):
    return Progress(model, "val_score", patience)


def test_the_weights_of_the_best_epoch_are_restored(model):
    progress = progress_of(model)
    assert not progress.restore_best(model)
    for weight, score in [(1.0, 0.5), (2.0, 0.75), (3.0, 0.75)]:
        model.set_weights([np.array([[weight]])])
        progress.end_epoch(model, {"val_score": score})
    assert progress.restore_best(model)
    assert model.get_weights()[0].item() == 2.0


def test_of_equal_figures_the_lesser_loss_is_the_best(model):
    progress = progress_of(model)
    for weight, loss in [(1.0, 0.5), (2.0, 0.25), (3.0, 0.75)]:
        model.set_weights([np.array([[weight]])])
        progress.end_epoch(model, {"val_score": 1.0, "val_loss": loss})
    assert progress.restore_best(model)
    assert model.get_weights()[0].item() == 2.0 and progress.wait == 1


def test_patience_counts_epochs_without_a_better_figure(model):
    progress, found = progress_of(model), []
    for score in (0.5, 0.25, 0.75, 0.75, 0.5):
        progress.end_epoch(model, {"val_score": score})
        found.append(progress.exhausted)
    assert found == [False, False, False, False, True]


def test_a_row_of_history_is_in_the_order_of_names(model):
    progress = progress_of(model)
    progress.end_batch(3)
    progress.end_epoch(model, {"val_score": 0.1, "loss": 2.5})
    assert [list(row.items()) for row in progress.history] == [
        [("epoch", 0), ("loss", 2.5), ("val_score", 0.1)]
    ]
    assert (progress.epoch, progress.batch, progress.step) == (1, 0, 3)


def test_what_is_saved_comes_back(model):
    progress = progress_of(model)
    progress.end_batch(2)
    progress.end_epoch(model, {"val_score": 1 / 3})
    progress.end_batch(1)
    saved = progress.serialize()
    drawn = random.random(), np.random.random()
    other = progress_of(model)
    other.deserialize(saved.encode())
    assert (other.epoch, other.batch, other.step, other.best) == (1, 1, 3, [1 / 3, 0.0])
    assert other.history == progress.history
    assert (random.random(), np.random.random()) == drawn
    assert other.seconds >= progress._seconds_before


def best_of(model, rows, epochs):
    """The number of the epoch whose weights are kept, of figures and losses."""
    progress = Progress(model, "val_score", 9, rows)
    for score, loss in epochs:
        progress.end_epoch(model, {"val_score": score, "val_loss": loss})
    return progress.best_epochs


# What an average precision did on 22 texts; with the highest no text reached the threshold.
SMALL = [(0.927, 0.647), (0.981, 0.624), (0.991, 0.609), (0.962, 0.451), (0.962, 0.282)]


def test_on_few_rows_a_figure_less_than_a_row_from_perfect_is_perfect(model):
    assert best_of(model, 22, SMALL) == 5
    # A whole row further away: 2 / 22 are missing.
    assert best_of(model, 22, [*SMALL, (20 / 22, 0.1)]) == 5


def test_on_many_rows_the_figure_itself_chooses(model):
    assert best_of(model, 2462, SMALL) == best_of(model, 0, SMALL) == 3


def test_an_accuracy_ranks_epochs_as_it_is(model):
    # 9 of 10, 8 of 10, 9 of 10: 1 - 0.9 is not quite a tenth in binary.
    assert best_of(model, 10, [(0.9, 0.5), (0.8, 0.1), (0.9, 0.6)]) == 1
    assert best_of(model, 10, [(0.9, 0.5), (1.0, 0.6), (0.9, 0.1)]) == 2


def test_a_kept_epoch_below_the_highest_figure_says_what_decided(model):
    progress = Progress(model, "val_score", 9, 22)
    for score, loss in SMALL:
        progress.end_epoch(model, {"val_score": score, "val_loss": loss})
    assert progress.describe_best(9).splitlines() == [
        "kept: epoch 5 of 5, the best on validation (score 0.9620)",
        "  0.9910 is higher by less than one of 22 texts: the lower loss decides",
    ]


def test_which_epoch_is_kept_is_said_with_its_reason(model):
    progress = Progress(model, "val_f1", patience=2)
    assert progress.describe_best(5) == ""
    for f1 in (0.5, 0.75, 0.7, 0.6):
        progress.end_epoch(model, {"loss": 1.0, "val_f1": f1})
    kept = "kept: epoch 2 of 4, the best on validation (f1 0.7500)"
    assert progress.describe_best(4) == kept
    assert progress.describe_best(5) == f"{kept}\nstopped early: 2 epochs in a row were no better"
    assert Progress(model, None, patience=2).describe_best(5) == ""
