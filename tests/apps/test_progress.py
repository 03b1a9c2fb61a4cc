import random

import keras
import numpy as np
import pytest

from apps.progress import Progress


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
