import pytest

from data.conll import read_conll
from data.errors import UserError

FORMS = {
    "spaces": "Ana B-PER\nmet O\n\nLyon B-LOC\n",
    "tabs": "Ana\tB-PER\nmet\tO\n\nLyon\tB-LOC\n",
    "Windows line ends": "Ana B-PER\r\nmet O\r\n\r\nLyon B-LOC\r\n",
    "no last line end": "Ana B-PER\nmet O\n\nLyon B-LOC",
    "many empty lines": "\n\nAna B-PER\nmet O\n\n \n\t\n\nLyon B-LOC\n\n\n",
    "document markers": "-DOCSTART- -X- O\n\nAna B-PER\nmet O\n\n-DOCSTART-\nLyon B-LOC\n",
    "a byte order mark": "\ufeffAna B-PER\nmet O\n\nLyon B-LOC\n",
    "white space as a token": "Ana\tB-PER\n \tO\nmet\tO\n\nLyon\tB-LOC\n",
    "comments": "# text = Ana met\nAna B-PER\nmet O\n\n# id 2\nLyon B-LOC\n",
    "IOB1": "Ana I-PER\nmet O\n\nLyon I-LOC\n",
    "BIOES": "Ana S-PER\nmet O\n\nLyon S-LOC\n",
}


def write(tmp_path, text):
    path = tmp_path / "some.conll"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_a_file_of_any_form_has_the_same_sentences(text, tmp_path):
    sentences, _ = read_conll(write(tmp_path, text))
    assert sentences.texts == ["Ana met", "Lyon"]
    assert [row.spans for row in sentences] == [((0, 3, "PER"),), ((0, 4, "LOC"),)]
    assert [row.tokens for row in sentences] == [((0, 3), (4, 7)), ((0, 4),)]


def test_columns_are_chosen_by_number(tmp_path):
    path = write(tmp_path, "1 Ana NNP B-PER x\n2 met VBD O y\n")
    sentences, scheme = read_conll(path, token_column=1, tag_column=-2)
    assert (sentences.texts, scheme) == (["Ana met"], "BIO")
    assert sentences.rows[0].spans == ((0, 3, "PER"),)


def test_a_hash_is_a_token_if_it_has_a_tag(tmp_path):
    assert read_conll(write(tmp_path, "# O\nAna B-PER\n"))[0].texts == ["# Ana"]


def test_a_token_may_hold_a_space_between_tabs(tmp_path):
    sentences, _ = read_conll(write(tmp_path, "New York\tB-LOC\nis\tO\n"))
    assert sentences.rows[0] == ("New York is", ((0, 8, "LOC"),), ((0, 8), (9, 11)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"Ana B-PER\nmet\n", "1 row(s) (lines) with too few columns"),
        (b"Ana\tB-PER\nmet\t\n", "line 2: no token or no tag"),
        (b"\n\n", "has no sentence"),
        (b"\xff\xfeA O\n", "is not UTF-8"),
    ],
)
def test_what_is_no_conll_is_refused_with_the_line(text, message, tmp_path):
    path = tmp_path / "bad.conll"
    path.write_bytes(text)
    with pytest.raises(UserError) as refusal:
        read_conll(path)
    assert message in str(refusal.value)


def test_a_missing_file_is_refused():
    with pytest.raises(UserError, match="cannot read"):
        read_conll("absent.conll")
