"""Tests of `data.corpora.prepared`, with toys that TensorFlow Datasets prepares."""

import errno
import hashlib
import os
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data.corpora.documents import tiny_shakespeare
from data.corpora.labelled import sms_spam
from data.corpora.labelled.davidson import Davidson
from data.corpora.labelled.sms_spam import SmsSpam
from data.corpora.prepared import explain_tfds_errors
from data.corpora.tagged import conll2003
from data.datasets import read_documents, read_labelled_texts, read_tagged_texts
from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledTexts
from data.files.writing import sha256


def messages(word):
    return "".join(f"{'ham' if i % 2 else 'spam'}\t{word} {'x' * i}\n" for i in range(40))


def prepare(folder, word):
    """A toy of the corpus, prepared below `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        file = folder / SmsSpam.FILE
        file.parent.mkdir(parents=True)
        file.write_text(messages(word))
        patch.setattr(SmsSpam, "SHA256", sha256(file))
        patch.setattr(tfds.core.constants, "DATA_DIR", str(folder / "tfds"))
        return read_labelled_texts("sms_spam", "", str(folder))


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Two corpora that differ in their texts, and the folders in which they were prepared."""
    folders = [tmp_path_factory.mktemp(word) for word in ("hello", "goodbye")]
    return {folder: prepare(folder, word) for folder, word in zip(folders, "ab", strict=True)}


@pytest.fixture
def copy(toys, tmp_path, monkeypatch):
    """A copy of the first, which may be damaged: its folder, and that of the other."""
    first, second = toys
    shutil.copytree(first / "tfds", tmp_path / "tfds")
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path / "tfds" / "sms_spam" / "1.0.0", second / "tfds" / "sms_spam" / "1.0.0"


def test_a_prepared_corpus_is_known_by_what_it_says(toys, copy):
    again = read_labelled_texts("sms_spam", "")
    first, second = toys.values()
    assert again.checksum == first.checksum != second.checksum
    assert sum(map(len, again.splits.values())) == 40


def test_its_texts_can_be_learned_from_with_or_without_their_classes(copy):
    assert read_documents("sms_spam").class_names == ()
    conditioned = read_documents("sms_spam", conditioned=True, class_names=("ham", "spam"))
    assert conditioned.class_names == ("ham", "spam")
    assert len(conditioned.everything()) == 40
    with pytest.raises(UserError, match="has the classes ham, spam, the model has a, b"):
        read_documents("sms_spam", conditioned=True, class_names=("a", "b"))


def test_other_rows_have_another_checksum(toys, copy):
    ours, other = copy
    for file in other.glob("*validation*"):
        shutil.copy(file, ours)
    first = next(iter(toys.values()))
    changed = read_labelled_texts("sms_spam", "")
    assert changed.split("train").texts == first.split("train").texts
    assert changed.checksum != first.checksum
    assert not changed.is_known_as(first.checksum)


def test_a_run_that_was_made_before_knows_the_corpus_by_its_file(toys):
    corpus = next(iter(toys.values()))
    (former,) = corpus.former_checksums
    assert corpus.checksum != former == hashlib.sha256(messages("a").encode()).hexdigest()
    assert corpus.is_known_as(corpus.checksum) and corpus.is_known_as(former)
    assert not corpus.is_known_as("0" * 64)


def test_votes_are_part_of_the_checksum():
    def checksum(votes):
        rows = LabelledTexts.from_labels(["a"], [0], ("x", "y"), np.array([votes], np.float32))
        return LabelledCorpus.from_splits("toy", {"train": rows}, ("x", "y")).checksum

    assert checksum([1, 0]) == checksum([1, 0]) != checksum([0.75, 0.25])


def test_davidsons_votes_and_labels_come_from_the_file(tmp_path, monkeypatch):
    header = ",count,hate_speech,offensive_language,neither,class,tweet\n"
    counts = ("4,0,0", "1,3,0", "0,0,4")
    lines = [f'{i},4,{counts[i % 3]},{i % 3},"tweet {"x" * i}"\n' for i in range(60)]
    file = tmp_path / Davidson.FILE
    file.parent.mkdir()
    file.write_text(header + "".join(lines))
    monkeypatch.setattr(Davidson, "SHA256", sha256(file))
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    corpus = read_labelled_texts("davidson", "", str(tmp_path))
    assert corpus.former_checksums == (sha256(file),)
    votes = {0: [1, 0, 0], 1: [0.25, 0.75, 0], 2: [0, 0, 1]}
    assert sum(map(len, corpus.splits.values())) == 60
    for part in corpus.splits.values():
        for text, target, vote in zip(part.texts, part.targets, part.votes, strict=True):
            kind = text.count("x") % 3
            assert target.argmax() == kind and vote.tolist() == votes[kind]


