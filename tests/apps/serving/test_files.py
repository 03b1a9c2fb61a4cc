import csv
import io
import json
import re

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from apps.config.verbs import PredictOptions
from apps.serving import files, rows, windows
from apps.serving.answers import answer_by_length
from apps.serving.files import Prediction
from apps.serving.rows import RowReader
from data.errors import UserError
from data.formats.readers import read_records


class Lengths:
    """A task whose answer to a text is its length in bytes; it notes the batches it sees."""

    def __init__(self):
        self.batches = []

    def serving(self):
        return self

    def serve(self, texts):
        self.batches.append(texts.numpy().tolist())
        return texts

    def output_rows(self, answer):
        return [{"length": len(text)} for text in answer.numpy()]

    def empty_row(self):
        return {"length": None}


def test_long_texts_are_answered_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(windows, "MOST_AT_ONCE", 4)
    monkeypatch.setattr(windows, "_CHARACTERS", 64)
    task, texts = Lengths(), ["a" * length for length in (70, 40, 30, 20, 9, 9, 9, 9, 9, 1)]
    (tmp_path / "in.txt").write_text("\n".join(texts), encoding="utf-8")
    Prediction(task, RowReader("text")).answer_file(
        str(tmp_path / "in.txt"), str(tmp_path / "out.csv")
    )
    # Threads may begin them in any order.
    assert sorted(len(batch) for batch in task.batches) == [1, 1, 2, 2, 4]
    assert pd.read_csv(tmp_path / "out.csv")["length"].tolist() == [len(text) for text in texts]


WRITERS = {
    ".csv": lambda path, rows: pd.DataFrame(rows).to_csv(path, index=False),
    ".tsv": lambda path, rows: pd.DataFrame(rows).to_csv(path, index=False, sep="\t"),
    ".jsonl": lambda path, rows: path.write_text("".join(json.dumps(row) + "\n" for row in rows)),
    ".parquet": lambda path, rows: pd.DataFrame(rows).to_parquet(path),
    ".txt": lambda path, rows: path.write_text("".join(row["text"] + "\n" for row in rows)),
}
READERS = {
    ".csv": lambda path: pd.read_csv(path).to_dict("records"),
    ".tsv": lambda path: pd.read_csv(path, sep="\t").to_dict("records"),
    ".jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
    ".parquet": lambda path: pd.read_parquet(path).to_dict("records"),
}
ROWS = [{"text": "a bee"}, {"text": "I"}, {"text": "éé"}, {"text": "no no no"}]


@pytest.mark.parametrize("source", WRITERS)
@pytest.mark.parametrize("output", READERS)
def test_every_format_is_answered_in_every_format(tmp_path, source, output):
    WRITERS[source](tmp_path / f"in{source}", ROWS)
    bad = Prediction(Lengths(), RowReader("text")).answer_file(
        str(tmp_path / f"in{source}"), str(tmp_path / f"out{output}")
    )
    expected = [{**row, "length": len(row["text"].encode())} for row in ROWS]
    assert (bad, READERS[output](tmp_path / f"out{output}")) == (0, expected)


