import json
from pathlib import Path

import pytest

from data.corpora import TAGGED_CORPORA, read_tagged_texts
from data.errors import UserError
from data.tagged_columns import TaggedColumns
from data.tagged_files import read_tagged_files

DATA = Path(__file__).parents[3] / "shared" / "data"
ROW = {"text": "Åsa met Jo in Lyon", "spans": [{"start": 14, "end": 18, "type": "LOC"}]}
ROWS = [
    {"text": f"{name} met Jo in Lyon", "spans": [[0, len(name), "PER"]]}
    for name in ("Ana", "Bo", "Cleo", "Dag", "Eva", "Finn", "Gil", "Hal", "Ivo", "Jan", "Kit")
]


def read(tmp_path, rows, **options):
    path = tmp_path / "some.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_tagged_files(str(path), TaggedColumns(), **options)


def test_spans_count_code_points(tmp_path):
    corpus = read(tmp_path, [ROW, *ROWS], types=("LOC", "PER"))
    [row] = [row for row in corpus.everything() if row.text == ROW["text"]]
    assert [row.text[start:end] for start, end, _ in row.spans] == ["Lyon"]


def test_a_file_is_split_by_content(tmp_path):
    corpus, turned = read(tmp_path, ROWS), read(tmp_path, ROWS[::-1])
    assert list(corpus.splits) == ["train", "validation", "test"]
    for name, part in corpus.splits.items():
        assert sorted(part.texts) == sorted(turned.split(name).texts)
    assert corpus.class_names == ("PER",)


def test_a_column_of_splits_is_used(tmp_path):
    names = ["train"] * 8 + ["dev"] * 2 + ["test"]
    corpus = read(tmp_path, [{**row, "split": s} for row, s in zip(ROWS, names, strict=True)])
    assert {name: len(part) for name, part in corpus.splits.items()} == {
        "train": 8,
        "validation": 2,
        "test": 1,
    }


def test_splits_may_have_files_of_their_own(tmp_path):
    for name, size in (("train", 9), ("dev", 2), ("test", 1)):
        text = "Ana B-PER\nran O\n\n" * size
        (tmp_path / f"{name}.txt").write_text(text)
    train, dev, test = (str(tmp_path / f"{name}.txt") for name in ("train", "dev", "test"))
    corpus = read_tagged_files(train, TaggedColumns(), dev, test)
    assert [len(part) for part in corpus.splits.values()] == [9, 2, 1]
    corpus = read_tagged_files(train, TaggedColumns(), validation=dev)
    assert [len(part) for part in corpus.splits.values()] == [9, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spans": [[0, 3]]}, "a span without start, end and type"),
        ({"spans": [[0, 99, "X"]]}, "the span 0-99 in a text of 18 characters"),
        ({"spans": [[0, 3, "X"], [2, 5, "X"]]}, "overlaps another"),
        ({"spans": [[3, 4, "X"]]}, "holds no letter"),
        ({"spans": None}, "'spans' is no list"),
        ({"text": " "}, "an empty text"),
        ({"split": "tset"}, "an unknown split 'tset'"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(change, message, tmp_path):
    with pytest.raises(UserError) as refusal:
        read(tmp_path, [*ROWS, {**ROW, **change}])
    assert message in str(refusal.value)
    assert "row 12" in str(refusal.value)


def test_types_that_a_model_does_not_know_are_refused(tmp_path):
    with pytest.raises(UserError, match="has the type 'PER', the model knows LOC"):
        read(tmp_path, ROWS, types=("LOC",))


def test_texts_without_entities_are_refused(tmp_path):
    with pytest.raises(UserError, match="has no entity"):
        read(tmp_path, [{"text": f"row {i}", "spans": []} for i in range(9)])


def test_the_sample_has_every_type_in_all_splits(shipped_samples):
    corpus = read_tagged_texts("sample", "ner.conll")
    assert corpus.class_names == ("LOC", "MISC", "ORG", "PER")
    assert len(corpus.everything()) >= 200
    assert len(set(corpus.everything().texts)) == len(corpus.everything())
    for part in corpus.splits.values():
        assert part.types() == {"LOC", "MISC", "ORG", "PER"}


@pytest.mark.parametrize("name", TAGGED_CORPORA)
def test_a_corpus_that_is_not_there_says_where_to_get_it(name, tmp_path, monkeypatch):
    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(UserError, match="--data-dir <folder>"):
        read_tagged_texts(name, "", str(tmp_path))


def test_conll2003_is_read_from_the_files_of_the_shared_task(tmp_path):
    text = "-DOCSTART- -X- -X- O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nUK NNP I-NP I-LOC\n\n"
    for name in ("eng.train", "eng.testa", "eng.testb"):
        (tmp_path / name).write_text(text)
    corpus = read_tagged_texts("conll2003", "", str(tmp_path))
    assert corpus.class_names == ("LOC", "MISC", "ORG", "PER")
    assert [part.texts for part in corpus.splits.values()] == [["EU rejects UK"]] * 3
    assert corpus.split("test").rows[0].spans == ((0, 2, "ORG"), (11, 13, "LOC"))


def test_without_files_tensorflow_datasets_prepares_conll2003(tmp_path, monkeypatch):
    text = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\nUK NNP B-NP B-LOC\n\n"
    downloaded = tmp_path / "downloaded"
    downloaded.mkdir()
    for name in ("train", "valid", "test"):
        (downloaded / f"{name}.txt").write_text(text)
    monkeypatch.setattr(
        "tensorflow_datasets.download.DownloadManager.download_and_extract", lambda *_: downloaded
    )
    monkeypatch.setattr("tensorflow_datasets.core.constants.DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr("data.conll2003.check_download", lambda *_: None)
    corpus = read_tagged_texts("conll2003", "", str(tmp_path))
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert [part.texts for part in corpus.splits.values()] == [["EU rejects UK"]] * 3
    assert corpus.split("test").rows[0].spans == ((0, 2, "ORG"), (11, 13, "LOC"))


@pytest.mark.parametrize(("name", "sizes"), [("wnut17", [3394, 1009, 1287]), ("btc", [6338, 1000])])
def test_a_corpus_has_its_official_splits(name, sizes):
    if not (DATA / name).is_dir():
        pytest.skip(f"{name} is not here")
    corpus = read_tagged_texts(name, "", str(DATA))
    assert [len(part) for part in corpus.splits.values()] == sizes


def test_the_scheme_is_told_where_it_becomes_another(tmp_path, capsys):
    for tag, told in (("B-PER", False), ("I-PER", True)):
        path = tmp_path / "some.conll"
        path.write_text(f"Ana {tag}\nran O\n\n")
        read_tagged_files(str(path), TaggedColumns())
        assert (f"{path}: tags of the scheme IO, taken as BIO" in capsys.readouterr().out) is told
