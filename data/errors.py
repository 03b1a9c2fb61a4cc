"""The exception for mistakes that the user can fix."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")


class UserError(Exception):
    """A mistake in what the user passed: a path, a column, a row, an option.

    Its message is one line that says what was wrong, what was received and what to do.
    The command line prints it without a traceback and exits with status 2.
    """


def list_values(values: Iterable[object], most: int = 5) -> str:
    """Lists values in one line, as many as a user needs to act: `1, 2, 3, 4, 5 and 7 more`."""
    texts = [str(value) for value in values]
    rest = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {rest} more" if rest > 0 else "")


def did_you_mean(name: object, names: Iterable[object]) -> str:
    """Returns `. Did you mean lstm?`, the end of a message with the nearest of all names, or the
    empty text.

    Args:
        name: what was received.
        names: what is known; case makes no difference.
    """
    known = {str(each).lower(): str(each) for each in names}
    near = difflib.get_close_matches(str(name).lower(), known, n=1)
    return f". Did you mean {known[near[0]]}?" if near else ""


def choose(kind: str, name: str, table: Mapping[str, T]) -> T:
    """Returns `table[name]`, or raises an error that lists the valid names.

    Args:
        kind: what the names are of, for the message.
        name: the name to look up.
        table: values by name.

    Raises:
        ValueError: `name` is not in `table`.
    """
    try:
        return table[name]
    except (KeyError, TypeError):
        raise ValueError(
            f"Unknown {kind} {name!r}. Choose one of: {', '.join(table)}"
            f"{did_you_mean(name, table) or '.'}"
        ) from None


def refuse_rows(path: str, numbers: Collection[int], what: str) -> None:
    """Refuses a file with bad rows; the message has the numbers of the first ones.

    Args:
        path: the file.
        numbers: the numbers of the bad rows.
        what: what is wrong with them, such as "without a label".

    Raises:
        UserError: there are bad rows.
    """
    if len(numbers):
        raise UserError(
            f"{path}: {len(numbers)} row(s) {what}: row {list_values(numbers)}. Fix or drop them"
        )