def test_rows_keep_their_order_and_texts_of_like_length_are_answered_together(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(windows, "MOST_AT_ONCE", 2)
    source, output, task = tmp_path / "in.txt", tmp_path / "out.jsonl", Lengths()
    source.write_text("ddd\na\ncc\nbbbb\nfff\ne\n")
    Prediction(task, RowReader("text", rows=4)).answer_file(str(source), str(output))
    assert [row["length"] for row in READERS[".jsonl"](output)] == [3, 1, 2, 4, 3, 1]
    assert task.batches == [[b"bbbb", b"ddd"], [b"cc", b"a"], [b"fff", b"e"]]


def test_other_columns_stay_as_they_are(tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('id,body,note\n007,"a, b",\n08,c,"x ""y"""\n')
    Prediction(Lengths(), RowReader("body")).answer_file(str(source), str(output))
    assert output.read_text().splitlines() == [
        "id,body,note,length",
        '007,"a, b",,4',
        '08,c,"x ""y""",1',
    ]


@pytest.mark.parametrize(
    ("source", "content", "problems"),
    [
        (".csv", "text,n\na,1\n,2\nb\n", ["row 2: an empty text", "row 3: 1 fields where"]),
        (".tsv", "text\tn\na\t1\n \t2\nb\n", ["row 2: an empty text", "row 3: 1 fields where"]),
        (
            ".jsonl",
            '{"text": "a"}\n{"text": null}\n{"txt": "b"}\n',
            ["row 2: 'text' is not text but None", "row 3: no 'text'"],
        ),
        (".jsonl", '{"text": "a"}\n{\n7\n', ["row 2: not JSON", "row 3: not a JSON object: 7"]),
        (".txt", "a\n\n  \n", ["row 2: an empty text", "row 3: an empty text"]),
    ],
)
def test_a_bad_row_is_reported_by_number_and_keeps_its_place(
    tmp_path, capsys, source, content, problems
):
    path, output = tmp_path / f"in{source}", tmp_path / "out.jsonl"
    path.write_text(content)
    assert Prediction(Lengths(), RowReader("text")).answer_file(str(path), str(output)) == 2
    assert [row["length"] for row in READERS[".jsonl"](output)] == [1, None, None]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(problem) for line, problem in zip(lines, problems, strict=True))


@pytest.mark.parametrize("output", [".csv", ".tsv", ".parquet"])
def test_a_damaged_first_row_does_not_decide_the_columns(tmp_path, output):
    source, output = tmp_path / "in.jsonl", tmp_path / f"out{output}"
    source.write_text('{\n{"text": "a", "id": 7}\n')
    assert Prediction(Lengths(), RowReader("text")).answer_file(str(source), str(output)) == 1
    row = READERS[output.suffix](output)[1]
    assert (row["text"], row["id"], row["length"]) == ("a", 7, 1)


@pytest.mark.parametrize("output", [".csv", ".tsv", ".parquet"])
def test_a_further_column_is_never_lost_in_silence(tmp_path, output):
    source, output = tmp_path / "in.jsonl", tmp_path / f"out{output}"
    source.write_text('{"text": "a"}\n{"text": "b", "id": 7}\n')
    with pytest.raises(UserError, match="id"):
        Prediction(Lengths(), RowReader("text")).answer_file(str(source), str(output))
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_column_that_is_empty_at_first_may_be_filled_later(tmp_path, monkeypatch):
    monkeypatch.setattr("data.formats.writers._PARQUET_ROWS", 1)
    source, output = tmp_path / "in.jsonl", tmp_path / "out.parquet"
    source.write_text('{"text": "a", "note": null}\n{"text": "b", "note": "x"}\n')
    Prediction(Lengths(), RowReader("text")).answer_file(str(source), str(output))
    assert READERS[".parquet"](output)[1]["note"] == "x"


@pytest.mark.parametrize("name", ["in.csv", "in.tsv"])
@pytest.mark.parametrize("header", [b"caf\xe9,text", b"text,text", b'"text,n', b"n,body"])
def test_a_file_whose_header_cannot_be_read_is_refused(tmp_path, name, header):
    if name == "in.tsv":
        header = header.replace(b",", b"\t")
    (tmp_path / name).write_bytes(header + b"\nham,1\n")
    with pytest.raises(UserError):
        Prediction(Lengths(), RowReader("text")).answer_file(
            str(tmp_path / name), str(tmp_path / "out.csv")
        )
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("in.jsonl", '{\n  "text": "a"\n}\n', "row 1: not JSON"),
        ("in.jsonl", '[{"text": "a"}, {"text": "b"}]\n', "row 1: not a JSON object"),
        ("in.tsv", "text,label\nwin, now,1\n", "no column 'text' in"),
        (
            "in.csv",
            "text,label\nwin, now,1\nsee, you,0\n",
            "row 1: 3 fields where the header has 2",
        ),
    ],
)
def test_a_file_of_no_readable_row_is_refused(tmp_path, name, content, problem):
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=f"(?i){re.escape(problem)}"):
        Prediction(Lengths(), RowReader("text")).answer_file(
            str(tmp_path / name), str(tmp_path / "out.csv")
        )
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_cells_between_semicolons_are_answered(tmp_path, capsys):
    (tmp_path / "in.csv").write_text('"text";"label"\r\n"a, b";"1"\r\nc;0\r\n')
    Prediction(Lengths(), RowReader("text")).answer_file(
        str(tmp_path / "in.csv"), str(tmp_path / "out.csv")
    )
    assert (tmp_path / "out.csv").read_text().splitlines() == [
        "text,label,length",
        '"a, b",1,4',
        "c,0,1",
    ]
    assert "cells between semicolons" in capsys.readouterr().err


