"""Replaces a file or folder by another one: at once, and safe from a power cut."""

import ctypes
import functools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# Constants of <fcntl.h> and <linux/fs.h>.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def take_place(new: Path, path: Path, aside: Path) -> None:
    """Renames `new` to `path`; a folder that was there is called `new` afterwards.

    If the system can exchange two names, `path` exists at all times. Otherwise the old folder is
    called `aside` for a moment, and a crash may leave it there.

    Raises:
        OSError: it is not possible; everything is where it was.
    """
    if not path.exists():
        os.rename(new, path)
    elif not exchange(new, path):
        os.rename(path, aside)
        try:
            os.rename(new, path)
        except BaseException:
            if not path.exists():
                os.rename(aside, path)
            raise
        os.rename(aside, new)


def exchange(first: Path, second: Path) -> bool:
    """Exchanges what two paths name, in one step; False where that is not possible."""
    # Every other way to rename raises this event of its own accord.
    sys.audit("os.rename", str(first), str(second), -1, -1)
    renameat2 = _renameat2()
    return renameat2 is not None and not renameat2(
        _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
    )


@functools.cache
def _renameat2() -> Callable[..., int] | None:
    """Returns the function of the C library of Linux, which Python does not offer, or None."""
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None), "renameat2", None)
    if function is not None:
        function.argtypes = (
            *(ctypes.c_int, ctypes.c_char_p),
            *(ctypes.c_int, ctypes.c_char_p),
            ctypes.c_uint,
        )
    return function


def sync_tree(folder: Path) -> None:
    """Waits until the files of a folder, and the names in it, are on the disk.

    Raises:
        OSError: the disk cannot hold them after all.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(os.path.join(parent, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_names(parent)


def sync_names(folder: str | Path) -> None:
    """Waits until the names in a folder are on the disk, where the file system can tell."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
