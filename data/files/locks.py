"""Locks on files and folders, which the system gives free when the process ends."""

import fcntl
from typing import IO

from data.errors import UserError


def lock_or_refuse(file: int | IO[str], problem: str) -> None:
    """Locks an open file or folder for this process alone.

    Args:
        file: it, or its descriptor.
        problem: what a user is told where another process has locked it.

    Raises:
        UserError: another process has.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(problem) from None
