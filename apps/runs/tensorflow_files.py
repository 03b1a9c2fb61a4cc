"""Errors of files that TensorFlow writes, reported like those of all other files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from data.errors import UserError
from data.files.writing import explain_write_errors


@contextmanager
def tensorflow_writing(path: Path) -> Iterator[None]:
    """Turns TensorFlow's failures to write, which are no `OSError`s, into a `UserError`.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    try:
        with explain_write_errors(path):
            yield
    except (tf.errors.AbortedError, tf.errors.UnavailableError):
        # Another process of a group is lost, and the disk is well.
        raise
    except tf.errors.OpError as error:
        # A line each, several times: {{node}} path; reason [Op:Name].
        reason = error.message.splitlines()[0].partition(" [Op:")[0].split("; ")[-1]
        raise UserError(
            f"cannot write {path}: {reason}. Check the folder, its permissions and the free space"
        ) from error
