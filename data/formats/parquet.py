"""Rows of Parquet files, streamed, with a limit on what a small file may unpack to."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UserError
from data.files.archives import FREE_EXPANSION, MOST_EXPANSION
from data.formats.delimited import refuse_repeated
from data.formats.record import Record

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

_ROWS = 4096
# Fewer rows are read at once if they are long.
_BYTES = 64 * 2**20
# The memory that a cell takes in addition to its text, at least.
_CELL = 16


def read_parquet(path: str) -> Iterator[Record]:
    """Yields the rows of a Parquet file.

    A cell that Python cannot hold, such as a date beyond the year 9999, is empty, and its row has a
    problem. Bytes of a text that are not UTF-8 come as lone surrogates.

    Args:
        path: the file.

    Raises:
        UserError: it cannot be read, two columns have the same name, or it unpacks to too much.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            refuse_repeated(file.schema_arrow.names, path)
            budget = _Budget(path)
            budget.spend(_declared_bytes(file.metadata))
            texts = [
                column.path
                for column in (file.schema.column(i) for i in range(len(file.schema)))
                if column.physical_type == "BYTE_ARRAY" and column.logical_type.type != "DECIMAL"
            ]
            rows = _rows_at_once(file.metadata)
        # As a dictionary, each text that repeats is in memory once, and the size of all rows is
        # known before each row gets its own copy.
        with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
            number, budget = 0, _Budget(path)
            for batch in _batches(file, rows):
                budget.spend(sum(map(_repeated_bytes, batch.columns)))
                columns, problems = _read_cells(batch)
                for place, cells in enumerate(zip(*columns.values(), strict=True)):
                    number += 1
                    values = dict(zip(columns, cells, strict=True))
                    yield Record(number, values, problems.get(place, ""))
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(path, error) from None


def _batches(file: "pyarrow.parquet.ParquetFile", rows: int) -> Iterator["pyarrow.RecordBatch"]:
    """Yields the rows of each row group; Arrow cannot join the nested texts of several."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=rows, row_groups=[group])


def read_parquet_schema(path: str) -> "pyarrow.Schema":
    """Returns the names and types of the columns of a Parquet file, without metadata.

    Args:
        path: the file.

    Raises:
        UserError: it cannot be read.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_schema(path).remove_metadata()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: Exception) -> UserError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return UserError(f"cannot read {path} as Parquet: {reason}. Check the file")


class _Budget:
    """The number of bytes that a file may still unpack to."""

    def __init__(self, path: str):
        self.path = path
        self.most = max(FREE_EXPANSION, MOST_EXPANSION * Path(path).stat().st_size)
        self.left = self.most

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise UserError(
                f"{self.path} unpacks to more than {self.most // 2**20:,} MiB, over "
                f"{MOST_EXPANSION} times its size. Write it again with fewer rows a file"
            )


def _declared_bytes(metadata: "pyarrow.parquet.FileMetaData") -> int:
    """Returns the size that a file declares for its texts and cells, before anything is unpacked.

    The number of values of a column is not read: Arrow ends the process if its statistics are
    damaged.
    """
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    return sum(
        max(group.total_byte_size, 0) + _CELL * max(group.num_rows, 0) * group.num_columns
        for group in groups
    )


def _rows_at_once(metadata: "pyarrow.parquet.FileMetaData") -> int:
    longest = max(
        (
            group.total_byte_size // max(group.num_rows, 1)
            for group in map(metadata.row_group, range(metadata.num_row_groups))
        ),
        default=0,
    )
    return max(1, min(_ROWS, _BYTES // max(longest, 1)))


def _repeated_bytes(array: "pyarrow.Array") -> int:
    """Returns the size of all texts of a column once each row has its own copy."""
    import pyarrow
    import pyarrow.compute as compute

    kind = array.type
    if pyarrow.types.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return 0
        sizes = compute.binary_length(array.dictionary)
        return compute.sum(sizes.take(array.indices)).as_py() or 0
    if pyarrow.types.is_map(kind):
        parts = [array.keys, array.items]
    elif pyarrow.types.is_struct(kind):
        parts = array.flatten()
    else:
        parts = [array.flatten()] if pyarrow.types.is_nested(kind) else []
    return sum(map(_repeated_bytes, parts))


def _is_text(kind: "pyarrow.DataType") -> bool:
    import pyarrow

    tests = ("is_string", "is_large_string", "is_binary", "is_large_binary")
    return any(getattr(pyarrow.types, test)(kind) for test in tests)


def _read_cells(batch: "pyarrow.RecordBatch") -> tuple[dict[str, list], dict[int, str]]:
    """Returns the cells by column, and what is wrong with a row by its place."""
    columns: dict[str, list] = {}
    problems: dict[int, str] = {}
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        try:
            columns[name] = _to_python(array)
        except (ValueError, OverflowError):
            columns[name] = [None] * len(array)
            for place, scalar in enumerate(array):
                try:
                    columns[name][place] = scalar.as_py()
                except (ValueError, OverflowError) as error:
                    reason = "not UTF-8" if isinstance(error, UnicodeError) else error
                    problems.setdefault(place, f"the cell of {name!r}: {reason}")
    return columns, problems


def _to_python(array: "pyarrow.Array") -> list:
    import pyarrow

    kind = array.type
    if pyarrow.types.is_dictionary(kind):
        values = _to_python(array.dictionary)
        return [None if i is None else values[i] for i in array.indices.to_pylist()]
    try:
        return array.to_pylist()
    except UnicodeDecodeError:
        if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
            raise
        large = pyarrow.types.is_large_string(kind)
        texts = array.view(pyarrow.large_binary() if large else pyarrow.binary()).to_pylist()
        return [text and text.decode("utf-8", "surrogateescape") for text in texts]
