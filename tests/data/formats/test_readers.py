import io
import json
import re
import sys

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.formats.delimited import column_name
from data.formats.readers import Record, read_records
from data.formats.writers import WRITERS, record_writer


def records(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return list(read_records(str(path)))


def texts(rows):
    return [row.values.get("text") for row in rows]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'text,label\n"ham, ""eggs""\nand tea",a\r\nspam,b\n'),
        ("a.CSV", '\ufefftext,label\n"ham, ""eggs""\nand tea",a\n\nspam,b'),
        (
            "a.jsonl",
            '{"text": "ham, \\"eggs\\"\\nand tea", "label": "a"}\n\n{"text":"spam","label":"b"}',
        ),
    ],
)
def test_rows_are_numbered_from_one_and_blank_lines_do_not_count(tmp_path, name, content):
    assert records(tmp_path, name, content) == [
        Record(1, {"text": 'ham, "eggs"\nand tea', "label": "a"}),
        Record(2, {"text": "spam", "label": "b"}),
    ]


def test_quotation_marks_in_tab_separated_files_are_signs_like_any_other(tmp_path):
    content = 'text\tlabel\n"open\ta\nshut" it\tb\nsay "hi"\tc\n"whole ""cell"""\td\n""\te\n"\tf\n'
    rows = records(tmp_path, "a.tsv", content)
    assert texts(rows) == ['"open', 'shut" it', 'say "hi"', 'whole "cell"', "", '"']
    assert [row.values["label"] for row in rows] == list("abcdef")


def test_lines_of_a_text_file_are_texts_and_blank_ones_keep_their_place(tmp_path):
    rows = records(tmp_path, "a.txt", 'ham\r\n\n"eggs, tea"\n  spam\u2028x')
    assert texts(rows) == ["ham", "", '"eggs, tea"', "  spam\u2028x"]
    assert [row.number for row in rows] == [1, 2, 3, 4]


def test_parquet_keeps_types_lists_and_nulls(tmp_path):
    values = [{"text": "ham", "n": 1, "tags": ["a", "b"]}, {"text": None, "n": 2, "tags": []}]
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(values), path)
    assert list(read_records(str(path))) == [Record(1, values[0]), Record(2, values[1])]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", "text,label\nham\nspam,b\n", "1 fields where the header has 2"),
        ("a.csv", "text,label\nham,a,x\nspam,b\n", "3 fields where the header has 2"),
        ("a.tsv", "text\tlabel\nham\nspam\tb\n", "1 fields where the header has 2"),
        ("a.jsonl", '{"text": \n{"text": "spam"}\n', "not JSON: "),
        ("a.jsonl", '["ham"]\n{"text": "spam"}\n', 'not a JSON object: ["ham"]'),
        pytest.param(
            "a.jsonl",
            "[" * 100_000 + '\n{"text": "spam"}\n',
            "not JSON: ",
            id="deep",
        ),
        pytest.param(
            "a.csv",
            'label,text\na,"ham\nb,spam\n',
            "unclosed quotation mark",
        ),
    ],
)
def test_an_unreadable_row_keeps_its_place_and_says_what_is_wrong(tmp_path, name, content, problem):
    first = records(tmp_path, name, content)[0]
    assert first.number == 1
    assert problem in first.problem


def test_rows_after_an_unreadable_one_are_read(tmp_path):
    rows = records(tmp_path, "a.jsonl", '{"text": "ham"}\n{]\n{"text": "spam"}\n')
    assert [(row.number, bool(row.problem)) for row in rows] == [(1, False), (2, True), (3, False)]
    assert texts(rows) == ["ham", None, "spam"]


def test_an_endless_cell_is_a_problem_not_a_crash(tmp_path, monkeypatch):
    monkeypatch.setattr("data.formats.delimited.LONGEST_LINE", 2**16)
    endless = '"' + "ham\n" * 17_000
    rows = records(tmp_path, "a.csv", "text\n" + endless)
    assert "unclosed quotation mark" in rows[0].problem


def test_two_columns_of_one_name_are_refused(tmp_path):
    with pytest.raises(UserError, match="'text'"):
        records(tmp_path, "a.csv", "text,text\nham,spam\n")


LATIN = {
    "a.csv": b"text\ncaf\xe9\n",
    "a.tsv": b"text\ncaf\xe9\n",
    "a.txt": b"caf\xe9\n",
    "a.jsonl": b'{"text": "caf\xe9"}\n',
}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt"])
def test_bytes_that_are_not_utf8_are_not_lost(tmp_path, name):
    (text,) = texts(records(tmp_path, name, LATIN[name]))
    assert text.encode("utf-8", "surrogateescape") == b"caf\xe9"


