import pytest

from data.errors import UserError
from data.files.writing import sha256
from data.identity_terms.files import read_identity_terms

HEADER = "kind,group,form,term\n"
GOOD = "religion,muslim,noun,Muslim\n"


def refusal(tmp_path, content, name="terms.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        read_identity_terms(path)
    assert "terms" in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def test_a_file_becomes_terms_with_its_name_and_checksum(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        HEADER + GOOD + "religion,muslim,adjective,muslim\n gender , male,noun,old man\n"
    )
    terms = read_identity_terms(path)
    assert terms.groups == {"muslim": "religion", "male": "gender"}
    assert (terms.name, terms.checksum) == ("mine.csv", sha256(path))
    (place,) = terms.find("Muslim")
    assert place.term.forms == {"noun", "adjective"} and place.term.written == "Muslim"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["no rows", "kind, group, form, term"]),
        (HEADER, ["no rows"]),
        ("kind,group,term\nreligion,muslim,Muslim\n", ["no column 'form'", "It has: kind"]),
        (HEADER + GOOD + "religion,muslim\n", ["row 2: 2 fields"]),
        (HEADER + GOOD + "religion,,noun,Muslims\n", ["without a kind", "row 2"]),
        (HEADER + GOOD + "religion,jewish,noun, \n", ["without a kind", "row 2"]),
        (HEADER + "religion,muslim,noun,Muslim!\n", ["single spaces", "row 1"]),
        (HEADER + "religion,muslim,noun,the  Muslim\n", ["single spaces", "row 1"]),
        ((HEADER + "religion,mus\xfalim,noun,Muslim\n").encode("latin-1"), ["UTF-8", "row 1"]),
        (HEADER + GOOD + GOOD.lower(), ["'muslim' is listed twice", "row 1, 2"]),
        (HEADER + GOOD + "religion,islam,faith,muslim\n", ["'muslim' in row 1", "row 2"]),
        (HEADER + GOOD + "religion,islam,noun,muslim\n", ["'muslim' in row 1", "row 2"]),
        (HEADER + GOOD + "origin,muslim,noun,Arab\n", ["kind 'religion' in row 1", "row 2"]),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_line_with_row_numbers(tmp_path, content, words):
    message = refusal(tmp_path, content)
    assert all(word in message for word in words), message


def test_a_cell_that_is_no_text_is_no_term(tmp_path):
    content = '{"kind": "a", "group": "b", "form": "c", "term": 3}\n'
    assert "row 1" in refusal(tmp_path, content, "terms.jsonl")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        read_identity_terms(tmp_path / "none.csv")
    with pytest.raises(UserError, match="Unknown file format"):
        read_identity_terms(tmp_path / "terms.doc")


def test_the_same_term_may_stand_in_two_kinds(tmp_path):
    (tmp_path / "t.csv").write_text(
        HEADER + "religion,jewish,adjective,Jewish\norigin,a,b,Jewish\n"
    )
    assert read_identity_terms(tmp_path / "t.csv").find_groups("jewish") == {"jewish", "a"}
