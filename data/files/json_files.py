"""JSON files that may be damaged or hostile: reading them raises a `UserError` at most."""

import json
from pathlib import Path
from typing import Any

from data.errors import UserError

# Of what the suite writes the tokens of a large vocabulary are the longest, a few megabytes.
LONGEST_JSON = 256 * 2**20


def read_json(
    path: Path, remedy: str, unreadable: str = "Check the file and its permissions"
) -> Any:
    """Returns the value in a JSON file of at most 256 MiB.

    Args:
        path: the file.
        remedy: what to do if the file is not JSON, a sentence without its full stop.
        unreadable: what to do if the file cannot be read; it need not be damaged.

    Raises:
        UserError: the file cannot be read, or is too large, not JSON, or nested too deeply.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(LONGEST_JSON + 1)
    except (OSError, ValueError) as error:
        raise cannot_read(path, error, unreadable) from None
    try:
        return parse_json(content)
    except ValueError as error:
        raise UserError(f"{path} is not JSON: {error}. {remedy}") from None


def parse_json(content: bytes, longest: int = LONGEST_JSON) -> Any:
    """Parses JSON in UTF-8.

    Args:
        content: the bytes.
        longest: the most bytes to parse; their value may take twenty times the memory.

    Raises:
        ValueError: the content is too large, not JSON, or nested too deeply.
    """
    if len(content) > longest:
        raise ValueError(f"it has more than {longest:,} bytes")
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def cannot_read(path: Path, error: Exception, remedy: str) -> UserError:
    """Returns the error for a file that cannot be read, for example without permission.

    Args:
        path: the file.
        error: an OSError, or the ValueError of a path that holds a null character.
        remedy: what to do, a sentence without its full stop.
    """
    return UserError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}. {remedy}")
