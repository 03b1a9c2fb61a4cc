import pytest
import tensorflow as tf

from apps.training.tensorboard import TensorBoardLogs
from data.errors import UserError


def scalars(folder):
    """`{(name, step): value}` of the event files in a folder."""
    found = {}
    for path in folder.glob("events.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found[value.tag, event.step] = number
    return found


def test_figures_stand_under_the_names_that_keras_gives_them(tmp_path):
    logs = TensorBoardLogs(tmp_path)
    logs.on_train_begin()
    logs.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.25})
    logs.on_epoch_end(1, {"loss": 0.125, "val_loss": 2.0})
    logs.on_train_end()
    assert scalars(tmp_path / "train") == {("epoch_loss", 0): 0.5, ("epoch_loss", 1): 0.125}
    assert scalars(tmp_path / "validation") == {("epoch_loss", 0): 0.25, ("epoch_loss", 1): 2.0}


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write .*logs: .*Check the folder") as error:
        TensorBoardLogs(tmp_path / "file" / "logs").on_train_begin()
    assert "\n" not in str(error.value)