@pytest.mark.parametrize(
    ("pattern", "content"),
    [
        ("*train*", lambda old: old[:-20]),
        ("*train*", lambda old: old[:30] + bytes([old[30] ^ 1]) + old[31:]),
        ("dataset_info.json", lambda old: old[:100]),
        ("dataset_info.json", lambda old: b"\xff"),
    ],
    ids=["cut", "flipped", "cut-info", "no-info"],
)
def test_a_damaged_cache_is_one_line_that_names_it(copy, pattern, content):
    (file,) = copy[0].glob(pattern)
    file.write_bytes(content(file.read_bytes()))
    with pytest.raises(UserError) as caught:
        read_labelled_texts("sms_spam", "")
    message = str(caught.value)
    assert message.startswith(f"cannot prepare sms_spam in {copy[0].parent}: ")
    assert message.endswith("or remove this one if it is damaged") and "\n" not in message


def test_a_label_beyond_the_classes_is_refused(toys, copy, monkeypatch):
    monkeypatch.setattr(SmsSpam, "CLASS_NAMES", ("ham",))
    with pytest.raises(UserError, match=r"cannot prepare sms_spam in .*: labels from 0 to 1\."):
        sms_spam.read(None)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("Failed to write\nmore"),
        MemoryError(),
        KeyError("ner"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_tensorflow_datasets_raises_is_one_line(error):
    def fail():
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("Error while preparing\nthe data set") from cause

    message = r"^cannot prepare toy in .*toy: .+\. Set TFDS_DATA"
    with pytest.raises(UserError, match=message) as caught, explain_tfds_errors("toy"):
        fail()
    message = str(caught.value)
    assert "\n" not in message
    reason = "No space left" if isinstance(error, OSError) else "Error while preparing."
    assert reason in message


def test_a_mistake_of_the_user_stays_what_it_is():
    with pytest.raises(UserError, match=r"^another file$"), explain_tfds_errors("toy"):
        raise UserError("another file")


class Builder:
    """A builder that cannot write, or that was prepared before."""

    def __init__(self, prepared, parts=()):
        self.prepared, self.parts = prepared, parts

    def is_prepared(self):
        return self.prepared

    def download_and_prepare(self):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def as_dataset(self, split):
        return self.parts[split]


@pytest.mark.parametrize(
    ("module", "read"),
    [
        (conll2003, lambda: read_tagged_texts("conll2003", "")),
        (tiny_shakespeare, lambda: tiny_shakespeare.read(None)),
    ],
)
def test_a_full_disk_is_one_line(module, read, monkeypatch):
    monkeypatch.setattr(tfds, "builder", lambda name: Builder(prepared=False))
    name = module.__name__.rpartition(".")[2]
    monkeypatch.setattr(module, "check_download", lambda *_: None)
    with pytest.raises(UserError, match=rf"cannot prepare {name} in .*: No space left on device"):
        read()


def test_shakespeare_of_tensorflow_datasets_is_its_three_parts_joined(tmp_path, monkeypatch):
    text = "To be, or n\u00f3t to be. " * 50
    content = text.encode()
    parts = {"train": content[:800], "validation": content[800:900], "test": content[900:]}
    rows = {name: [{"text": part}] for name, part in parts.items()}
    monkeypatch.setattr(tfds, "builder", lambda name: Builder(prepared=True, parts=rows))
    monkeypatch.setattr(tfds, "as_numpy", lambda rows: rows)
    corpus = tiny_shakespeare.read(None)
    (tmp_path / "input.txt").write_text(text, encoding="utf-8")
    assert corpus.checksum == tiny_shakespeare.read(str(tmp_path)).checksum
    assert corpus.split("train").texts == [text[: int(0.9 * len(text))]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"caf\xe9", "'utf-8' codec"), (b"x" * (2**24 + 1), "is longer than 16 MiB")],
    ids=["latin-1", "too long"],
)
def test_a_file_that_is_not_shakespeare_is_one_line(content, reason, tmp_path):
    (tmp_path / "input.txt").write_bytes(content)
    with pytest.raises(UserError, match=rf"input\.txt.*{reason}.* Get it from https://"):
        tiny_shakespeare.read(str(tmp_path))


def test_the_original_file_has_the_same_examples_in_the_same_splits(toys, monkeypatch):
    folder, prepared = next(iter(toys.items()))
    monkeypatch.setattr(SmsSpam, "SHA256", sha256(folder / SmsSpam.FILE))
    original = read_labelled_texts("sms_spam", "", str(folder), original=True)
    assert original.class_names == prepared.class_names
    for name, part in prepared.splits.items():
        assert sorted(original.splits[name]) == sorted(part)


def test_an_original_file_that_is_another_or_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file sms_spam/SMSSpamCollection in .*--data-dir"):
        read_labelled_texts("sms_spam", "", str(tmp_path), original=True)
    (tmp_path / "sms_spam").mkdir()
    (tmp_path / SmsSpam.FILE).write_text(messages("a"))
    with pytest.raises(UserError, match="is not the original file"):
        read_labelled_texts("sms_spam", "", str(tmp_path), original=True)
