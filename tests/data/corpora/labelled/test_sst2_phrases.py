import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from data.corpora.labelled.sst2_phrases import CLASS_NAMES, SENTENCE_WEIGHT, read
from data.errors import UserError

DATA = Path(__file__).parents[5] / "shared" / "data"
TREES = {
    "train": "(3 (2 a) (4 (3 (2 very) (3 fine)) (2 film)))\n"
    "(1 (2 (2 -LRB-) (2 (2 no) (2 -RRB-))) (1 (1 dull) (2 and\\/or)))\n"
    "(2 (4 superb) (1 (2 in) (1 nothing)))\n",
    "dev": "(0 (1 dull) (2 film))\n(2 (2 so) (2 so))\n",
    "test": "(4 (3 fine) (2 !))\n",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sst2" / "trees").mkdir(parents=True)
    for name, trees in TREES.items():
        (tmp_path / "sst2" / "trees" / f"{name}.txt").write_text(trees, encoding="utf-8")
    return tmp_path


def test_training_has_the_sentences_three_times_and_their_phrases_once(folder):
    corpus = read(str(folder))
    assert (corpus.name, corpus.class_names) == ("sst2_phrases", CLASS_NAMES)
    # "fine", "dull" are parts of sentences of other splits, too; a neutral sentence has phrases.
    assert Counter(corpus.split("train")) == {
        ("a very fine film", ("positive",)): SENTENCE_WEIGHT,
        ("( no ) dull and/or", ("negative",)): SENTENCE_WEIGHT,
        ("very fine film", ("positive",)): 1,
        ("very fine", ("positive",)): 1,
        ("dull and/or", ("negative",)): 1,
        ("superb", ("positive",)): 1,
        ("in nothing", ("negative",)): 1,
        ("nothing", ("negative",)): 1,
    }


def test_the_other_splits_are_sentences_that_are_not_neutral(folder):
    corpus = read(str(folder))
    assert list(corpus.split("validation")) == [("dull film", ("negative",))]
    assert list(corpus.split("test")) == [("fine !", ("positive",))]


def test_a_training_sentence_that_is_held_out_is_not_learned(folder):
    path = folder / "sst2" / "trees" / "train.txt"
    path.write_text(TREES["train"] + TREES["dev"], encoding="utf-8")
    assert not {"dull film", "so"} & set(read(str(folder)).split("train").texts)


def test_the_archive_is_read_as_it_is(folder):
    unpacked = read(str(folder))
    trees = folder / "sst2" / "trees"
    with zipfile.ZipFile(folder / "trainDevTestTrees_PTB.zip", "w") as archive:
        for path in trees.iterdir():
            archive.write(path, f"trees/{path.name}")
            path.unlink()
    trees.rmdir()
    assert read(str(folder)).checksum == unpacked.checksum


@pytest.mark.parametrize(
    "line",
    ["a film\t1", "(3 (2 a) (4 joy)", "(3 (2 a) (4 joy)))", "(5 joy)", "(3 joy) (2 a)", "(3 )"],
)
def test_a_line_that_is_no_tree_is_named(folder, line):
    path = folder / "sst2" / "trees" / "dev.txt"
    path.write_text(f"(3 joy)\n\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"dev\.txt: 1 row\(s\) that are not a tree .*: row 3\."):
        read(str(folder))


def test_a_missing_file_is_a_user_error(folder):
    (folder / "sst2" / "trees" / "test.txt").unlink()
    with pytest.raises(UserError, match=r"cannot read .*test\.txt: .*Get it from https://"):
        read(str(folder))


def test_without_trees_the_archive_is_downloaded_once(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    wanted = read(str(folder)).checksum
    addresses = []

    def answer(request, timeout):
        addresses.append(request.full_url)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, trees in TREES.items():
                archive.writestr(f"trees/{name}.txt", trees)
        return io.BytesIO(content.getvalue())

    monkeypatch.setattr("urllib.request.urlopen", answer)
    assert read(None).checksum == read(None).checksum == wanted
    assert addresses == ["https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip"]


@pytest.mark.skipif(not (DATA / "sst2" / "trees").is_dir(), reason="needs the original files")
def test_the_real_trees_have_6920_training_sentences():
    corpus = read(str(DATA))
    assert [len(part) for part in corpus.splits.values()] == [88_342, 872, 1821]
