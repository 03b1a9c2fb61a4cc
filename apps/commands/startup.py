"""TensorFlow without the noise that its C++ parts write at start-up."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from data.messages import say

# Keras imports them where they are installed, for parts of it that the suite does not use.
_OPTIONAL = ("IPython", "matplotlib", "pandas", "pyarrow", "sklearn")


def import_tensorflow(announced: bool = False, lean: bool = False) -> None:
    """Imports TensorFlow and starts its runtime; what it writes is shown only if it fails.

    Args:
        announced: whether a message says so, where it takes a while.
        lean: whether Keras shall do without packages that are optional to it, which takes two
            thirds of the time. In this process it then never has what needs them, such as its
            wrappers for scikit-learn: it is for commands, not for the processes of users.
    """
    if announced and "tensorflow" not in sys.modules:
        say("loading TensorFlow ...")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _held_back_stderr(), _hidden(_OPTIONAL if lean else ()):
        import tensorflow as tf

        tf.config.list_logical_devices()
        # It is loaded when it is used, which is when the packages are no longer hidden.
        import keras  # noqa: F401
    tf.get_logger().setLevel("ERROR")
    import absl.logging

    absl.logging.set_verbosity(absl.logging.ERROR)


@contextmanager
def _hidden(packages: tuple[str, ...]) -> Iterator[None]:
    """Lets imports of packages fail as if they were not installed, but for those that are there."""
    hidden = [name for name in packages if name not in sys.modules]
    # An import of what is None raises ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


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
