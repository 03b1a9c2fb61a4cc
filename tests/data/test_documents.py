import numpy as np
import pytest

from data.columns import Columns
from data.corpora import read_documents
from data.documents import Documents, document_corpus
from data.errors import UserError


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return str(path)


def test_the_last_tenth_of_a_text_is_for_validation(tmp_path):
    corpus = read_documents(write(tmp_path / "a.txt", "0123456789" * 3))
    assert corpus.splits["train"].texts == ["0123456789" * 2 + "0123456"]
    assert corpus.splits["validation"].texts == ["789"]
    assert not corpus.splits["train"].whole
    assert corpus.name == "a.txt" and corpus.class_names == ()


def test_the_files_of_a_folder_are_whole_texts(tmp_path):
    for i in range(20):
        write(tmp_path / f"part{i % 2}" / f"{i}.txt", f"Text number {i}.\n")
    corpus = read_documents(str(tmp_path))
    assert (len(corpus.split("train")), len(corpus.split("validation"))) == (18, 2)
    assert corpus.split("train").whole
    assert len(set(corpus.everything().texts)) == 20


def test_files_of_their_own_are_the_other_splits(tmp_path):
    train, dev, test = (write(tmp_path / f"{n}.txt", f"This is {n}.") for n in ("tr", "va", "te"))
    corpus = read_documents(train, validation=dev, test=test)
    assert {name: part.texts for name, part in corpus.splits.items()} == {
        "train": ["This is tr."],
        "validation": ["This is va."],
        "test": ["This is te."],
    }


def test_the_rows_of_a_table_are_texts(tmp_path):
    table = write(tmp_path / "a.csv", "body,split\none text,train\nanother,dev\nlast,test\n")
    corpus = read_documents(table, columns=Columns(text="body"))
    assert [part.texts for part in corpus.splits.values()] == [["one text"], ["another"], ["last"]]


def test_texts_carry_the_positions_of_their_classes(tmp_path):
    rows = "".join(f"a {kind} text of number {i},{kind}\n" for i in range(10) for kind in "yx")
    corpus = read_documents(write(tmp_path / "a.csv", "text,label\n" + rows), conditioned=True)
    assert corpus.class_names == ("x", "y")
    part = corpus.split("train")
    assert [text[2] for text in part] == ["xy"[label] for label in part.labels]
    assert len(corpus.everything().labels) == 20


@pytest.mark.parametrize(
    ("name", "content", "conditioned", "words"),
    [
        ("a.txt", "", False, "holds no text"),
        ("a.txt", "some text", True, "--conditioned needs texts with classes"),
        ("a.csv", "body\nx\n", False, "1 row(s) unreadable or without a 'text': row 1"),
        ("a.csv", "text,split\nx,nowhere\n", False, "whose 'split' is no split: row 1"),
        ("a.csv", "text\n", False, "no rows"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, name, content, conditioned, words):
    path = write(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        read_documents(path, conditioned=conditioned)
    assert words in str(error.value)


def test_bytes_that_are_no_utf8_are_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 and more")
    with pytest.raises(UserError, match="no UTF-8"):
        read_documents(str(tmp_path / "a.txt"))


def test_a_folder_of_one_file_is_refused(tmp_path):
    write(tmp_path / "a.txt", "some text")
    with pytest.raises(UserError, match="two are needed"):
        read_documents(str(tmp_path))


def test_the_sample_is_text_that_python_carries():
    corpus = read_documents("sample")
    assert len(corpus.split("train")) > 5 * len(corpus.split("validation")) > 0
    assert sum(map(len, corpus.everything())) > 100_000
    with pytest.raises(UserError, match="--conditioned"):
        read_documents("sample", conditioned=True)


def test_shakespeare_is_cut_as_nanogpt_cuts_it(tmp_path):
    text = "First Citizen:\nBefore we proceed any further, hear me speak.\n" * 5
    write(tmp_path / "tinyshakespeare" / "input.txt", text)
    corpus = read_documents("tiny_shakespeare", str(tmp_path))
    assert "".join(corpus.everything().texts) == text
    assert len(corpus.split("train").texts[0]) == int(0.9 * len(text))


def test_the_checksum_follows_from_texts_and_labels():
    def checksum(texts, labels=None):
        labels = None if labels is None else np.array(labels)
        return document_corpus("a", {"train": Documents(texts, True, labels)}).checksum

    assert checksum(["a", "b"]) == checksum(["a", "b"])
    several = {checksum(["a", "b"]), checksum(["ab"]), checksum(["a", "b"], [0, 1])}
    assert len(several) == 3
