import io
import tarfile

import pytest

from data.corpora.parallel.aeslc import read
from data.datasets import read_documents
from data.errors import UserError
from data.examples.parallel import Pair

MAILS = {
    **{f"train/m{n}.subject": f"Body {n}.\r\nBye\n\n@subject\nSubject {n}\n" for n in range(60)},
    "train/without.subject": "A body.\n\n@subject\n\n",
    "dev/a.subject": "Who comes?\n\n@subject\nDinner  tonight\n\n@ann0\nguests\n\n@ann1\nwho\n",
}


def archive(folder, mails, top="enron_subject_line"):
    (folder / "aeslc").mkdir(exist_ok=True)
    with tarfile.open(folder / "aeslc" / "mails.tar.xz", "w:xz") as file:
        for name, text in mails.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text.encode())
            file.addfile(member, io.BytesIO(text.encode()))
    return str(folder)


def test_the_senders_subject_is_the_summary_of_a_mail(tmp_path):
    corpus = read(archive(tmp_path, MAILS), "text", "summary")
    assert corpus.split("test").rows == [Pair("Who comes?", "Dinner tonight")]
    # What annotators wrote is right, too.
    assert corpus.split("test").others == [("guests", "who")]
    assert corpus.split("train").others == []
    train, validation = corpus.split("train"), corpus.split("validation")
    assert (len(train) + len(validation), len(validation) < 15) == (60, True)
    assert Pair("Body 7.\nBye", "Subject 7") in [*train, *validation]
    assert corpus.languages == ("text", "summary")


def test_a_test_part_is_measured_where_there_is_one(tmp_path):
    mails = {**MAILS, "test/b.subject": "The test.\n\n@subject\nTest\n"}
    corpus = read(archive(tmp_path, mails), "text", "summary")
    assert corpus.split("test").rows == [Pair("The test.", "Test")]


def test_an_unpacked_folder_is_the_same_corpus(tmp_path):
    packed = read(archive(tmp_path, MAILS), "text", "summary")
    for name, text in MAILS.items():
        path = tmp_path / "b" / "aeslc" / "enron_subject_line" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
    assert read(str(tmp_path / "b"), "text", "summary") == packed


def test_the_bodies_alone_are_documents_in_the_same_splits(tmp_path):
    folder = archive(tmp_path, MAILS)
    mails, documents = read(folder, "text", "summary"), read_documents("aeslc", folder)
    assert documents.split("test").texts == ["Who comes?"]
    assert "Body 7. Bye" in [*documents.split("train"), *documents.split("validation")]
    sizes = ({name: len(part) for name, part in each.splits.items()} for each in (mails, documents))
    assert next(sizes) == next(sizes)


def test_what_is_not_there_or_empty_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(UserError, match=r"no aeslc in .* pass --data-dir <folder>"):
        read(str(tmp_path), "text", "summary")
    with pytest.raises(UserError, match="has no e-mails in enron_subject_line/train"):
        read(archive(tmp_path, {"dev/a.subject": MAILS["dev/a.subject"]}), "text", "summary")