def test_a_carriage_return_inside_of_a_line_makes_no_row(tmp_path, monkeypatch):
    content = "".join(f"line {i} of\rsixty\n" if i % 5 == 0 else f"{i}\r\n" for i in range(60))
    (tmp_path / "in.txt").write_bytes(content.encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    for source in (str(tmp_path / "in.txt"), "-"):
        output = tmp_path / "out.jsonl"
        assert Prediction(Lengths(), RowReader("text")).answer_file(source, str(output)) == 0
        rows = READERS[".jsonl"](output)
        assert len(rows) == 60
        assert rows[5] == {"text": "line 5 of\rsixty", "length": 15}


def test_parquet_keeps_the_types_of_the_input(tmp_path, monkeypatch):
    monkeypatch.setattr("data.formats.writers._PARQUET_ROWS", 2)
    columns = {
        "text": pyarrow.array(["a", "bb", "ccc"]),
        "tags": pyarrow.array([[], [], ["x"]], pyarrow.list_(pyarrow.string())),
        "day": pyarrow.array([0, None, 1], pyarrow.date32()),
    }
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "in.parquet")
    source, output = str(tmp_path / "in.parquet"), tmp_path / "out.parquet"
    assert Prediction(Lengths(), RowReader("text")).answer_file(source, str(output)) == 0
    table = pyarrow.parquet.read_table(output)
    assert table.schema.types == [*(column.type for column in columns.values()), pyarrow.int64()]
    assert table["tags"].to_pylist() == [[], [], ["x"]]
    assert table["length"].to_pylist() == [1, 2, 3]


def test_a_date_that_python_lacks_leaves_its_row_alone_without_an_answer(tmp_path, capsys):
    days = pyarrow.array([0, 2**31 - 1], pyarrow.int32()).view(pyarrow.date32())
    table = pyarrow.table({"text": ["a", "b"], "day": days})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    source, output = str(tmp_path / "in.parquet"), tmp_path / "out.parquet"
    assert Prediction(Lengths(), RowReader("text")).answer_file(source, str(output)) == 1
    assert pyarrow.parquet.read_table(output)["length"].to_pylist() == [1, None]
    assert "row 2: the cell of 'day'" in capsys.readouterr().err


def test_what_parquet_cannot_hold_is_one_line_and_leaves_no_output(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "a", "n": 18446744073709551616}\n')
    with pytest.raises(UserError, match=r"Write \.jsonl instead"):
        Prediction(Lengths(), RowReader("text")).answer_file(
            str(tmp_path / "in.jsonl"), str(tmp_path / "out.parquet")
        )
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_fewer_rows_are_held_where_they_are_long(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "_WINDOW_CHARACTERS", 1000)
    source = tmp_path / "in.txt"
    source.write_text("".join("a" * length + "\n" for length in (500, 500, 2000, 1, 1)))
    windows = rows.Rows({}, read_records(str(source))).windows()
    assert [[record.number for record in window] for window in windows] == [[1, 2], [3], [4, 5]]


def test_texts_of_no_letters_are_answered(tmp_path):
    task = Lengths()
    rows = answer_by_length(task, task.serve, ["", "a", ""])
    assert rows == [{"length": 0}, {"length": 1}, {"length": 0}]
    assert answer_by_length(task, task.serve, []) == []


def test_the_column_of_texts_does_not_hide_an_answer(tmp_path):
    with pytest.raises(UserError, match="has a column 'length' already"):
        Prediction(Lengths(), RowReader("length")).answer_texts(["one"], str(tmp_path / "o.csv"))