def test_json_lines_that_are_not_utf8_are_unreadable_rows(tmp_path):
    rows = records(tmp_path, "a.jsonl", b'{"text": "tea"}\n' + LATIN["a.jsonl"])
    assert [row.problem for row in rows] == ["", "not UTF-8"]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt", "a.jsonl"])
def test_utf16_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=r"a\.\w+ is UTF-16, UTF-8 is needed"):
        records(tmp_path, name, "text\nham\n".encode("utf-16"))


def test_escaped_surrogate_pairs_are_joined_and_halves_replaced(tmp_path):
    rows = records(tmp_path, "a.jsonl", r'{"text": "\ud83d\ude00 \ud83d"}')
    assert texts(rows) == ["😀 \ufffd"]


@pytest.mark.parametrize(
    "line", [r'{"tags": ["\ud83d"]}', r'{"\ud83d": 1}', r'{"a": {"b": "\ude00"}}']
)
def test_halves_of_surrogate_pairs_are_replaced_wherever_they_stand(tmp_path, line):
    (row,) = records(tmp_path, "a.jsonl", line)
    json.dumps(row.values, ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"text": "a", "text": "b"}', "not JSON: the name 'text' stands twice in an object"),
        ('{"text": "a", "meta": {"x": 1, "y": 2, "x": 3}}', "the name 'x' stands twice"),
        ('{"text": "\\u0041", "meta": ' + "[" * 600 + "]" * 600 + "}", "nested deeper than 100"),
        (
            '{"text": "a", "meta": ' + '{"a":' * 100 + "1" + "}" * 100 + "}",
            "nested deeper than 100",
        ),
        ('{"text": "a", "n": ' + "1" * 5000 + "}", "not JSON: Exceeds the limit"),
    ],
    ids=["twice", "twice within", "lists", "objects", "digits"],
)
def test_json_that_is_no_row_is_an_unreadable_one(tmp_path, line, problem):
    first, second = records(tmp_path, "a.jsonl", line + '\n{"text": "b"}\n')
    assert problem in first.problem
    assert second == Record(2, {"text": "b"})


def test_json_may_be_nested_a_hundred_levels(tmp_path):
    line = '{"text": "\\u0041", "meta": ' + "[" * 99 + "]" * 99 + "}"
    (row,) = records(tmp_path, "a.jsonl", line + "\n")
    assert row.problem == "" and row.values["text"] == "A"


