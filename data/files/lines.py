"""The lines of a text file or stream, bounded in memory whatever the file holds.

Only a line feed ends a line, as in `wc -l` and in every corpus of aligned lines; carriage returns
before it belong to it. A carriage return inside of a line, U+2028 and the like are characters of
the line: counted as line ends, they would shift all later lines against those of another file.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from data.errors import UserError

# A longer line is a file without line ends or an unpacked bomb.
LONGEST_LINE = 16 * 2**20
_SURROGATE = re.compile("[\ud800-\udfff]")
# The first bytes of files in UTF-16.
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(path: str | Path, keep_ends: bool = False) -> Iterator[str]:
    """Yields the lines of a UTF-8 file, without their ends.

    A byte order mark is skipped. Bytes that are not UTF-8 come as lone surrogates
    (`surrogateescape`), so nothing is lost; `is_utf8` finds them.

    Args:
        path: the file.
        keep_ends: whether the lines come with their ends.

    Raises:
        UserError: the file cannot be read, is UTF-16, has a line of more than `LONGEST_LINE`
            bytes, or its lines end with carriage returns alone, as on Macs before 2001.
    """
    try:
        with open(path, "rb") as file:
            yield from read_stream_lines(file, str(path), keep_ends)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def read_stream_lines(stream: BinaryIO, name: str, keep_ends: bool = False) -> Iterator[str]:
    """Yields the lines of a stream of bytes, such as an unpacked file, as `read_lines` does.

    Args:
        stream: is read by `readline`, and not closed.
        name: what error messages call it.
        keep_ends: whether the lines come with their ends.

    Raises:
        UserError: as `read_lines`.
    """
    number = 0
    while line := _next_line(stream, name, number + 1):
        number += 1
        if number == 1:
            _check_encoding(line, name)
            line = line.removeprefix(codecs.BOM_UTF8)
        if not keep_ends:
            line = line.removesuffix(b"\n").rstrip(b"\r")
        yield line.decode("utf-8", "surrogateescape")


def _next_line(stream: BinaryIO, name: str, number: int) -> bytes:
    try:
        line = stream.readline(LONGEST_LINE + 1)
    except OSError as error:
        raise _unreadable(name, error) from None
    # The first line without a line feed is the whole file, or as much of it as may be read.
    if number == 1 and not line.endswith(b"\n") and b"\r" in line.rstrip(b"\r"):
        raise UserError(
            f"the lines of {name} end with carriage returns alone, as on old Macs. Save it with "
            "line feeds (Unix or Windows line ends)"
        )
    if len(line) > LONGEST_LINE:
        raise UserError(
            f"{name}: line {number} is longer than {LONGEST_LINE // 2**20} MiB. Check that it is a "
            "text file of this format, or break the line"
        )
    return line


def _check_encoding(line: bytes, name: str) -> None:
    if line.startswith(UTF16):
        raise UserError(f"{name} is UTF-16, UTF-8 is needed. Save it again as UTF-8")


def _unreadable(path: str | Path, error: Exception) -> UserError:
    reason = getattr(error, "strerror", None) or error
    return UserError(f"cannot read {path}: {reason}. Check the path")


def is_utf8(text: str) -> bool:
    """Returns whether a text can be written as UTF-8: one that was read from other bytes cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def replace_surrogates(text: str) -> str:
    """Returns a text of the same length that can be written as UTF-8.

    Each byte that was not UTF-8 becomes one U+FFFD, so that positions in the text stay right.
    """
    return _SURROGATE.sub("\ufffd", text)
