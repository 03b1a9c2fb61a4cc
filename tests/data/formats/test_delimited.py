import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import UserError
from data.formats.delimited import MOST_COLUMNS
from data.formats.readers import read_records
from data.formats.record import Record


def records(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return list(read_records(str(path)))


def values(rows):
    return [list(row.values.items()) for row in rows]


TWO_ROWS = [[("text", "win, now"), ("label", "1")], [("text", "see; you"), ("label", "0")]]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('text,label\n"win, now",1\n"see; you",0\n', ""),
        ('text;label\nwin, now;1\n"see; you";0\n', "semicolons"),
        ('"text";"label"\n"win, now";"1"\n"see; you";"0"\n', "semicolons"),
        ('"text"\t"label"\nwin, now\t1\nsee; you\t0\n', "tabs"),
        ("text|label\nwin, now|1\nsee; you|0\n", "vertical bars"),
        ('\n\n"text";label\r\n"win, now";1\r\n\r\n"see; you";0', "semicolons"),
        ("sep=;\r\ntext;label\r\nwin, now;1\r\n" + '"see; you";0\r\n', ""),
        ('sep=,\ntext,label\n"win, now",1\n"see; you",0\n', ""),
        ("sep=|\ntext|label\nwin, now|1\nsee; you|0\n", ""),
        ("sep=\t\ntext\tlabel\nwin, now\t1\nsee; you\t0\n", ""),
    ],
)
def test_the_delimiter_is_that_of_the_header(tmp_path, capsys, content, told):
    rows = records(tmp_path, "a.csv", content)
    assert values(rows) == TWO_ROWS
    assert [row.problem for row in rows] == ["", ""]
    assert capsys.readouterr().err == (f"{tmp_path}/a.csv: cells between {told}\n" if told else "")


def test_semicolons_in_the_names_of_a_file_of_commas_are_letters(tmp_path):
    assert values(records(tmp_path, "a.csv", "text; raw,label\nham,1\n")) == [
        [("text; raw", "ham"), ("label", "1")]
    ]


def test_a_file_of_one_column_has_commas(tmp_path):
    assert values(records(tmp_path, "a.csv", 'text\n"a; b"\n')) == [[("text", "a; b")]]


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.tsv", "\t")])
def test_white_space_around_the_name_of_a_column_is_no_part_of_it(tmp_path, name, delimiter):
    header = delimiter.join(["\ufeff text", "label ", "\u00a0split\u00a0"])
    row = delimiter.join([" ham ", "a", "train"])
    assert records(tmp_path, name, f"{header}\r\n{row}\r\n")[0].values == {
        "text": " ham ",
        "label": "a",
        "split": "train",
    }


def test_columns_without_a_name_are_called_by_their_places(tmp_path, capsys):
    rows = records(tmp_path, "spam.csv", 'v1,v2,,,\nham,"Go, now",,,\nspam,Win,a,b,c\n')
    assert [row.values["v2"] for row in rows] == ["Go, now", "Win"]
    assert rows[1].values == {
        "v1": "spam",
        "v2": "Win",
        "column 3": "a",
        "column 4": "b",
        "column 5": "c",
    }
    assert capsys.readouterr().err == (
        f"{tmp_path}/spam.csv: columns without a name are called column 3, column 4, column 5\n"
    )


