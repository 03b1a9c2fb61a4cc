"""Trainings of a toy model that are killed, and go on as if nothing had interrupted them."""

import csv
import os
import resource
import signal

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from apps.config.training import TrainingConfig
from apps.training.averaged_weights import AveragedWeights
from apps.training.checkpoints import Checkpoints
from apps.training.divergence import Diverged
from apps.training.epochs import ProgressCallback
from apps.training.fit import Validation, fit, seed_everything
from apps.training.signals import Terminated
from data.errors import UserError

ROWS = np.arange(12, dtype="float32").reshape(6, 2) / 12
# The rows of each epoch's batches: not all epochs have the same number of them.
ORDERS = [[[0, 1], [2, 3], [4, 5]], [[5, 1, 0], [4, 3, 2]], [[3, 1], [0, 5], [2, 4]]]


class Killed(BaseException):
    """Stands for SIGKILL: nobody catches it, nothing is written after it."""


class ToyBatches:
    """What `fit` asks of `data.batches.padded.Batches`."""

    def steps(self, epoch):
        return len(ORDERS[epoch])

    def dataset(self, epoch, start):
        inputs = [ROWS[rows] for rows in ORDERS[epoch][start:]]
        spec = tf.TensorSpec([None, 2], tf.float32)
        batches = tf.data.Dataset.from_generator(lambda: iter(inputs), output_signature=spec)
        batches = batches.apply(tf.data.experimental.assert_cardinality(len(inputs)))
        return batches.map(lambda x: (x, x[:, :1] - x[:, 1:])).prefetch(4)


class Toy:
    """A small model with dropout, its training, and the wish to be killed at a step or by a
    validation."""

    def __init__(self, folder, **options):
        self.folder = folder
        self.options = {"epochs": 3, "patience": 3, **options}
        self.scores = {3: 0.1, 5: 0.3, 8: 0.2}  # by the steps behind it
        self.traced = self.validated = 0

    def fit(self, checkpoint_seconds=0.0):
        config = TrainingConfig(**self.options, checkpoint_seconds=checkpoint_seconds)
        seed_everything(config)
        layers = [
            keras.Input((2,)),
            keras.layers.Dense(4),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
        self.model = keras.Sequential(layers)

        def loss(y, y_pred):
            self.traced += 1
            return keras.losses.mean_squared_error(y, y_pred)

        self.ending = fit(
            self.model, ToyBatches(), self.validate, loss, "score", config, self.folder
        )
        return self

    def validate(self, model):
        self.validated += 1
        return {"score": self.scores[int(model.optimizer.iterations)]}

    def history(self):
        with (self.folder / "history.csv").open(newline="") as file:
            return list(csv.reader(file))


def assert_same_end(ours, theirs):
    for one, other in zip(ours.model.variables, theirs.model.variables, strict=True):
        assert_array_equal(one.numpy(), other.numpy())
    assert ours.history() == theirs.history()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return Toy(tmp_path_factory.mktemp("unbroken")).fit()


@pytest.fixture(scope="module")
def unbroken_average(tmp_path_factory):
    return Toy(tmp_path_factory.mktemp("average"), average_weights=0.9).fit()


@pytest.fixture
def killed(monkeypatch, tmp_path):
    """Kills a toy training when a method of a class is called for the nth time."""

    def kill(owner, name, call, reason=Killed, checkpoint_seconds=0.0, scores=None, **options):
        method, calls = getattr(owner, name), []

        def counted(self, *arguments, logs=None):
            calls.append(name)
            if len(calls) == call:
                if isinstance(reason, int):
                    os.kill(os.getpid(), reason)
                else:
                    raise reason
            return method(self, *arguments, **({} if logs is None else {"logs": logs}))

        toy = Toy(tmp_path, **options)
        toy.scores = scores or toy.scores
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, counted)
            if reason == signal.SIGINT:
                return toy.fit(checkpoint_seconds)
            with pytest.raises(Terminated if reason == signal.SIGTERM else reason):
                toy.fit(checkpoint_seconds)
        return toy

    return kill


# In the middle of an epoch, as the first of one, and as the last of all.
@pytest.mark.parametrize("step", [2, 4, 5, 8])
def test_killed_in_any_step_it_ends_as_if_unbroken(unbroken, killed, step):
    toy = killed(ProgressCallback, "on_train_batch_begin", step)
    assert_same_end(toy.fit(), unbroken)


@pytest.mark.parametrize("step", [2, 4, 5, 8])
def test_killed_in_any_step_the_averages_are_as_if_unbroken(unbroken_average, killed, step):
    toy = killed(ProgressCallback, "on_train_batch_begin", step, average_weights=0.9)
    assert_same_end(toy.fit(), unbroken_average)


