"""The one exception that means: the user can mend this."""


class UserError(Exception):
    """A mistake in what the user passed: a path, a column, a row, an option.

    Its message is one line that says what was wrong, what was received and what to do.
    The command line prints it without a traceback and exits with status 2.
    """


def listed(values, most: int = 5) -> str:
    """`1, 2, 3, 4, 5 and 7 more`: enough of `values` to act on, in one line."""
    values = [str(value) for value in values]
    rest = len(values) - most
    return ", ".join(values[:most]) + (f" and {rest} more" if rest > 0 else "")


def choose(kind: str, name: str, table) -> object:
    """`table[name]`, or an error that lists the valid names.

    Raises:
        ValueError: `name` is not in `table`.
    """
    try:
        return table[name]
    except (KeyError, TypeError):
        raise ValueError(f"Unknown {kind} {name!r}. Choose one of: {', '.join(table)}.") from None


def refuse_rows(path: str, numbers, what: str) -> None:
    """Raises if there are such rows, naming the first of them.

    Args:
        path: the file they stand in.
        numbers: their row numbers.
        what: what is wrong with them, such as "without a label".

    Raises:
        UserError: there are some.
    """
    if len(numbers):
        raise UserError(
            f"{path}: {len(numbers)} row(s) {what}: row {listed(numbers)}. Mend or drop them"
        )