def test_many_short_lists_are_not_deep(tmp_path):
    line = '{"text": "a", "tokens": ' + json.dumps([["b"]] * 500) + "}"
    assert records(tmp_path, "a.jsonl", line)[0].values["tokens"] == [["b"]] * 500


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_only_a_line_feed_ends_a_row(tmp_path, name):
    lines = [b"one\rtwo", b"three\x85four\x0b\x0c\x1c", "five\u2028six".encode(), b"seven\r"]
    if name == "a.jsonl":
        lines = [b'{"text":\r"a"}', '{"text":"b\u2028c"}'.encode(), b'{"text":"d"}\r']
    assert len(records(tmp_path, name, b"\n".join(lines) + b"\n")) == len(lines)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(tmp_path, name):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(64 * 2**20)
    with pytest.raises(UserError, match="line 1 is longer than 16 MiB"):
        next(read_records(str(path)))


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt"])
def test_an_empty_file_has_no_rows(tmp_path, name):
    assert records(tmp_path, name, "") == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.csv", r"cannot read .*missing\.csv: No such file or directory\. Check the path"),
        ("a.xlsx", r"a\.xlsx: Unknown file format '\.xlsx'\. Choose one of: \.csv, \.tsv, \.jsonl"),
        ("plain", r"Unknown file format ''"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_user_error(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        next(read_records(str(tmp_path / name)))


def test_a_folder_is_a_user_error(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(UserError, match=r"cannot read .*a\.csv: Is a directory"):
        next(read_records(str(tmp_path / "a.csv")))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"text,label\n"])
def test_a_file_that_is_no_parquet_is_a_user_error(tmp_path, content):
    with pytest.raises(UserError, match=r"cannot read .*a\.parquet as Parquet: "):
        records(tmp_path, "a.parquet", content)


def test_a_damaged_parquet_file_is_a_user_error(tmp_path):
    path = tmp_path / "a.parquet"
    table = pyarrow.table({"text": [f"word {i}" for i in range(2000)]})
    pyarrow.parquet.write_table(table, path)
    content = path.read_bytes()
    with pytest.raises(UserError, match="as Parquet"):
        records(tmp_path, "a.parquet", content[:40] + b"\xff" * 4000 + content[4040:])


def test_standard_input_is_one_text_a_line(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(b"ham\ncaf\xe9\n"), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", stream)
    rows = list(read_records("-"))
    assert [text.encode("utf-8", "surrogateescape") for text in texts(rows)] == [b"ham", b"caf\xe9"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ROWS = st.lists(st.fixed_dictionaries({"text": TEXT, "label": TEXT}), max_size=5)
# Tab-separated files cannot hold these signs: the reader takes no quoting for them.
LOST_IN_TSV = "\t\r\n"


@pytest.mark.parametrize("suffix", WRITERS)
@settings(deadline=None, max_examples=40)
@given(rows=ROWS)
def test_what_is_written_is_read_again(tmp_path_factory, suffix, rows):
    if suffix == ".tsv":
        lost = str.maketrans(dict.fromkeys(LOST_IN_TSV, " "))
        rows = [{name: cell.translate(lost) for name, cell in row.items()} for row in rows]
    path = str(tmp_path_factory.mktemp("round") / f"rows{suffix}")
    with record_writer(path) as write:
        for row in rows:
            write(row)
    assert list(read_records(path)) == [Record(i, row) for i, row in enumerate(rows, 1)]


# What a format could take for more than a letter.
ODD = st.text(st.sampled_from("ab;,\"'\\\t\r\n\ufeff\u2028\x00\x1c =-\u00e9😂"), max_size=6)
NAMES = st.lists(
    st.one_of(ODD, st.just("sep=;")),
    min_size=1,
    max_size=4,
    unique_by=lambda name: column_name(re.sub(r"[\t\r\n]+", " ", name)),
)
CELLS = {
    ".csv": ODD,
    ".tsv": ODD.map(lambda cell: re.sub(r"[\t\r\n]+", " ", cell)),
    ".jsonl": st.recursive(
        st.one_of(st.none(), st.integers(), st.floats(-1e9, 1e9), ODD),
        lambda cell: st.one_of(st.lists(cell, max_size=3), st.dictionaries(ODD, cell, max_size=2)),
        max_leaves=5,
    ),
    ".parquet": st.one_of(st.none(), ODD),
}


@pytest.mark.parametrize("suffix", WRITERS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_is_written_is_read_again(tmp_path_factory, suffix, data):
    names = data.draw(NAMES)
    rows = data.draw(
        st.lists(st.tuples(*[CELLS[suffix]] * len(names)), min_size=1, max_size=4), label="rows"
    )
    path = str(tmp_path_factory.mktemp("round") / f"rows{suffix}")
    with record_writer(path) as write:
        for row in rows:
            write(dict(zip(names, row, strict=True)))
    if suffix == ".csv":
        names = [column_name(name) for name in names]
    if suffix == ".tsv":
        names = [column_name(re.sub(r"[\t\r\n]+", " ", name)) for name in names]
    assert list(read_records(path)) == [
        Record(i, dict(zip(names, row, strict=True))) for i, row in enumerate(rows, 1)
    ]


@pytest.mark.parametrize("text", ["ham\teggs", "ham\neggs", "ham\r\neggs"], ids=ascii)
def test_tab_separated_files_keep_their_rows_whatever_the_cells_hold(tmp_path, text):
    path = str(tmp_path / "a.tsv")
    with record_writer(path) as write:
        write({"text": text, "label": "a"})
        write({"text": "spam", "label": "b"})
    rows = list(read_records(path))
    assert [row.problem for row in rows] == ["", ""]
    assert [row.values["label"] for row in rows] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "first", "later"),
    [
        ("a.txt", "ham\n", "spam\n"),
        ("a.csv", "text\nham\n", "spam\n"),
        ("a.tsv", "text\nham\n", "spam\n"),
        ("a.jsonl", '{"text": "ham"}\n', '{"text": "spam"}\n'),
    ],
)
def test_rows_are_read_when_they_are_asked_for(tmp_path, name, first, later):
    path = tmp_path / name
    path.write_text(first)
    rows = read_records(str(path))
    assert next(rows).values == {"text": "ham"}
    with path.open("a") as file:
        file.write(later)
    assert texts(rows) == ["spam"]