def test_a_table_can_be_made_safe_for_spreadsheets(tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("=id,text\n-1,=1+1\n")
    writer = PredictOptions(csv_safe=True).writer(str(source), "text", None)
    Prediction(Lengths(), RowReader("text"), writer).answer_file(str(source), str(output))
    assert output.read_text().splitlines() == ["'=id,text,length", "'-1,'=1+1,4"]


@pytest.mark.parametrize("output", [None, "-", "a.jsonl", "a.parquet", "a.html"])
def test_only_tables_for_spreadsheets_can_be_made_safe_for_them(output):
    with pytest.raises(UserError, match=r"--csv-safe is for --output FILE\.csv or FILE\.tsv"):
        PredictOptions(csv_safe=True).check_output(output)
    PredictOptions().check_output(output)
    PredictOptions(csv_safe=True).check_output("a.CSV")


def test_of_many_bad_rows_the_first_ones_are_reported(tmp_path, capsys):
    source = tmp_path / "in.txt"
    source.write_text("\n" * 25 + "a\n")
    assert Prediction(Lengths(), RowReader("text")).answer_file(str(source), "-") == 25
    lines = capsys.readouterr().err.splitlines()
    assert lines[19] == "row 20: an empty text"
    assert lines[20:] == ["further rows like these are counted only"]


@pytest.mark.parametrize(
    ("content", "column", "message"),
    [
        ("text,length\na,1\n", "text", "in.csv has a column 'length' already. Rename or drop it"),
        ("body\na\n", "text", "no column 'text' in .*in.csv. It has: body. Choose with --text-c"),
    ],
)
def test_a_file_that_cannot_be_answered_leaves_no_output(tmp_path, content, column, message):
    source = tmp_path / "in.csv"
    source.write_text(content)
    with pytest.raises(UserError, match=message):
        Prediction(Lengths(), RowReader(column)).answer_file(str(source), str(tmp_path / "out.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]


def test_a_missing_column_is_noticed_behind_a_damaged_row(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{\n{"body": "a"}\n')
    with pytest.raises(UserError, match="no column 'text'"):
        Prediction(Lengths(), RowReader("text")).answer_file(
            str(source), str(tmp_path / "out.jsonl")
        )


def test_bytes_that_are_not_utf8_are_answered_and_given_back(tmp_path):
    source, output, task = tmp_path / "in.txt", tmp_path / "out.csv", Lengths()
    source.write_bytes(b"caf\xe9\n")
    Prediction(task, RowReader("text")).answer_file(str(source), str(output))
    assert task.batches == [[b"caf\xe9"]]
    assert output.read_bytes().splitlines() == [b"text,length", b"caf\xe9,4"]


def test_standard_input_is_one_text_a_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"one two\nthree\n")))
    assert Prediction(Lengths(), RowReader("text")).answer_file("-", "-") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == [{"text": "one two", "length": 7}, {"text": "three", "length": 5}]


@pytest.mark.parametrize(
    ("source", "column"), [("-", "text"), ("in.txt", "text"), ("in.csv", None), ("in.jsonl", None)]
)
def test_standard_input_and_text_files_have_one_column(source, column):
    assert files.column_of(source) == column


def test_texts_are_written_with_their_answers(tmp_path):
    Prediction(Lengths(), RowReader("body")).answer_texts(
        ["one", "", "a,b"], str(tmp_path / "o.csv")
    )
    with (tmp_path / "o.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["body", "length"], ["one", "3"], ["", ""], ["a,b", "3"]]


@pytest.mark.parametrize(
    ("source", "output", "message"),
    [
        ("no.csv", None, "no file '.*no.csv'. Check --input"),
        ("in.xlsx", None, "Unknown file format '.xlsx'. Choose one of: .csv, .tsv, .jsonl, .txt"),
        ("in.csv", "out.txt", "Unknown file format '.txt'. Choose one of: .csv, .tsv, .jsonl, .p"),
        ("in.csv", "in.csv", "is the input. Choose another --output"),
        ("in.csv", "x/../in.csv", "is the input. Choose another --output"),
    ],
)
def test_files_that_cannot_be_used_are_refused_at_once(tmp_path, source, output, message):
    (tmp_path / "x").mkdir()
    (tmp_path / "in.csv").touch()
    with pytest.raises(UserError, match=message):
        files.check_files(str(tmp_path / source), output and str(tmp_path / output))
