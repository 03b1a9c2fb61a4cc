"""TensorFlow without the noise that its C++ parts write at start-up."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from data.messages import say


def import_tensorflow(announced: bool = False) -> None:
    """Imports TensorFlow and starts its runtime; what it writes is shown only if it fails.

    Args:
        announced: whether a message says so, where it takes a while.
    """
    if announced and "tensorflow" not in sys.modules:
        say("loading TensorFlow ...")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _held_back_stderr():
        import tensorflow as tf

        tf.config.list_logical_devices()
    tf.get_logger().setLevel("ERROR")
    import absl.logging

    absl.logging.set_verbosity(absl.logging.ERROR)


@contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Catches the file descriptor, not `sys.stderr`: the noise comes before C++ logging, and the
    environment variable that sets its level, are at work."""
    sys.stderr.flush()
    terminal = os.dup(2)
    # In memory: there may be no folder for temporary files.
    with open(os.memfd_create("stderr"), "r+b") as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
