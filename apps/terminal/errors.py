"""Whatever a user can cause, in one line with what to do; all else is a fault of the program."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from data.errors import UserError


def describe_error(error: Exception) -> str:
    """Returns what the system or a reader reports of a user's files and options; the empty text for
    a fault of the program."""
    if isinstance(error, UserError):
        return str(error)
    for kinds, describe in _OUTSIDE:
        if isinstance(error, kinds):
            return describe(error)
    # An error of TensorFlow means that it has been imported; this module must not import it.
    if errors := getattr(sys.modules.get("tensorflow"), "errors", None):
        for name, advice in _OF_TENSORFLOW.items():
            if isinstance(error, getattr(errors, name)):
                return f"{_first_line(error)}. {advice}"
    return ""


@contextmanager
def as_user_errors() -> Iterator[None]:
    """Turns every error that a user can cause into a `UserError`, for those who call from Python.

    Raises:
        UserError: there is one.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if line := describe_error(error):
            raise UserError(" ".join(line.split())) from error
        raise


def _describe_os_error(error: OSError) -> str:
    reason = error.strerror or _first_line(error)
    name = f"{error.filename}: " if error.filename is not None else ""
    return f"{name}{reason}. Check the path, its permissions and the free space"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


_NEEDS_LESS = "Lower --batch-size, --units or --embedding-dim"
_OUTSIDE: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (OSError, _describe_os_error),
    (MemoryError, lambda error: f"there is not enough memory. {_NEEDS_LESS}"),
    (RecursionError, lambda error: "the input is nested too deeply. Flatten it"),
    (UnicodeError, lambda error: f"a text cannot be converted: {error}. Save it as UTF-8"),
)
_OF_TENSORFLOW = {
    "ResourceExhaustedError": f"There is not enough memory or disk. {_NEEDS_LESS}",
    "DataLossError": "A file is damaged. Remove it, or make it again",
    "PermissionDeniedError": "Check the permissions of the folder",
    "NotFoundError": "Check the path",
}
