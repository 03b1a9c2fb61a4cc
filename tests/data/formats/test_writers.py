import datetime
import decimal
import io
import json
import os
import re
import sys
import threading

import pyarrow
import pyarrow.parquet
import pytest

from data.errors import UserError
from data.formats.entity_writers import ENTITY_WRITERS
from data.formats.readers import read_records
from data.formats.suffixes import ENTITY_FORMATS, ROW_SUFFIXES
from data.formats.writers import WRITERS, record_writer

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


def parquet(path, columns):
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return str(path)


KINDS = {
    "empty lists": pyarrow.array([[], [], ["a"]], pyarrow.list_(pyarrow.string())),
    "large lists": pyarrow.array([[1], None, []], pyarrow.large_list(pyarrow.int16())),
    "three numbers": pyarrow.array([[1, 2, 3]] * 3, pyarrow.list_(pyarrow.float32(), 3)),
    "objects": pyarrow.array(
        [{"a": None}, None, {"a": ["b"]}], pyarrow.struct([("a", pyarrow.list_(pyarrow.string()))])
    ),
    "maps": pyarrow.array([[("a", 1)], [], None], pyarrow.map_(pyarrow.string(), pyarrow.int8())),
    "dictionaries": pyarrow.array(["x", None, "x"]).dictionary_encode(),
    "small dictionaries": pyarrow.array(
        ["x", "y", "x"], pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
    ),
    "days": pyarrow.array([0, None, 20000], pyarrow.int32()).view(pyarrow.date32()),
    "times": pyarrow.array([0, None, 1], pyarrow.timestamp("us")),
    "fine times": pyarrow.array([1, None, 2**60 + 1], pyarrow.timestamp("ns")),
    "times of a zone": pyarrow.array([0, None, 1], pyarrow.timestamp("ms", "Europe/Berlin")),
    "hours": pyarrow.array([0, None, 1], pyarrow.time64("us")),
    "durations": pyarrow.array([0, None, 2**40 + 1], pyarrow.duration("ns")),
    "decimals": pyarrow.array([decimal.Decimal("1.50"), None, None], pyarrow.decimal128(12, 2)),
    "small numbers": pyarrow.array([1, None, 3], pyarrow.uint8()),
    "large numbers": pyarrow.array([2**64 - 1, None, 3], pyarrow.uint64()),
    "single floats": pyarrow.array([0.1, None, 3], pyarrow.float32()),
    "half floats": pyarrow.array([0.5, None, 3], pyarrow.float16()),
    "bytes": pyarrow.array([b"\xff", None, b""], pyarrow.binary()),
    "four bytes": pyarrow.array([b"abcd", None, b"efgh"], pyarrow.binary(4)),
    "large texts": pyarrow.array(["a", None, ""], pyarrow.large_string()),
    "views": pyarrow.array(["a", None, ""], pyarrow.string_view()),
    "truths": pyarrow.array([True, None, False]),
    "nothing": pyarrow.nulls(3),
    "json": pyarrow.array(["1", None, "{}"], pyarrow.json_()),
    "uuids": pyarrow.array([b"a" * 16, None, b"b" * 16], pyarrow.uuid()),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [1, 4096])
def test_parquet_keeps_the_types_of_the_input(tmp_path, monkeypatch, kind, rows):
    monkeypatch.setattr("data.formats.writers._PARQUET_ROWS", rows)
    path = parquet(tmp_path / "a.parquet", {"text": ["a", "b", "c"], "x": KINDS[kind]})
    with record_writer(str(tmp_path / "b.parquet"), like=path) as write:
        for record in read_records(path):
            assert record.problem == ""
            write({**record.values, "score": 0.5})
    before, after = (pyarrow.parquet.read_table(tmp_path / f"{name}.parquet") for name in "ab")
    assert after.schema.names == ["text", "x", "score"]
    assert after.schema.field("x").type == before.schema.field("x").type
    assert after["x"].to_pylist() == before["x"].to_pylist()
    assert after["score"].to_pylist() == [0.5] * 3


@pytest.mark.parametrize(
    "rows",
    [
        [{"x": []}, {"x": ["a"]}],
        [{"x": [[]]}, {"x": [["a"]]}],
        [{"x": {"y": None}}, {"x": {"y": "a"}}],
        [{"x": [{"y": []}]}, {"x": [{"y": ["a"]}]}],
    ],
)
def test_what_holds_nothing_at_first_may_hold_text_later(tmp_path, monkeypatch, rows):
    monkeypatch.setattr("data.formats.writers._PARQUET_ROWS", 1)
    write_rows(tmp_path / "a.parquet", rows)
    assert [row.values for row in read_records(str(tmp_path / "a.parquet"))] == rows


@pytest.mark.parametrize(
    "cell",
    [2**64, -(2**64), 10**400, datetime.timedelta(days=10**9 - 1), {}, [1, "a"], {1: 2}],
    ids=lambda cell: ascii(cell)[:20],
)
def test_what_parquet_cannot_hold_is_refused_in_one_line(tmp_path, cell):
    with pytest.raises(UserError, match=r"Write \.jsonl instead$") as mistake:
        write_rows(tmp_path / "a.parquet", [{"text": "a", "x": cell}])
    assert "\n" not in str(mistake.value)
    assert os.listdir(tmp_path) == []


