import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from data.datasets import read_documents
from data.errors import UserError
from data.examples.documents import DocumentCorpus, Documents
from data.user_files.columns import LabelledColumns


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


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (pyarrow.array([["win", "a"], ["prize"]]), "2 row(s) whose 'text' is not text: row 1, 2"),
        (pyarrow.array([b"tea", b"caf\xe9"]).view(pyarrow.string()), "that are not UTF-8"),
        (pyarrow.array([1, 2]), "2 row(s) whose 'text' is not text: row 1, 2"),
        (pyarrow.array(["tea", None]), "1 row(s) without a text: row 2"),
    ],
    ids=["lists", "bytes", "numbers", "nothing"],
)
def test_what_is_not_text_in_parquet_is_refused(tmp_path, texts, message):
    pyarrow.parquet.write_table(pyarrow.table({"text": texts}), tmp_path / "a.parquet")
    with pytest.raises(UserError) as error:
        read_documents(str(tmp_path / "a.parquet"))
    assert message in str(error.value)


def test_the_rows_of_a_table_are_texts(tmp_path):
    table = write(tmp_path / "a.csv", "body,split\none text,train\nanother,dev\nlast,test\n")
    corpus = read_documents(table, columns=LabelledColumns(text="body"))
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
        ("a.txt", "x", False, "holds no text"),
        ("a.csv", "body\nx\n", False, "no column 'text' in"),
        ("a.csv", "text,n\nx,1\n ,2\n", False, "1 row(s) with an empty text: row 2"),
        ("a.csv", "text,n\nx\n", False, "1 unreadable row(s): row 1: 1 fields"),
        ("a.csv", "text,split\nx,nowhere\n", False, "an unknown split, first 'nowhere' in row 1"),
        ("a.jsonl", '{"text": ["win", "a", "prize"]}', False, "whose 'text' is not text: row 1"),
        ("a.jsonl", '{"text": 5}', False, "whose 'text' is not text: row 1"),
        ("a.jsonl", '{"text": null}', False, "1 row(s) without a text: row 1"),
        (
            "a.jsonl",
            '{"text": "x", "split": "train"}\n{"text": "y"}',
            False,
            "an unknown split, first '' in row 2",
        ),
        ("a.csv", "text\n", False, "no rows"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, name, content, conditioned, words):
    path = write(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        read_documents(path, conditioned=conditioned)
    assert words in str(error.value)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.jsonl", "folder/a.txt"])
def test_bytes_that_are_no_utf8_are_refused(tmp_path, name):
    content = {"a.jsonl": b'{"text": "caf\xe9 and more"}'}.get(name, b"text\ncaf\xe9 and more\n")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(UserError, match="UTF-8"):
        read_documents(str(path.parent if "/" in name else path))


@pytest.mark.parametrize("name", ["a.txt", "folder/a.txt"])
def test_utf16_is_refused(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("some text".encode("utf-16"))
    with pytest.raises(UserError, match=r"a\.txt is UTF-16"):
        read_documents(str(path.parent if "/" in name else path))


def test_a_file_with_null_bytes_is_not_text(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(UserError, match=r"a\.png is not text"):
        read_documents(str(tmp_path / "a.png"))


def test_files_that_are_hidden_empty_or_binary_are_left_out_of_a_folder(tmp_path, capsys):
    for i in range(3):
        write(tmp_path / f"t{i}.txt", f"Text number {i}.\n")
    write(tmp_path / "part" / "t3.txt", "Text number 3.\n")
    write(tmp_path / ".history" / "HEAD", "somebody <a@b.org>\n")
    write(tmp_path / "part" / ".hidden.txt", "hidden\n")
    write(tmp_path / "__init__.py", "")
    write(tmp_path / "part" / "blank.txt", "\ufeff \n\t\n")
    (tmp_path / "cache\x1b.pyc").write_bytes(b"\x6f\r\r\n\0\0\0\0caf\xe9")
    corpus = read_documents(str(tmp_path))
    assert sorted(corpus.everything().texts) == [f"Text number {i}.\n" for i in range(4)]
    assert capsys.readouterr().err == (
        f"{tmp_path}: 2 empty file(s) left out: '__init__.py', 'part/blank.txt'\n"
        f"{tmp_path}: 1 binary file(s) left out: 'cache\\x1b.pyc'\n"
    )


def test_a_folder_below_a_hidden_one_may_be_read(tmp_path):
    for i in range(2):
        (tmp_path / ".data").mkdir(exist_ok=True)
        write(tmp_path / ".data" / f"{i}.txt", f"Text number {i}.")
    assert len(read_documents(str(tmp_path / ".data")).everything()) == 2


def test_line_ends_of_a_text_are_line_feeds(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\nthree\rfour\x0cfive")
    corpus = read_documents(str(tmp_path / "a.txt"))
    assert "".join(corpus.everything().texts) == "one\ntwo\nthree\nfour\x0cfive"


def test_the_rows_of_a_table_that_is_a_split_are_all_read(tmp_path):
    train = write(tmp_path / "train.txt", "This is train.")
    dev = write(tmp_path / "dev.csv", "text,split\none,test\ntwo,train\n")
    assert read_documents(train, validation=dev).split("validation").texts == ["one", "two"]


def test_a_folder_may_be_a_split(tmp_path):
    train = write(tmp_path / "train.txt", "This is train.")
    for i in range(2):
        write(tmp_path / "dev" / f"{i}.txt", f"Text number {i}.")
    corpus = read_documents(train, validation=str(tmp_path / "dev"))
    assert corpus.split("validation").texts == ["Text number 0.", "Text number 1."]


def test_test_files_alone_leave_validation_to_the_training_texts(tmp_path):
    train = write(tmp_path / "train.csv", "text\n" + "".join(f"text {i}\n" for i in range(20)))
    corpus = read_documents(train, test=write(tmp_path / "test.txt", "This is test."))
    sizes = {name: len(part) for name, part in corpus.splits.items()}
    assert sizes == {"train": 18, "validation": 2, "test": 1}


def test_a_table_without_a_column_of_splits_is_split_by_content(tmp_path):
    table = write(tmp_path / "a.csv", "text\n" + "".join(f"text {i}\n" for i in range(20)))
    corpus = read_documents(table)
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }


def test_a_table_without_validation_rows_gives_some_of_its_training_rows(tmp_path):
    rows = ["last,test"] + [f"text {i},train" for i in range(20)]
    corpus = read_documents(write(tmp_path / "a.csv", "\n".join(["text,split", *rows])))
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 18,
        "validation": 2,
        "test": 1,
    }
    assert corpus.split("test").texts == ["last"]


def test_texts_of_any_number_of_classes_are_no_conditions(tmp_path):
    rows = "".join(f'{{"text": "text {i}", "label": ["x", "y"]}}\n' for i in range(10))
    with pytest.raises(UserError, match=r"any number of classes a text\. Pass one --label-column"):
        read_documents(write(tmp_path / "a.jsonl", rows), conditioned=True)


@pytest.mark.parametrize("option", ["validation", "test"])
def test_conditions_stand_in_one_table(tmp_path, option):
    table = write(tmp_path / "a.csv", "text,label\nx,a\n")
    with pytest.raises(UserError, match="--conditioned needs texts with classes"):
        read_documents(table, conditioned=True, **{option: table})


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*no\.txt: No such file"):
        read_documents(str(tmp_path / "no.txt"))


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
        return DocumentCorpus.from_splits("a", {"train": Documents(texts, True, labels)}).checksum

    assert checksum(["a", "b"]) == checksum(["a", "b"])
    several = {checksum(["a", "b"]), checksum(["ab"]), checksum(["a", "b"], [0, 1])}
    assert len(several) == 3
