"""The names under which files and folders are written until they are whole.

A partial lies beside what it will become, so that a rename is all that is left to do. Nobody can
guess its name, and the process that writes it holds a lock on it: one without a lock was left by a
process that was killed.
"""

import fcntl
import os
import re
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path

# Former versions wrote the number of the process.
_PARTIAL = re.compile(r"\.(?P<name>.+)\.partial-([0-9a-f]{16}|[0-9]+)", re.DOTALL)


def complete_name(name: str) -> str | None:
    """The name that a partial gets when it is complete; None if the name is not of a partial."""
    match = _PARTIAL.fullmatch(name)
    return match and match["name"]


@contextmanager
def partial_file(path: Path, mode: int = 0o666):
    """Yields the path of a new, empty file beside `path`, and its descriptor; removes the file.

    Args:
        path: what it will become.
        mode: permissions, less the process' umask.
    """
    partial, descriptor = _lock_new(
        path, lambda partial: os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    )
    try:
        yield partial, descriptor
    finally:
        partial.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def partial_folder(path: Path):
    """Yields the path of a new, empty folder beside `path`; removes the folder."""

    def create(partial: Path) -> int:
        partial.mkdir()
        return os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    partial, descriptor = _lock_new(path, create)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(descriptor)


def remove_dead(folder: Path, complete: str) -> None:
    """Removes the partials in a folder whose process has died, as far as that is possible.

    Args:
        folder: where they lie.
        complete: a regular expression of what they would have become.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = complete_name(entry.name)
            if name is not None and re.fullmatch(complete, name):
                with suppress(OSError):
                    _remove_if_dead(entry)


def _remove_if_dead(entry: os.DirEntry) -> None:
    is_folder = entry.is_dir(follow_symlinks=False)
    if not is_folder and not entry.is_file(follow_symlinks=False):
        return
    descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(entry.path) if is_folder else os.unlink(entry.path)
    finally:
        os.close(descriptor)


def _lock_new(path: Path, create) -> tuple[Path, int]:
    """A new partial and its descriptor, which holds the lock."""
    while True:
        partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(8)}")
        descriptor = create(partial)
        # Where a file system has no locks, nobody removes what seems to be dead.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Until it was locked, it seemed to be dead.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(partial), os.fstat(descriptor)):
                return partial, descriptor
        os.close(descriptor)
