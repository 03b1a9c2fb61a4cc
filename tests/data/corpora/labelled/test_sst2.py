from pathlib import Path

import pytest

from data.corpora.labelled import sst2
from data.corpora.labelled.sst2 import CLASS_NAMES, read
from data.errors import UserError
from data.examples.labelled import LabelledTexts

DATA = Path(__file__).parents[5] / "shared" / "data"
ROWS = 'a "fine" film\t1\nno , it \'s not\t0\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sst2").mkdir()
    for name in ("train", "dev", "test"):
        (tmp_path / "sst2" / f"{name}.tsv").write_text(ROWS + f"{name}\t1\n", encoding="utf-8")
    return tmp_path


def test_the_files_are_the_official_splits(folder):
    corpus = read(str(folder))
    assert (corpus.name, corpus.class_names) == ("sst2", CLASS_NAMES)
    assert [part.texts[2] for part in corpus.splits.values()] == ["train", "dev", "test"]
    assert list(corpus.split("test"))[:2] == [
        ('a "fine" film', ("positive",)),
        ("no , it 's not", ("negative",)),
    ]


def test_without_files_it_is_glues_which_has_no_test_labels(tmp_path, monkeypatch):
    part = LabelledTexts.from_labels(["x"], [1], CLASS_NAMES)

    def prepared(builder, class_names, data_dir, splits, text):
        assert (builder.info.full_name, text) == ("glue/sst2/2.0.0", "sentence")
        return dict.fromkeys(splits, part)

    monkeypatch.setattr(sst2, "read_prepared", prepared)
    monkeypatch.setattr(sst2, "check_download", lambda *arguments: None)
    corpus = read(str(tmp_path))
    assert corpus.name == "sst2 of GLUE"
    with pytest.raises(
        UserError, match="no split 'test' in sst2 of GLUE: it has train, validation"
    ):
        corpus.split("test")


def test_a_missing_file_is_a_user_error(folder):
    (folder / "sst2" / "dev.tsv").unlink()
    with pytest.raises(UserError, match=r"cannot read .*dev\.tsv: .*Get it from https://"):
        read(str(folder))


def test_rows_of_another_form_are_named(folder):
    path = folder / "sst2" / "train.tsv"
    path.write_text(ROWS + "good\tpositive\nbad\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"train\.tsv: 2 row\(s\) that are not .*: row 3, 4"):
        read(str(folder))


@pytest.mark.skipif(not (DATA / "sst2").is_dir(), reason="needs the original files")
def test_the_real_files_have_9613_sentences():
    corpus = read(str(DATA))
    assert {name: part.targets.sum(axis=0).tolist() for name, part in corpus.splits.items()} == {
        "train": [3310, 3610],
        "validation": [428, 444],
        "test": [912, 909],
    }