def test_long_texts_make_row_groups_of_fewer_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("data.formats.writers._PARQUET_CHARACTERS", 100)
    write_rows(tmp_path / "a.parquet", [{"text": "a" * 60}] * 6)
    metadata = pyarrow.parquet.read_metadata(tmp_path / "a.parquet")
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [2, 2, 2]


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


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_bytes_that_were_not_utf8_are_written_as_they_were(tmp_path, suffix):
    write_rows(tmp_path / f"a{suffix}", [{"text": b"caf\xe9".decode("utf-8", "surrogateescape")}])
    assert b"caf\xe9" in (tmp_path / f"a{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_each_byte_that_was_not_utf8_is_replaced_where_the_format_is_utf8(tmp_path, suffix):
    # The first two bytes of a euro sign, which decoders replace by a single character.
    text = b"caf\xe9 \xe2\x82 1".decode("utf-8", "surrogateescape")
    write_rows(tmp_path / f"a{suffix}", [{"text": text, "words": [text]}])
    (row,) = read_records(str(tmp_path / f"a{suffix}"))
    expected = "caf\ufffd \ufffd\ufffd 1"
    assert (row.problem, row.values) == ("", {"text": expected, "words": [expected]})


def test_standard_output_takes_json_lines(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    write_rows("-", [*ROWS, {"text": "caf\udce9"}])
    *lines, last = stream.buffer.getvalue().splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert json.loads(last) == {"text": "caf\ufffd"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_null_in_json_lines(tmp_path, number):
    row = {"text": "a", "score": number, "words": [["a", number]], "meta": {"x": number, "y": 1.5}}
    write_rows(tmp_path / "a.jsonl", [row])
    (line,) = (tmp_path / "a.jsonl").read_text().splitlines()
    assert (
        line
        == '{"text": "a", "score": null, "words": [["a", null]], "meta": {"x": null, "y": 1.5}}'
    )


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_lists_and_objects_are_json_in_a_cell(tmp_path, suffix):
    write_rows(tmp_path / f"a{suffix}", [{"text": "a", "tokens": ["b", None], "meta": {"c": 1.5}}])
    (row,) = read_records(str(tmp_path / f"a{suffix}"))
    assert json.loads(row.values["tokens"]) == ["b", None]
    assert json.loads(row.values["meta"]) == {"c": 1.5}


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("cell", FORMULAS)
def test_cells_that_a_spreadsheet_runs_get_an_apostrophe_on_demand(tmp_path, suffix, cell):
    path = str(tmp_path / f"a{suffix}")
    row = {"text": cell, cell: "a=b", "score": -0.5}
    for csv_safe, sign in ((False, ""), (True, "'")):
        with record_writer(path, csv_safe=csv_safe) as write:
            write(row)
        (read,) = read_records(path)
        lost = re.sub(r"[\t\r\n]", " ", cell) if suffix == ".tsv" else cell
        assert read.values["text"] == (sign + lost if csv_safe else lost)
        assert read.values["score"] == "-0.5"
        # White space around a name is no part of it.
        begins = cell[0] in "=+-@"
        assert list(read.values)[1] == (sign if begins else "") + cell.strip()
        assert "a=b" in read.values.values()


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("names", [("a", " a"), ("", "\t"), ("b", "\ufeffb"), ("c\td", "c d")])
def test_columns_that_would_have_the_same_name_are_refused(tmp_path, suffix, names):
    path = tmp_path / f"a{suffix}"
    if suffix == ".csv" and names[0] == "c\td":
        write_rows(path, [dict.fromkeys(names, "x")])
        return
    with pytest.raises(UserError, match="would have the same name"):
        write_rows(path, [dict.fromkeys(names, "x")])


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_name_that_is_not_utf8_is_escaped(tmp_path, suffix):
    write_rows(tmp_path / f"a{suffix}", [{"caf\udce9": "a", "n": "1"}])
    (row,) = read_records(str(tmp_path / f"a{suffix}"))
    assert next(iter(row.values)) in (r"caf\udce9", "caf\ufffd")


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


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_goes_into_a_pipe(tmp_path, suffix):
    pipe, copy = tmp_path / f"pipe{suffix}", tmp_path / f"copy{suffix}"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: copy.write_bytes(pipe.read_bytes()), daemon=True)
    reader.start()
    write_rows(pipe, [{"text": "a", "n": "x"}, {"text": "b", "n": "y"}])
    reader.join(60)
    assert [row.values for row in read_records(str(copy))] == [
        {"text": "a", "n": "x"},
        {"text": "b", "n": "y"},
    ]


def test_the_names_of_formats_are_those_that_are_written():
    assert (*WRITERS,) == ROW_SUFFIXES
    assert (*ENTITY_WRITERS,) == ENTITY_FORMATS
