import errno
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from apps.training.checkpoints import Checkpoints
from apps.training.divergence import Diverged
from apps.training.progress import Progress
from data.errors import UserError


class Training:
    """A model, its progress and its checkpoints in a folder."""

    def __init__(self, folder, units=1):
        self.folder = folder
        layers = [keras.Input((2,)), keras.layers.Dense(units), keras.layers.Dropout(0.5)]
        self.model = keras.Sequential(layers)
        self.model.compile("adam", "mse")
        self.progress = Progress(self.model, "val_score", patience=3)
        self.checkpoints = Checkpoints(folder, self.model, self.progress)

    def save(self, value):
        """A checkpoint in which everything is `value`."""
        kernel = self.model.weights[0]
        kernel.assign(np.full(kernel.shape, value))
        self.model.layers[-1].seed_generator.state.assign([value, value])
        self.model.optimizer.iterations.assign(value)
        self.progress.step = value
        self.checkpoints.save()

    def values(self):
        return [
            self.model.weights[0].numpy().flat[0].item(),
            self.model.layers[-1].seed_generator.state.numpy()[1].item(),
            int(self.model.optimizer.iterations),
            self.progress.step,
        ]


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_what_was_saved_last_is_restored(tmp_path):
    former = Training(tmp_path)
    former.save(1)
    former.save(2)
    training = Training(tmp_path)
    assert training.checkpoints.restore()
    assert training.values() == [2, 2, 2, 2]


@pytest.mark.parametrize(("batch", "expected"), [(0, 0.0), (3, 7.0)])
def test_running_means_are_restored_in_the_middle_of_an_epoch_alone(tmp_path, batch, expected):
    former = Training(tmp_path)
    former.progress.batch = batch
    for variable in former.checkpoints._metrics:
        variable.assign(7.0)
    former.save(1)
    training = Training(tmp_path)
    assert training.checkpoints.restore()
    # `fit` sets them to zero when it enters an epoch.
    for metric in training.model.metrics:
        metric.reset_state()
    training.checkpoints.restore_running_means()
    found = {float(variable) for variable in training.checkpoints._metrics}
    assert found == {expected}


def test_an_empty_folder_has_nothing_to_restore(tmp_path):
    assert not Training(tmp_path / "new").checkpoints.restore()


def test_two_checkpoints_are_kept(tmp_path):
    training = Training(tmp_path)
    for value in range(4):
        training.save(value)
    assert {name.split(".")[0] for name in names(tmp_path)} == {"checkpoint", "ckpt-3", "ckpt-4"}


def damage(path):
    path.write_bytes(b"x" * path.stat().st_size)


def test_of_a_damaged_checkpoint_the_one_before_is_taken(tmp_path):
    training = Training(tmp_path)
    training.save(1)
    training.save(2)
    damage(tmp_path / "ckpt-2.data-00000-of-00001")
    training = Training(tmp_path)
    assert training.checkpoints.restore()
    assert training.values() == [1, 1, 1, 1]
    training.save(3)
    assert Training(tmp_path).checkpoints.restore()


def test_damaged_checkpoints_are_one_line(tmp_path):
    Training(tmp_path).save(1)
    damage(tmp_path / "ckpt-1.index")
    with pytest.raises(UserError, match=r"are damaged or of another version.*--restart"):
        Training(tmp_path).checkpoints.restore()


def test_checkpoints_of_another_model_are_not_restored(tmp_path):
    Training(tmp_path).save(1)
    with pytest.raises(UserError, match="--restart"):
        Training(tmp_path, units=2).checkpoints.restore()


def test_what_a_killed_write_left_is_removed(tmp_path):
    Training(tmp_path).save(1)
    (tmp_path / "ckpt-2_temp").mkdir()
    (tmp_path / "ckpt-2.index").touch()
    before = names(tmp_path)
    Training(tmp_path)
    assert names(tmp_path) == before - {"ckpt-2_temp", "ckpt-2.index"}


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        tf.errors.ResourceExhaustedError(None, None, "No space left on device"),
    ],
)
def test_a_full_disk_is_one_line(tmp_path, monkeypatch, error):
    training = Training(tmp_path)
    training.save(1)

    def fail(manager):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(tf.train.CheckpointManager, "_record_state", fail)
        with pytest.raises(UserError, match=r"No space left on device\. Check the folder"):
            training.save(2)
    training = Training(tmp_path)
    assert training.checkpoints.restore()
    assert training.values() == [1, 1, 1, 1]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*Not a directory"):
        Training(tmp_path / "file" / "checkpoints")


def test_a_weight_that_is_no_number_is_not_written(tmp_path):
    training = Training(tmp_path)
    training.save(1)
    training.model.weights[0].assign([[np.nan], [1.0]])
    with pytest.raises(Diverged, match="gives nan as weights after step 1"):
        training.checkpoints.save()
    training = Training(tmp_path)
    training.checkpoints.restore()
    assert_array_equal(training.model.weights[0], np.ones((2, 1)))