@pytest.mark.parametrize("method", ["put_in", "put_back"])
@pytest.mark.parametrize("reason", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_around_a_validation_leaves_no_averages_in_the_checkpoint(
    unbroken_average, killed, method, reason
):
    # In the second epoch.
    toy = killed(AveragedWeights, method, 2, reason, checkpoint_seconds=60, average_weights=0.9)
    assert_same_end(toy.fit(), unbroken_average)


def test_averages_are_other_weights(unbroken, unbroken_average):
    ours, theirs = (toy.model.weights[0].numpy() for toy in (unbroken, unbroken_average))
    assert np.abs(ours - theirs).max() > 0


@pytest.mark.parametrize("epoch", [1, 3])
def test_killed_in_a_validation_it_ends_as_if_unbroken(unbroken, killed, epoch):
    toy = killed(Validation, "on_epoch_end", epoch)
    # What the epoch's last step had left: nothing but the validation is done again.
    assert_same_end(toy.fit(), unbroken)
    assert toy.validated == 3


@pytest.mark.parametrize("number", [2, 5])
def test_killed_while_it_writes_a_checkpoint_it_ends_as_if_unbroken(unbroken, killed, number):
    # After the data, before TensorFlow's list of checkpoints knows of them.
    toy = killed(tf.train.CheckpointManager, "_record_state", 2 * number - 1)
    assert_same_end(toy.fit(), unbroken)


def test_killed_between_two_checkpoints_it_goes_on_from_the_first(unbroken, killed):
    # There is none but those at the ends of epochs.
    toy = killed(ProgressCallback, "on_train_batch_begin", 5, checkpoint_seconds=60)
    assert_same_end(toy.fit(), unbroken)


def test_killed_again_and_again_it_ends_as_if_unbroken(unbroken, killed):
    for _ in range(3):
        toy = killed(ProgressCallback, "on_train_batch_begin", 3)
    assert_same_end(toy.fit(), unbroken)


def test_how_often_checkpoints_are_written_does_not_matter(unbroken, tmp_path):
    assert_same_end(Toy(tmp_path).fit(checkpoint_seconds=60), unbroken)


def test_a_training_that_is_over_has_nothing_more_to_do(unbroken):
    again = Toy(unbroken.folder).fit()
    assert again.validated == again.traced == 0
    for one, other in zip(again.model.weights, unbroken.model.weights, strict=True):
        assert_array_equal(one.numpy(), other.numpy())


def test_patience_outlives_a_kill(killed):
    # The second epoch is not better than the first.
    options = {"patience": 1, "scores": {3: 0.5, 5: 0.5}}
    toy = killed(ProgressCallback, "_write_history", 3, **options)
    toy.fit()
    assert [row[0] for row in toy.history()[1:]] == ["0", "1"]
    assert toy.validated == 2


def test_the_step_is_traced_once_for_all_epochs(unbroken):
    # Keras' own second trace, for batches of another number of rows, is the one more.
    assert unbroken.traced <= 2


def test_sigterm_waits_for_the_step_and_writes_a_checkpoint(unbroken, killed):
    toy = killed(ProgressCallback, "on_train_batch_end", 2, signal.SIGTERM, checkpoint_seconds=60)
    assert (toy.folder / "checkpoints" / "checkpoint").is_file()
    assert_same_end(toy.fit(), unbroken)


def test_sigterm_does_not_wait_for_a_validation(unbroken, killed):
    toy = killed(Validation, "on_epoch_end", 2, signal.SIGTERM, checkpoint_seconds=60)
    assert toy.validated == 1
    assert_same_end(toy.fit(), unbroken)


def test_ctrl_c_keeps_the_best_weights_and_the_way_on(unbroken, killed):
    toy = killed(ProgressCallback, "on_train_batch_end", 7, signal.SIGINT, checkpoint_seconds=60)
    assert toy.ending[:2] == ("interrupted", True)
    assert toy.history() == unbroken.history()[:3]
    # The second epoch is the best, with and without the third.
    for one, other in zip(toy.model.weights, unbroken.model.weights, strict=True):
        assert_array_equal(one.numpy(), other.numpy())
    assert_same_end(toy.fit(), unbroken)


def test_weights_that_are_no_numbers_are_never_written(killed, unbroken, monkeypatch):
    toy = killed(ProgressCallback, "on_train_batch_begin", 5)
    checkpoints = sorted(path.name for path in (toy.folder / "checkpoints").iterdir())
    save = Checkpoints.save

    def spoil(self):
        self._model.weights[0].assign(np.full((2, 4), np.inf))
        save(self)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", spoil)
        toy.fit()
    assert "diverged: it gives inf as weights after step 5" in toy.ending.stopped
    assert sorted(path.name for path in (toy.folder / "checkpoints").iterdir()) == checkpoints
    assert_same_end(toy.fit(), unbroken)


def test_a_full_disk_is_one_line_and_the_checkpoint_before_survives(killed, unbroken):
    toy = killed(ProgressCallback, "on_train_batch_begin", 5)
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, former[1]))
    try:
        with pytest.raises(
            UserError, match=r"cannot write .*checkpoints: File too large\. Check the folder"
        ):
            toy.fit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert_same_end(toy.fit(), unbroken)


def test_ctrl_c_after_a_divergence_that_no_loss_has_shown_keeps_the_best(killed, monkeypatch):
    def check(model, step):
        if step == 7:
            raise Diverged(float("nan"), f"as weights after step {step}")

    monkeypatch.setattr("apps.training.checkpoints.check_weights", check)
    toy = killed(ProgressCallback, "on_train_batch_end", 7, signal.SIGINT, checkpoint_seconds=60)
    assert "diverged: it gives nan as weights after step 7" in toy.ending.stopped
    assert not toy.ending.resumable
    assert len(toy.history()) == 3
