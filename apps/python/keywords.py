"""Options as keyword arguments."""

import os
from collections.abc import Iterable
from typing import Any

from data.errors import UserError, did_you_mean


def from_keywords(*given: dict[str, Any]) -> dict[str, Any]:
    """Returns options by name as the command line has them: paths are texts, lists are tuples."""
    options = {name: value for each in given for name, value in each.items()}
    return {name: _plain(value) for name, value in options.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


def check_names(given: Iterable[str], known: Iterable[str]) -> None:
    """Refuses unknown options.

    Raises:
        UserError: there is one; the message has the nearest known name.
    """
    known = list(known)
    for name in given:
        if name not in known:
            raise UserError(
                f"unknown option {name!r}. Known: {', '.join(known)}{did_you_mean(name, known)}"
            )
