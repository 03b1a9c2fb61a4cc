import importlib
import inspect
import urllib.request
from urllib.error import URLError

import pytest
import tensorflow_datasets as tfds

from apps import (
    chat,
    hate_speech,
    ner,
    sentiment,
    spam,
    summarization,
    text_generation,
    translation,
)
from data.corpora.labelled.davidson import Davidson
from data.corpora.labelled.sms_spam import SmsSpam
from data.datasets import (
    CORPORA_WITH_BODIES,
    DIALOGUE_CORPORA,
    DOCUMENT_CORPORA,
    LABELLED_CORPORA,
    PARALLEL_CORPORA,
    TAGGED_CORPORA,
    read_labelled_texts,
)
from data.errors import UserError
from data.user_files.columns import LabelledColumns

SAMPLE = "hate_speech.csv"
CLASSES = ("hate_speech", "neither", "offensive_language")


@pytest.fixture
def nothing_prepared(tmp_path, monkeypatch):
    """TFDS keeps its files below a fresh folder: it reads TFDS_DATA_DIR when imported only."""
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path / "tfds"))
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise URLError("no network in tests")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def test_the_sample_has_three_classes_and_rows_of_each_in_all_splits():
    corpus = read_labelled_texts("sample", SAMPLE)
    assert corpus.name == "sample"
    assert corpus.class_names == CLASSES
    assert not corpus.multi_label
    assert {name: part.targets.sum(axis=0).tolist() for name, part in corpus.splits.items()} == {
        "train": [96, 120, 120],
        "validation": [12, 15, 15],
        "test": [12, 15, 15],
    }


def test_the_sample_can_be_read_with_the_classes_of_a_model():
    names = ("neither", *CLASSES[:1], "offensive_language")
    assert read_labelled_texts("sample", SAMPLE, class_names=names).class_names == names
    with pytest.raises(UserError, match="unknown label"):
        read_labelled_texts("sample", SAMPLE, class_names=("a", "b"))


def test_a_path_is_read_as_a_users_file_with_its_columns(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("tweet,kind\n" + "".join(f"word{i},{'ab'[i % 2]}\n" for i in range(40)))
    corpus = read_labelled_texts(str(path), SAMPLE, columns=LabelledColumns("tweet", "kind"))
    assert corpus.name == "mine.csv"
    assert corpus.class_names == ("a", "b")


@pytest.mark.parametrize("name", ["davidsson", "nowhere/rows.csv", "nowhere/rows.parquet"])
def test_an_unknown_data_set_is_a_user_error(name):
    with pytest.raises(UserError, match=name):
        read_labelled_texts(name, SAMPLE)


@pytest.mark.parametrize("builder", [Davidson, SmsSpam])
def test_another_file_in_the_data_folder_is_refused(builder, nothing_prepared, no_network):
    path = nothing_prepared / "data" / builder.FILE
    path.parent.mkdir(parents=True)
    path.write_text("other")
    message = f"{path.name} is not the original file: its sha256 is d9298a10d1b.*, expected"
    with pytest.raises(UserError, match=message):
        read_labelled_texts(builder.name, SAMPLE, str(nothing_prepared / "data"))


@pytest.mark.parametrize("name", LABELLED_CORPORA)
@pytest.mark.parametrize("data_dir", [None, "empty", "missing"])
def test_without_file_and_network_the_message_says_where_to_put_it(
    name, data_dir, nothing_prepared, no_network
):
    (nothing_prepared / "empty").mkdir()
    data_dir = data_dir and str(nothing_prepared / data_dir)
    message = rf"cannot download {name} \(URLError\)\. Put the files? of https://.* --data-dir"
    with pytest.raises(UserError, match=message) as mistake:
        read_labelled_texts(name, SAMPLE, data_dir)
    assert f"<folder>/{name}/" in str(mistake.value)
    assert "\n" not in str(mistake.value)


@pytest.mark.parametrize("builder", [Davidson, SmsSpam])
def test_a_download_is_known_by_its_checksum(builder):
    assert builder.url_infos[builder.URL].checksum == builder.SHA256


@pytest.mark.parametrize(
    ("corpora", "arguments"),
    [
        (LABELLED_CORPORA, ["data_dir"]),
        (TAGGED_CORPORA, ["data_dir"]),
        (PARALLEL_CORPORA, ["data_dir", "source", "target"]),
        (DOCUMENT_CORPORA, ["data_dir"]),
    ],
)
def test_the_module_of_every_named_corpus_reads_it(corpora, arguments):
    for module in corpora.values():
        read = importlib.import_module(module).read
        assert list(inspect.signature(read).parameters) == arguments


@pytest.mark.parametrize(
    ("application", "corpora"),
    [
        (hate_speech, LABELLED_CORPORA),
        (sentiment, LABELLED_CORPORA),
        (spam, LABELLED_CORPORA),
        (ner, TAGGED_CORPORA),
        (translation, PARALLEL_CORPORA),
        (summarization, PARALLEL_CORPORA),
        (chat, DIALOGUE_CORPORA),
        (text_generation, DOCUMENT_CORPORA | CORPORA_WITH_BODIES | LABELLED_CORPORA),
    ],
)
def test_every_named_corpus_of_an_application_is_known(application, corpora):
    assert set(application.APPLICATION.corpora) <= corpora.keys()


def test_a_folder_that_cannot_be_prepared_in_is_a_mistake_with_a_remedy(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path / "file"))
    with pytest.raises(UserError, match=r"cannot prepare davidson in .*TFDS_DATA_DIR"):
        read_labelled_texts("davidson", "", str(tmp_path))
