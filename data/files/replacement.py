"""A file or folder takes the place of another one: at once, and safe from a power cut."""

import ctypes
import functools
import os
import sys
from contextlib import suppress
from pathlib import Path

# Of <fcntl.h> and <linux/fs.h>.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def take_place(new: Path, path: Path, aside: Path) -> None:
    """Renames `new` to `path`; a folder that was there is called `new` afterwards.

    Where the system can exchange two names, `path` always exists. Otherwise what was there is
    called `aside` for a moment, and a crash may leave it so.

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
    sys.audit("os.rename", str(first), str(second), -1, -1)  # as every other way to rename
    renameat2 = _renameat2()
    return renameat2 is not None and not renameat2(
        _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE
    )


@functools.cache
def _renameat2():
    """The function of the C library of Linux, or None: Python has no name for it."""
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
        OSError: they cannot be written after all.
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
