"""A file as it is, before anything refuses it: its encoding, its delimiter, its columns."""

import codecs
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from apps.pages.parts import Paragraph, Part, Section, Table
from data.errors import UserError, list_values
from data.files.lines import is_utf8
from data.formats.delimited import find_delimiter
from data.formats.readers import READERS, read_records

_PIECE = 2**20
# Different values of a column that are counted; columns of labels have fewer.
_MOST_VALUES = 1000
# Problems that are listed.
_SHOWN = 5
_DELIMITED = (".csv", ".tsv")
_UTF16 = {codecs.BOM_UTF16_LE: "UTF-16 (little endian)", codecs.BOM_UTF16_BE: "UTF-16 (big endian)"}


@dataclass
class Column:
    """What is in a column.

    Attributes:
        filled: rows whose cell is not empty.
        values: how often each value stands, of the first thousand different ones.
        characters: of all cells.
        texts: rows whose cell is text.
        example: the first cell that is not empty.
    """

    filled: int = 0
    values: Counter = field(default_factory=Counter)
    characters: int = 0
    texts: int = 0
    example: str = ""

    def add(self, cell: object) -> None:
        """Counts a cell."""
        shown = "" if cell is None else str(cell)
        if not shown.strip():
            return
        self.filled += 1
        self.texts += isinstance(cell, str)
        self.characters += len(shown)
        self.example = self.example or shown
        if shown in self.values or len(self.values) < _MOST_VALUES:
            self.values[shown] += 1

    @property
    def mean_length(self) -> float:
        """The characters of a cell that is not empty."""
        return self.characters / max(self.filled, 1)

    def describe_values(self) -> str:
        """Returns how many different values there are."""
        return (
            f"{_MOST_VALUES:,} or more"
            if len(self.values) >= _MOST_VALUES
            else str(len(self.values))
        )


@dataclass
class TableFile:
    """What is in a table.

    Attributes:
        rows: all of them.
        columns: by name, in their order.
        problems: rows that cannot be read, and why, the first of them.
        unreadable: how many cannot be read.
        undecoded: how many have bytes that are not UTF-8.
    """

    rows: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unreadable: int = 0
    undecoded: int = 0


def read_table(path: str) -> TableFile:
    """Reads a table row by row, whatever is wrong with some of them.

    Raises:
        UserError: it cannot be opened, or has no header that can be read.
    """
    table = TableFile()
    for record in read_records(path):
        table.rows += 1
        if record.problem:
            table.unreadable += 1
            if len(table.problems) < _SHOWN:
                table.problems.append(f"row {record.number}: {record.problem}")
            continue
        table.undecoded += any(
            isinstance(cell, str) and not is_utf8(cell) for cell in record.values.values()
        )
        for name, cell in record.values.items():
            table.columns.setdefault(name, Column()).add(cell)
    return table


def is_table(path: str) -> bool:
    """Returns whether a file has rows of named columns, by its suffix."""
    return Path(path).suffix.lower() in (".csv", ".tsv", ".jsonl", ".parquet")


def find_encoding(path: str | Path) -> str:
    """Returns the encoding of a file of text, by its bytes.

    Raises:
        UserError: it cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_ascii, valid = True, True
    try:
        with open(path, "rb") as file:
            start = file.read(3)
            if start[:2] in _UTF16:
                return _UTF16[start[:2]]
            marked = start == codecs.BOM_UTF8
            file.seek(0)
            while piece := file.read(_PIECE):
                is_ascii = is_ascii and piece.isascii()
                if valid:
                    decoder.decode(piece)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "not UTF-8 (Windows-1252 or Latin-1?)"
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Check the path") from None
    if is_ascii:
        return "ASCII, which is UTF-8, too"
    return "UTF-8 with a byte order mark" if marked else "UTF-8"


def describe_file(path: str) -> tuple[Section, TableFile | None]:
    """Returns the section on a file, and its table if it is one that can be opened."""
    place = Path(path)
    suffix = place.suffix.lower()
    facts: dict = {"path": str(path), "bytes": place.stat().st_size}
    lines: list[tuple[str, str | int]] = [("size", f"{facts['bytes']:,} bytes")]
    parts: list[Part] = []
    if suffix != ".parquet":
        facts["encoding"] = find_encoding(path)
        lines.append(("encoding", facts["encoding"]))
        if facts["encoding"].startswith(("not", "UTF-16")):
            source = "UTF-16" if facts["encoding"].startswith("UTF-16") else "WINDOWS-1252"
            parts.append(
                Paragraph(
                    f"Only UTF-8 is read. Convert it: iconv -f {source} -t UTF-8 {path} > "
                    f"{place.with_stem(place.stem + '.utf8')}",
                    "warning",
                )
            )
    table = None
    if suffix in READERS and is_table(path):
        try:
            if suffix in _DELIMITED:
                facts["delimiter"] = find_delimiter(str(path))
                lines.append(("cells between", facts["delimiter"]))
            table = read_table(str(path))
        except UserError as mistake:
            parts.append(Paragraph(f"It cannot be read: {mistake}", "warning"))
    if table is not None:
        facts |= {
            "rows": table.rows,
            "unreadable_rows": table.unreadable,
            "columns": {name: column.filled for name, column in table.columns.items()},
        }
        lines.append(("rows", table.rows))
        parts += _describe_table(table)
    return Section("file", "File", [Table(("", ""), lines, place.name), *parts], facts), table


def _describe_table(table: TableFile) -> list[Part]:
    rows = [
        (
            name,
            column.filled,
            table.rows - table.unreadable - column.filled,
            column.describe_values(),
            column.mean_length,
            column.example,
        )
        for name, column in table.columns.items()
    ]
    head = ("column", "filled", "empty", "different values", "mean characters", "the first value")
    parts: list[Part] = [Table(head, rows)]
    if table.unreadable:
        parts.append(
            Paragraph(
                f"{table.unreadable:,} row(s) cannot be read: {list_values(table.problems, 3)}",
                "warning",
            )
        )
    if table.undecoded:
        parts.append(
            Paragraph(f"{table.undecoded:,} row(s) have bytes that are not UTF-8.", "warning")
        )
    return parts
