import datetime
import decimal

import pyarrow
import pyarrow.parquet
import pytest

from data.errors import UserError
from data.formats import parquet
from data.formats.readers import read_records
from data.formats.record import Record


def write(path, columns, **options):
    pyarrow.parquet.write_table(pyarrow.table(columns), path, **options)
    return str(path)


def values(path):
    return [row.values for row in read_records(path)]


@pytest.mark.parametrize("rows", [1, 3, 4096, 4097])
def test_rows_have_the_cells_that_stand_beside_each_other(tmp_path, rows):
    columns = {"text": [f"row {i % 7}" for i in range(rows)], "n": list(range(rows))}
    path = write(tmp_path / "a.parquet", columns)
    assert list(read_records(path)) == [
        Record(i + 1, {"text": f"row {i % 7}", "n": i}) for i in range(rows)
    ]


def test_cells_of_every_kind_are_what_python_calls_them(tmp_path):
    row = {
        "text": "ham",
        "large": "eggs",
        "bytes": b"\xff",
        "tags": ["a", None, "b"],
        "span": {"start": 0, "kind": "PER"},
        "day": datetime.date(2024, 2, 29),
        "time": datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC),
        "price": decimal.Decimal("1.50"),
        "kind": "x",
        "none": None,
        "yes": True,
    }
    types = {
        "large": pyarrow.large_string(),
        "time": pyarrow.timestamp("us", "UTC"),
        "kind": pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
        "none": pyarrow.null(),
    }
    columns = {name: pyarrow.array([cell], types.get(name)) for name, cell in row.items()}
    assert values(write(tmp_path / "a.parquet", columns)) == [row]


def test_bytes_of_a_text_that_are_not_utf8_are_not_lost(tmp_path):
    texts = pyarrow.array([b"tea", b"caf\xe9", None]).view(pyarrow.string())
    path = write(tmp_path / "a.parquet", {"text": texts})
    assert [row["text"] for row in values(path)] == ["tea", "caf\udce9", None]


def test_bytes_that_are_not_utf8_within_a_list_are_a_problem_of_their_row(tmp_path):
    texts = pyarrow.array([b"tea", b"caf\xe9"]).view(pyarrow.string())
    lists = pyarrow.ListArray.from_arrays(pyarrow.array([0, 1, 2], pyarrow.int32()), texts)
    first, second = read_records(write(tmp_path / "a.parquet", {"tokens": lists}))
    assert first == Record(1, {"tokens": ["tea"]})
    assert second == Record(2, {"tokens": None}, "the cell of 'tokens': not UTF-8")


def test_a_date_that_python_lacks_is_a_problem_of_its_row(tmp_path):
    days = pyarrow.array([0, 2**31 - 1, None], pyarrow.int32()).view(pyarrow.date32())
    rows = list(read_records(write(tmp_path / "a.parquet", {"text": ["a", "b", "c"], "day": days})))
    assert [row.values["text"] for row in rows] == ["a", "b", "c"]
    assert [row.values["day"] for row in rows] == [datetime.date(1970, 1, 1), None, None]
    assert [row.problem != "" for row in rows] == [False, True, False]
    assert rows[1].problem.startswith("the cell of 'day': ")


def test_two_columns_of_one_name_are_refused(tmp_path):
    table = pyarrow.table([pyarrow.array(["a"]), pyarrow.array(["b"])], names=["text", "text"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(UserError, match="two columns are called 'text'"):
        values(str(tmp_path / "a.parquet"))


@pytest.fixture
def pool():
    """Counts what Arrow allocates."""
    former, pool = (
        pyarrow.default_memory_pool(),
        pyarrow.proxy_memory_pool(pyarrow.default_memory_pool()),
    )
    pyarrow.set_memory_pool(pool)
    yield pool
    pyarrow.set_memory_pool(former)


LONG = "a" * 2**20


def repeated(rows):
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows, pyarrow.int32()), [LONG])


@pytest.mark.parametrize(
    "column",
    [
        repeated(4096),
        pyarrow.ListArray.from_arrays(pyarrow.array([0, 4096], pyarrow.int32()), repeated(4096)),
        pyarrow.StructArray.from_arrays([repeated(4096)], ["inner"]),
    ],
    ids=["texts", "lists", "objects"],
)
def test_a_text_that_repeats_without_end_is_refused_before_it_fills_the_memory(
    tmp_path, pool, column
):
    path = write(tmp_path / "bomb.parquet", {"text": column}, store_schema=False)
    before = pool.max_memory()
    with pytest.raises(UserError, match="unpacks to more than 64 MiB, over 200 times its size"):
        values(path)
    assert pool.max_memory() - before < 32 * 2**20


def test_a_file_that_declares_more_than_it_may_is_refused_before_it_is_unpacked(
    tmp_path, pool, monkeypatch
):
    monkeypatch.setattr(parquet, "FREE_EXPANSION", 2**20)
    path = write(
        tmp_path / "zeros.parquet",
        {"text": ["a" * 2**22, "b" * 2**22]},
        compression="zstd",
        use_dictionary=False,
    )
    before = pool.max_memory()
    with pytest.raises(UserError, match="unpacks to more than 1 MiB"):
        values(path)
    assert pool.max_memory() - before < 2**20


def test_a_column_of_nothing_is_refused_if_it_never_ends(tmp_path):
    nothing = pyarrow.nulls(5_000_000, pyarrow.int32())
    with pytest.raises(UserError, match="unpacks to more than 64 MiB"):
        values(write(tmp_path / "a.parquet", {"n": nothing}))


def test_texts_that_repeat_in_an_honest_file_are_in_memory_once(tmp_path):
    path = write(tmp_path / "a.parquet", {"text": repeated(32)}, store_schema=False)
    texts = [row["text"] for row in values(path)]
    assert texts == [LONG] * 32
    assert len({id(text) for text in texts}) == 1


def test_fewer_rows_are_read_at_once_where_they_are_long(tmp_path, monkeypatch):
    path = write(tmp_path / "a.parquet", {"text": [str(i) * 1000 for i in range(100)]})
    with pyarrow.parquet.ParquetFile(path) as file:
        assert parquet._rows_at_once(file.metadata) == 4096
        monkeypatch.setattr(parquet, "_BYTES", 20_000)
        assert 5 <= parquet._rows_at_once(file.metadata) <= 20
    assert [row["text"][:2] for row in values(path)][10:] == [str(i) for i in range(10, 100)]


@pytest.mark.parametrize("limit", [2**20, 100], ids=["dictionaries", "plain pages"])
def test_texts_within_lists_and_objects_are_read_across_row_groups(tmp_path, limit):
    texts = [f"text {i}" for i in range(50)]
    rows = {
        "text": texts,
        "tokens": [text.split() for text in texts],
        "meta": [{"a": [text]} for text in texts],
    }
    path = write(tmp_path / "a.parquet", rows, row_group_size=7, dictionary_pagesize_limit=limit)
    assert values(path) == [
        dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)
    ]


@pytest.mark.parametrize(
    "kind",
    [pyarrow.string_view(), pyarrow.binary(), pyarrow.json_(), pyarrow.decimal128(30, 2)],
    ids=str,
)
def test_unusual_types_of_cells_are_read(tmp_path, kind):
    cell = {"binary": b"1"}.get(str(kind), decimal.Decimal("1.00") if "dec" in str(kind) else "1")
    path = write(tmp_path / "a.parquet", {"text": pyarrow.array([cell, None], kind)})
    assert [row["text"] for row in values(path)] == [cell, None]
