"""Guesses which columns of a table hold the texts and the labels."""

from collections.abc import Iterable

from apps.inspection.file import Column, TableFile

# Names that such columns have in many corpora, the likelier first.
TEXT_NAMES = (
    *("text", "tweet", "message", "sentence", "review", "comment", "content", "body", "post"),
    *("comment_text", "sms", "document", "utterance", "v2"),
)
LABEL_NAMES = (
    *("label", "class", "category", "target", "sentiment", "labels", "polarity", "rating", "topic"),
    *("type", "v1"),
)
# A class stands in several rows.
_MOST_CLASSES, _ROWS_OF_A_CLASS = 50, 3


def guess_columns(table: TableFile, given: dict[str, str]) -> dict[str, str]:
    """Guesses columns for those options that name none of the table's.

    Args:
        table: the file.
        given: the columns by option, such as `text_column`; others than those of texts and labels
            are passed over.

    Returns:
        Columns by option, without options whose column is there or cannot be guessed.
    """
    guesses = {}
    if "text_column" in given and given["text_column"] not in table.columns:
        text = _find_name(table.columns, TEXT_NAMES) or _longest_texts(table)
        if text:
            guesses["text_column"] = text
    text = guesses.get("text_column", given.get("text_column", ""))
    labels = [name.strip() for name in given.get("label_column", "").split(",")]
    if "label_column" in given and not all(name in table.columns for name in labels):
        others = {name: each for name, each in table.columns.items() if name != text}
        label = _find_name(others, LABEL_NAMES) or _fewest_values(others, table.rows)
        if label:
            guesses["label_column"] = label
    return guesses


def _find_name(columns: Iterable[str], names: tuple[str, ...]) -> str:
    by_name = {column.strip().lower(): column for column in reversed(list(columns))}
    return next((by_name[name] for name in names if name in by_name), "")


def _longest_texts(table: TableFile) -> str:
    texts = {name: each.mean_length for name, each in table.columns.items() if each.texts}
    return max(texts, key=lambda name: texts[name], default="")


def _fewest_values(columns: dict[str, Column], rows: int) -> str:
    """Returns the column whose values look most like classes: several, and each in several rows."""
    classes = {
        name: len(column.values)
        for name, column in columns.items()
        if 2 <= len(column.values) <= min(_MOST_CLASSES, rows / _ROWS_OF_A_CLASS)
        and column.filled == rows
    }
    return min(classes, key=lambda name: classes[name], default="")