def test_a_single_column_without_a_name_keeps_none(tmp_path, capsys):
    assert records(tmp_path, "a.csv", ",text\n0,ham\n")[0].values == {"": "0", "text": "ham"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"text,text", "two columns are called 'text'"),
        (b"text, text ", "two columns are called 'text'"),
        (b",,column 2", "two columns are called 'column 2'"),
        (b"caf\xe9,text", "the header of .* is not UTF-8"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(tmp_path, name, header, message):
    content = header + b"\nham,spam\n"
    if name == "a.tsv":
        content = content.replace(b",", b"\t")
    with pytest.raises(UserError, match=message):
        records(tmp_path, name, content)


@pytest.mark.parametrize("header", ['"text', '"text"x,label', '"text";"label" x', '"te"xt"'])
def test_a_header_that_cannot_be_read_is_refused(tmp_path, header):
    with pytest.raises(UserError, match=r"cannot read the header of .*a\.csv: "):
        records(tmp_path, "a.csv", header + "\nham,1\n")


def test_as_many_columns_are_read_as_a_sheet_has(tmp_path):
    names = [f"c{i}" for i in range(MOST_COLUMNS)]
    (row,) = records(tmp_path, "a.csv", ",".join(names) + "\n" + "," * (MOST_COLUMNS - 1) + "\n")
    assert len(row.values) == MOST_COLUMNS and not row.problem
    with pytest.raises(UserError, match="has 16,385 columns, 16,384 are read at most"):
        records(tmp_path, "a.csv", ",".join([*names, "one more"]) + "\n")


def test_a_repeated_name_among_many_is_found_in_linear_time(tmp_path):
    names = [f"c{i}" for i in range(MOST_COLUMNS - 1)]
    started = time.process_time()
    with pytest.raises(UserError, match="'c16382'"):
        records(tmp_path, "a.tsv", "\t".join([*names, names[-1]]))
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text,label\na\rb,1\n\rc\r\r,2\r\n" + b'"d\re\r\nf",3\r\r\n'),
        ("a.tsv", b"text\tlabel\na\rb\t1\r\n\rc\r\r\t2\r\n" + b"d\re\\nf\t3\r\r\n"),
    ],
)
def test_a_carriage_return_inside_of_a_line_ends_no_row(tmp_path, name, content):
    rows = records(tmp_path, name, content)
    assert [row.problem for row in rows] == [""] * 3
    texts = [row.values["text"] for row in rows]
    assert texts[:2] == ["a\rb", "\rc\r\r"]
    assert texts[2] in ("d\re\r\nf", "d\re\\nf")
    assert [row.values["label"] for row in rows] == ["1", "2", "3"]


@pytest.fixture
def short_rows(monkeypatch):
    monkeypatch.setattr("data.formats.delimited.LONGEST_LINE", 100)


def test_rows_after_an_endless_one_are_read(tmp_path, short_rows):
    rows = records(tmp_path, "a.csv", 'label,text\na,"' + "ham\n" * 30 + "c,spam\n")
    assert "a row of more than" in rows[0].problem
    assert "an unclosed quotation mark?" in rows[0].problem
    assert rows[-1].values == {"label": "c", "text": "spam"}


def test_the_cells_of_a_row_are_bounded_together(tmp_path, short_rows):
    # Each cell and each line are short; quoted line ends join all of them into one row.
    rows = records(tmp_path, "a.csv", "text,label\n" + '"\n",' * 60)
    assert "a row of more than" in rows[0].problem


def test_an_endless_header_is_refused(tmp_path, short_rows):
    with pytest.raises(UserError, match="cannot read the header"):
        records(tmp_path, "a.csv", '"' + "a\n" * 100)


@settings(deadline=None)
@given(st.text(st.sampled_from('",;\t\n\ra '), max_size=40))
def test_any_text_is_read_or_refused(tmp_path_factory, content):
    for name in ("a.csv", "a.tsv"):
        try:
            records(tmp_path_factory.mktemp("any"), name, content)
        except UserError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_rows_without_cells_take_no_memory_however_many_columns_there_are(tmp_path, name):
    names = [f"c{i}" for i in range(MOST_COLUMNS)]
    header = ("," if name == "a.csv" else "\t").join(names)
    started = time.process_time()
    rows = records(tmp_path, name, header + "\n" + "a\n" * 20_000)
    assert time.process_time() - started < 5.0
    assert rows[-1] == Record(20_000, {"c0": "a"}, "1 fields where the header has 16384")


def test_a_quoted_name_may_hold_a_line_end(tmp_path):
    assert values(records(tmp_path, "a.csv", '"te\nxt";label\nham;1\n')) == [
        [("te\nxt", "ham"), ("label", "1")]
    ]


def test_memory_holds_no_line_but_the_present_row(tmp_path):
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write("text,label\n")
        for i in range(20_000):
            file.write(f"{i} is a row of about fifty letters in a large file,a\n")
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_records(str(path))) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**19
