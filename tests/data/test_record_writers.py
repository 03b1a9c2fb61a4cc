import io
import json
import os
import sys

import pyarrow.parquet
import pytest

from data.errors import UserError
from data.record_writers import WRITERS, record_writer
from data.records import read_records

ROWS = [{"text": 'ham, "eggs"', "score": 0.5}, {"text": "spam\u2028😂", "score": 1.0}]


def write_rows(path, rows):
    with record_writer(str(path)) as write:
        for row in rows:
            write(row)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", 'text,score\r\n"ham, ""eggs""",0.5\r\nspam\u2028😂,1.0\r\n'),
        ("a.tsv", 'text\tscore\nham, "eggs"\t0.5\nspam\u2028😂\t1.0\n'),
        (
            "a.jsonl",
            '{"text": "ham, \\"eggs\\"", "score": 0.5}\n{"text": "spam\u2028😂", "score": 1.0}\n',
        ),
    ],
)
def test_text_formats_by_hand(tmp_path, name, expected):
    write_rows(tmp_path / name, ROWS)
    assert (tmp_path / name).read_bytes().decode("utf-8") == expected


def test_parquet_keeps_types(tmp_path):
    write_rows(tmp_path / "a.parquet", [{**ROWS[0], "tags": ["x"], "n": 1, "none": None}])
    (row,) = read_records(str(tmp_path / "a.parquet"))
    assert row.values == {**ROWS[0], "tags": ["x"], "n": 1, "none": None}


@pytest.mark.parametrize("rows", [4095, 4096, 4097, 8192])
def test_parquet_of_several_row_groups_has_every_row(tmp_path, rows):
    write_rows(tmp_path / "a.parquet", ({"n": i} for i in range(rows)))
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table["n"].to_pylist() == list(range(rows))


@pytest.mark.parametrize("suffix", WRITERS)
def test_no_rows_make_a_file_without_rows(tmp_path, suffix):
    write_rows(tmp_path / f"a{suffix}", [])
    assert list(read_records(str(tmp_path / f"a{suffix}"))) == []


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"former")
    with pytest.raises(RuntimeError, match="halfway"), record_writer(str(path)) as write:
        write(ROWS[0])
        raise RuntimeError("halfway")
    assert path.read_bytes() == b"former"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", r"a\.xlsx: Unknown file format '\.xlsx'\. Choose one of: \.csv"),
        ("a.txt", r"a\.txt: Unknown file format '\.txt'\. Choose one of: \.csv"),
    ],
)
def test_an_unknown_format_is_a_user_error(tmp_path, name, message):
    with pytest.raises(UserError, match=message), record_writer(str(tmp_path / name)):
        pass
    assert os.listdir(tmp_path) == []


def test_a_place_that_cannot_be_written_is_a_user_error(tmp_path):
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "folder" / "a.csv"
    with pytest.raises(UserError, match=r"cannot write .*a\.csv: Not a directory\."):
        write_rows(path, ROWS)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_bytes_that_were_not_utf8_are_written_as_they_were(tmp_path, suffix):
    write_rows(tmp_path / f"a{suffix}", [{"text": b"caf\xe9".decode("utf-8", "surrogateescape")}])
    assert b"caf\xe9" in (tmp_path / f"a{suffix}").read_bytes()


def test_parquet_replaces_bytes_that_were_not_utf8(tmp_path):
    write_rows(tmp_path / "a.parquet", [{"text": "caf\udce9"}])
    assert next(read_records(str(tmp_path / "a.parquet"))).values == {"text": "caf\ufffd"}


def test_standard_output_takes_json_lines(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    write_rows("-", [*ROWS, {"text": "caf\udce9"}])
    *lines, last = stream.buffer.getvalue().splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert last == b'{"text": "caf\xe9"}'


# JSON lines need not have the same keys in every row, and a row that was not JSON has none.
@pytest.mark.parametrize(
    "suffix",
    [
        ".jsonl",
        *(
            pytest.param(
                suffix,
            )
            for suffix in (".csv", ".tsv", ".parquet")
        ),
    ],
)
def test_a_cell_outside_the_first_rows_columns_is_kept_or_refused(tmp_path, suffix):
    path = str(tmp_path / f"a{suffix}")
    try:
        write_rows(path, [{"a": "1"}, {"a": "2", "b": "3"}])
    except UserError:
        return
    assert [row.values.get("b") for row in read_records(path)][-1] == "3"


@pytest.mark.parametrize(
    "rows",
    [[{"n": 1}, {"n": "x"}], [{"n": None}] * 4096 + [{"n": "x"}], [{"n": 1}] * 4096 + [{"n": 0.5}]],
    ids=["types differ", "null for a whole group", "whole numbers for a whole group"],
)
def test_columns_of_several_types_are_written_or_refused_for_the_user(tmp_path, rows):
    path = str(tmp_path / "a.parquet")
    try:
        write_rows(path, rows)
    except UserError:
        return
    assert str(list(read_records(path))[-1].values["n"]) == str(rows[-1]["n"])
