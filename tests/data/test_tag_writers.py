import json

import pytest

from data.conll import read_conll
from data.records import read_records
from data.tag_writers import TAG_WRITERS, tag_writer

# The first two bytes of a euro sign and a letter of another encoding.
TEXT = b"Caf\xe9 \xe2\x82 Ida".decode("utf-8", "surrogateescape")
READABLE = "Caf\ufffd \ufffd\ufffd Ida"
ROW = {
    "text": TEXT,
    "score": float("nan"),
    "entities": [{"start": 8, "end": 11, "type": "PER", "text": "Ida", "score": 0.9}],
    "tagged_tokens": [
        {"token": TEXT[:4], "score": 1.0, "tag": "O"},
        {"token": TEXT[5:7], "score": 1.0, "tag": "O"},
        {"token": "Ida", "score": 0.9, "tag": "B-PER"},
    ],
}


def write(path):
    with tag_writer(str(path), None, "text") as write_row:
        write_row(ROW)
    return path


@pytest.mark.parametrize("format", TAG_WRITERS)
def test_what_is_written_is_utf8_whatever_the_text_was(tmp_path, format):
    written = write(tmp_path / f"a.{format}").read_text(encoding="utf-8")
    assert READABLE.split()[0] in written


def test_places_are_those_in_the_text_that_is_written(tmp_path):
    (row,) = read_records(str(write(tmp_path / "a.jsonl")))
    (entity,) = row.values["entities"]
    assert row.values["text"] == READABLE
    assert row.values["text"][entity["start"] : entity["end"]] == "Ida"
    assert row.values["score"] is None
    page = write(tmp_path / "a.html").read_text(encoding="utf-8")
    assert f"<p>{READABLE[:8]}<mark" in page
    assert json.dumps(row.values, allow_nan=False)


def test_columns_can_be_read_again(tmp_path):
    sentences, _ = read_conll(write(tmp_path / "a.conll"))
    (sentence,) = sentences
    assert sentence.text.split() == READABLE.split()
    assert [sentence.text[span.start : span.end] for span in sentence.spans] == ["Ida"]
