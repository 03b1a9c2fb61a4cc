import pytest

from data.errors import UserError
from data.user_files.tagged.conll import read_conll

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
    "a header": "Token\tTag\nAna\tB-PER\nmet\tO\n\nLyon\tB-LOC\n",
    "links as comments": "#\thttp://a.b/c [2009-10-17]\nAna\tB-PER\nmet\tO\n\nLyon\tB-LOC\n",
    "documents of CoNLL-2012": "#begin document (a); part 000\nAna (PER)\nmet *\n\n"
    "Lyon (LOC)\n#end document\n",
    "documents without empty lines": "-DOCSTART- O\nAna B-PER\nmet O\n-DOCSTART- O\nLyon B-LOC\n",
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
    sentences, notes = read_conll(path, token_column=1, tag_column=-2)
    assert (sentences.texts, notes) == (["Ana met"], ())
    assert sentences.rows[0].spans == ((0, 3, "PER"),)


def test_a_hash_is_a_token_if_it_has_a_tag(tmp_path):
    assert read_conll(write(tmp_path, "# O\nAna B-PER\n"))[0].texts == ["# Ana"]
    text = "Lyon B-LOC NNP\nis O VBZ\n# O SYM\n#1 O CD\n# a comment\n# sent_id = 1\n"
    assert read_conll(write(tmp_path, text), 0, 1)[0].texts == ["Lyon is # #1"]


def test_a_token_may_hold_a_space_between_tabs(tmp_path):
    sentences, _ = read_conll(write(tmp_path, "New York\tB-LOC\nis\tO\n"))
    assert sentences.rows[0] == ("New York is", ((0, 8, "LOC"),), ((0, 8), (9, 11)))


def test_columns_are_cut_at_spaces_and_tabs_alone(tmp_path):
    text = "La\u00a0Paz B-LOC\n12\u2009500 O\na\u2028b\tO\n\u3000 O\nc\x0bd O\n"
    [row] = read_conll(write(tmp_path, text))[0]
    assert [row.text[start:end] for start, end in row.tokens] == [
        *("La\u00a0Paz", "12\u2009500", "a\u2028b", "c\x0bd")
    ]
    assert row.spans == ((0, 6, "LOC"),)


def test_words_of_conllu_are_read_once(tmp_path):
    rest = "\t_" * 7
    lines = [f"1\tAna{rest}\tname=B-PER", f"2-3\tvámonos{rest}\t_", f"2\tvamos{rest}\tname=O"]
    lines += [f"3\tnos{rest}\tSpaceAfter=No", f"3.1\tvan{rest}\t_"]
    text = "# sent_id = 1\n# text = Ana vámonos\n" + "\n".join(lines) + "\n\n"
    sentences, notes = read_conll(write(tmp_path, text), token_column=1)
    assert sentences.rows[0].text == "Ana vamos nos"
    assert (sentences.rows[0].spans, notes) == (((0, 3, "PER"),), ("tags read from name=",))


def test_what_is_recognised_is_reported(tmp_path):
    bmes = "Ana B-PER\nde M-PER\nla M-PER\nO E-PER\nin O\nLyon S-LOC\n"
    sentences, notes = read_conll(write(tmp_path, bmes))
    assert sentences.rows[0].spans == ((0, 11, "PER"), (15, 19, "LOC"))
    assert notes == ("the prefix M taken as I", "tags of the scheme BIOES, taken as BIO")
    _, notes = read_conll(write(tmp_path, "Ana NP\nmet VP\n"))
    assert notes[-1].startswith("warning: no cell is O")
    _, notes = read_conll(write(tmp_path, "New York B-LOC\nis O\nbig O\n"))
    assert "1 line(s) with another number of columns" in notes[0]
    nested = "Ana B-PER O\nat O O\nUni B-ORG O\nof I-ORG O\nLyon I-ORG B-LOC\n"
    _, notes = read_conll(write(tmp_path, nested))
    assert notes == (
        "column 1 (I-ORG, B-PER) holds tags, too; column -1 is read. Choose with --tag-column",
    )


def test_a_file_without_empty_lines_is_cut_at_full_stops(tmp_path):
    sentence = "Mr B-PER\n. I-PER\nLee I-PER\nleft O\n. O\n"
    sentences, notes = read_conll(write(tmp_path, sentence * 12 + "He O\n"))
    assert [len(row.tokens) for row in sentences] == [5] * 12 + [1]
    assert notes == ("warning: no empty lines between sentences: cut into 13 at full stops",)
    # Fifty tokens may be one sentence, and sixty are one if nothing ends it before.
    assert len(read_conll(write(tmp_path, sentence * 10))[0]) == 1
    sentences, notes = read_conll(write(tmp_path, "Ana B-PER\nran O\n" * 30))
    assert (len(sentences), "it stays whole" in notes[0]) == (1, True)
    # Empty lines beside markers of documents end none.
    documents = f"-DOCSTART- O\n\n{sentence * 12}\n" * 2
    assert len(read_conll(write(tmp_path, documents))[0]) == 24
    # One empty line shows that they end sentences here.
    assert len(read_conll(write(tmp_path, sentence * 12 + "\n" + sentence))[0]) == 2


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        (
            "Ana\tB-PER\t0.8\nran\tO\t0.9\n",
            (0, -1),
            "column -1 has '0.8', '0.9' (first in line 1): not tags. Column 1 holds tags: pass "
            "--tag-column 1",
        ),
        ("B-PER Ana\nO ran\n", (1, 1), "tokens and tags are both read from column 1"),
        ("B-PER Ana NNP\nO ran VBD\n", (1, 2), "Column 0 holds tags: pass --tag-column 0"),
        (
            "1\tAna\tB-PER\n2\tran\tO\n\n1\tBo\tB-PER\n",
            (0, -1),
            "column 0 numbers the tokens, column 1 has words such as Ana, ran, Bo. Pass "
            "--token-column 1",
        ),
        ("Ana B-PER\nran O\nBo PER\n", (0, -1), "column -1 has 'PER' (first in line 3): not tags,"),
        ("a,b,c\n1,Ana,B-PER\n", (0, -1), "no line has the 2 columns that --token-column"),
        # A file whose lines have enough columns for one of the two.
        ("Ana NNP B-PER\n", (0, 5), "no line has the 6 columns that --token-column"),
    ],
)
def test_other_columns_are_refused_in_one_line(text, columns, message, tmp_path):
    with pytest.raises(UserError) as refusal:
        read_conll(write(tmp_path, text), *columns)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"Ana B-PER\nmet\n", "1 row(s) (lines) with too few columns"),
        (b"Ana\tB-PER\nmet\t\n", "line 2: no token or no tag"),
        (b"\n\n", "has no sentence"),
        (b"Ana B-PER\nJos\xe9 O\n", "is not UTF-8 (line 2)"),
        ("Ana B-PER\nmet O\u00a0\n".encode(), "line 2: no token or no tag"),
        (b"Ana B-P\x1b[0m\nmet O\n", "line 1: no token or no tag"),
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
