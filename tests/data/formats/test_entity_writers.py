"""Every format that answers are written in can be read again, with the same places."""

import csv
import html.parser
import io
import json
import sys

import pytest

from data.errors import UserError
from data.formats.entity_writers import ENTITY_WRITERS, choose_format, entity_writer
from data.formats.readers import read_records
from data.user_files.tagged.conll import read_conll
from data.user_files.tagged.spans import read_spans

# Text, and the words of it that are entities; \udce9 is a byte that was not UTF-8.
TEXTS = {
    "plain": ("Ana met Jo.", {"Ana": "PER", "Jo": "PER"}),
    "broken bytes": ("Caf\udce9 \udce2\udc82 Ida Bo met", {"Ida Bo": "PER"}),
    "markup": ("<b>Ana</b> & \"Jo\" 'x'", {"Ana": "A<b>&\"'"}),
    "signs of tables": ('a,"b"\tAna\r\n=1+1 # Jo', {"Ana": "PER", "Jo": "PER"}),
    "other scripts": ("東京 and \U0001f600 Åsa", {"東京": "LOC", "Åsa": "PER"}),
    "no entity": ("nobody", {}),
}


def row_of(text, kinds, **columns):
    entities = [
        {
            "start": text.index(word),
            "end": text.index(word) + len(word),
            "type": kind,
            "score": 0.5,
            "text": word,
        }
        for word, kind in kinds.items()
    ]
    return {**columns, "post": text, "entities": entities, "tagged_tokens": []}


ROWS = [row_of(*each, id=number) for number, each in enumerate(TEXTS.values())]
UNANSWERED = {"id": 9, "post": "", "entities": None, "tagged_tokens": []}


def written(path, rows, format=None):
    with entity_writer(str(path), format, "post") as write:
        for row in rows:
            write(row)
    return path


def shown(text):
    return "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in text)


@pytest.mark.parametrize("format", ["jsonl", "csv", "tsv"])
def test_rows_keep_their_places_and_spans_stand_in_their_texts(format, tmp_path):
    path = written(tmp_path / f"o.{format}", [*ROWS, UNANSWERED])
    path.read_text(encoding="utf-8")
    records = [record.values for record in read_records(str(path))]
    assert [str(values["id"]) for values in records] == ["0", "1", "2", "3", "4", "5", "9"]
    for values, (text, kinds) in zip(records, TEXTS.values(), strict=False):
        spaces = str.maketrans("\t\r\n", "   " if format == "tsv" else "\t\r\n")
        assert values["post"] == shown(text).translate(spaces)
        entities = values["entities"]
        entities = json.loads(entities) if isinstance(entities, str) else entities
        places = [values["post"][each["start"] : each["end"]] for each in entities]
        assert places == [each["text"] for each in entities] == list(kinds)
        assert [each["type"] for each in entities] == list(kinds.values())
    assert records[-1]["entities"] == (None if format == "jsonl" else "")
    assert "tagged_tokens" not in records[0]


@pytest.mark.parametrize("format", ["jsonl", "csv", "tsv"])
def test_what_is_written_can_be_trained_on(format, tmp_path):
    path = written(tmp_path / f"o.{format}", [*ROWS, UNANSWERED])
    parts, notes = read_spans(str(path), "post", "spans", "split")
    rows = parts[""].rows
    assert [len(row.spans) for row in rows] == [len(kinds) for _, kinds in TEXTS.values()]
    assert [row.text[slice(*row.spans[0][:2])] for row in rows[:2]] == ["Ana", "Ida Bo"]
    assert notes == ("spans are read from 'entities'", "1 empty text(s) left out")


@pytest.mark.parametrize("format", ["csv", "tsv"])
def test_no_cell_is_a_formula_where_a_spreadsheet_reads_it(format, tmp_path):
    path, row = tmp_path / f"o.{format}", row_of("=Ana()", {"Ana": "PER"})
    with entity_writer(str(path), None, "post", csv_safe=True) as write:
        write(row)
    [record] = read_records(str(path))
    assert record.values["post"] == "'=Ana()"
    [entity] = json.loads(record.values["entities"])
    assert record.values["post"][1:][entity["start"] : entity["end"]] == "Ana"


def test_what_json_lacks_is_null(tmp_path):
    path = written(tmp_path / "o.jsonl", [{**ROWS[0], "weight": float("nan")}])
    [record] = read_records(str(path))
    assert (record.problem, record.values["weight"]) == ("", None)


def test_columns_of_tokens_can_be_read_again(tmp_path):
    names = ("token", "tag", "start", "end", "score")
    tokens = [("#", "O", 0, 1, 0.9), ("Ana", "B-PER", 2, 5, 0.25), ("Bo", "I-PER", 6, 8, 1e-05)]
    row = {
        "post": "# Ana Bo",
        "entities": [],
        "tagged_tokens": [dict(zip(names, token, strict=True)) for token in tokens],
    }
    path = written(tmp_path / "o.conll", [row, UNANSWERED, row])
    assert path.read_text().startswith("#\t0.9\tO\nAna\t0.25\tB-PER\n")
    sentences, notes = read_conll(path)
    assert sentences.texts == ["# Ana Bo"] * 2
    assert sentences.rows[0].spans == ((2, 8, "PER"),)
    assert notes == ()


class _Page(html.parser.HTMLParser):
    """Gathers a page's paragraphs, the text of its marks, and all elements."""

    def __init__(self):
        super().__init__()
        self.paragraphs, self.marks, self.elements, self.within = [], [], set(), []

    def handle_starttag(self, tag, attributes):
        self.elements.add(tag)
        self.within.append(tag)
        if tag == "p":
            self.paragraphs.append("")
        if tag == "mark":
            self.marks.append("")

    def handle_endtag(self, tag):
        self.within.pop()

    def handle_data(self, data):
        if "p" in self.within and "small" not in self.within:
            self.paragraphs[-1] += data
            if "mark" in self.within:
                self.marks[-1] += data


def test_a_page_shows_the_texts_and_no_foreign_markup(tmp_path):
    content = written(tmp_path / "o.html", [*ROWS, UNANSWERED]).read_bytes().decode("utf-8")
    page = _Page()
    page.feed(content.split("<body>")[1])
    assert page.marks == [word for _, kinds in TEXTS.values() for word in kinds]
    assert page.paragraphs == [*(shown(text) for text, _ in TEXTS.values()), ""]
    assert page.elements == {"p", "mark", "small"}


@pytest.mark.parametrize("format", ENTITY_WRITERS)
def test_a_stream_gets_what_a_file_does(format, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), newline=""))
    written("-", ROWS, format)
    stream = sys.stdout.buffer.getvalue()
    assert stream == written(tmp_path / "o", ROWS, format).read_bytes()


def test_json_lines_are_the_default_of_a_stream():
    assert [
        choose_format("-", None),
        choose_format("a.CSV", None),
        choose_format("a.x", "html"),
    ] == [*("jsonl", "csv", "html")]
    with pytest.raises(UserError, match=r"format 'txt'. Choose one of jsonl, conll"):
        choose_format("a.txt", None)


def test_a_cell_is_quoted_as_a_spreadsheet_wants_it(tmp_path):
    path = written(tmp_path / "o.csv", ROWS)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    assert header == ["id", "post", "entities"]
    assert rows[3][1] == TEXTS["signs of tables"][0]
