"""Partial files and folders: they are written under another name and renamed when complete.

A partial lies in the folder of the complete file, so that only a rename is left to do. Nobody can
guess its name, and the process that writes it holds a lock on it: a partial without a lock was
abandoned by a process that was killed.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Names of former versions end with the number of the process.
_PARTIAL = re.compile(r"\.(?P<name>.+)\.partial-([0-9a-f]{16}|[0-9]+)", re.DOTALL)


def complete_name(name: str) -> str | None:
    """Returns the name that a partial gets when it is complete, or None for any other name."""
    match = _PARTIAL.fullmatch(name)
    return match and match["name"]


@contextmanager
def partial_file(path: Path, mode: int = 0o666) -> Iterator[tuple[Path, int]]:
    """Yields the path of a new, empty file next to `path`, and its descriptor; removes the file.

    Args:
        path: the complete file.
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
def partial_folder(path: Path) -> Iterator[Path]:
    """Yields the path of a new, empty folder next to `path`; removes the folder."""

    def create(partial: Path) -> int:
        partial.mkdir()
        return os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    partial, descriptor = _lock_new(path, create)
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(descriptor)


def remove_abandoned(folder: Path, complete: str) -> None:
    """Removes the partials in a folder whose process has died, as far as that is possible.

    Args:
        folder: the folder.
        complete: a regular expression of the names of the complete files.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            name = complete_name(entry.name)
            if name is not None and re.fullmatch(complete, name):
                with suppress(OSError):
                    _remove_if_abandoned(entry)


def _remove_if_abandoned(entry: os.DirEntry) -> None:
    is_folder = entry.is_dir(follow_symlinks=False)
    if not is_folder and not entry.is_file(follow_symlinks=False):
        return
    descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(entry.path) if is_folder else os.unlink(entry.path)
    finally:
        os.close(descriptor)


def _lock_new(path: Path, create: Callable[[Path], int]) -> tuple[Path, int]:
    """Creates a partial, and returns its path and the descriptor that holds the lock."""
    while True:
        partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(8)}")
        descriptor = create(partial)
        # On a file system without locks no partial is ever removed as abandoned.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Before it was locked, another process may have removed it as abandoned.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.lstat(partial), os.fstat(descriptor)):
                return partial, descriptor
        os.close(descriptor)
