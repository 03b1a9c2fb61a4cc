import tarfile
from pathlib import Path

import pytest

from data.corpora.labelled import imdb
from data.corpora.labelled.imdb import CLASS_NAMES, read
from data.errors import UserError
from data.examples.labelled import LabelledTexts
from data.examples.splits import canonical_form

DATA = Path(__file__).parents[5] / "shared" / "data"
FOLDERS = {"neg": "dull", "pos": "fine"}
EACH = 40


@pytest.fixture(autouse=True)
def few_reviews(monkeypatch):
    monkeypatch.setattr(imdb, "_REVIEWS", EACH)


@pytest.fixture
def unpacked(tmp_path):
    """A toy of the original: 40 reviews a folder, and files that are none."""
    root = tmp_path / "data" / "aclImdb"
    for split in ("train", "test"):
        for folder, word in FOLDERS.items():
            (root / split / folder).mkdir(parents=True)
            for i in range(EACH):
                text = f"A {word} film, n\u00famero {split} {i}. <br />"
                (root / split / folder / f"{i}_7.txt").write_text(text + "\n", encoding="utf-8")
        (root / split / "unsup").mkdir()
        (root / split / "unsup" / "0_0.txt").write_text("no label")
        (root / split / "urls_pos.txt").write_text("http://x")
    return root.parent


def pack(unpacked, name, place=""):
    folder = unpacked.parent / "packed" / place
    folder.mkdir(parents=True)
    with tarfile.open(folder / name, "w:" + name.rpartition(".")[2]) as archive:
        archive.add(unpacked / "aclImdb", "aclImdb")
    return str(unpacked.parent / "packed")


def test_the_splits_are_the_official_ones_with_a_tenth_of_train_for_validation(unpacked):
    corpus = read(str(unpacked))
    assert (corpus.name, corpus.class_names, corpus.multi_label) == ("imdb", CLASS_NAMES, False)
    assert {name: part.targets.sum(axis=0).tolist() for name, part in corpus.splits.items()} == {
        "train": [36, 36],
        "validation": [4, 4],
        "test": [40, 40],
    }
    for part in corpus.splits.values():
        for text, labels in part:
            assert labels == ("negative" if "dull" in text else "positive",)
    assert "A dull film, n\u00famero test 0. <br />" in corpus.split("test").texts


@pytest.mark.parametrize("name", ["aclImdb_v1.tar.gz", "aclImdb_v1.labelled.tar.xz"])
@pytest.mark.parametrize("place", ["", "imdb"])
def test_an_archive_says_the_same_as_its_files(unpacked, name, place):
    packed, loose = read(pack(unpacked, name, place)), read(str(unpacked))
    assert packed.checksum == loose.checksum
    for split, part in loose.splits.items():
        assert packed.split(split).texts == part.texts


def test_the_copy_of_tensorflow_datasets_says_the_same(unpacked, tmp_path, monkeypatch):
    def prepared(builder, class_names, splits):
        reviews = imdb.read_reviews(unpacked / "aclImdb")
        original = {name: imdb.label_reviews(part) for name, part in reviews.items()}
        # It shuffles.
        rows = list(reversed(range(2 * EACH)))
        assert (builder.name, splits) == ("imdb_reviews", ("train", "test"))
        return {name: part.take(rows) for name, part in original.items()}

    monkeypatch.setattr(imdb, "read_prepared", prepared)
    monkeypatch.setattr(imdb, "check_download", lambda *arguments: None)
    copy, original = read(None), read(str(unpacked))
    assert copy.checksum == original.checksum
    assert read(str(tmp_path)).checksum == original.checksum


def test_a_review_that_was_posted_again_stays_on_one_side(monkeypatch):
    texts = [
        f"Review number {'x' * i} " + "of many words " * 20 + end for i in range(40) for end in "ab"
    ]
    part = LabelledTexts.from_labels(texts, [i // 2 % 2 for i in range(80)], CLASS_NAMES)
    monkeypatch.setattr(imdb, "read_prepared", lambda *_, **__: {"train": part, "test": part})
    monkeypatch.setattr(imdb, "check_download", lambda *arguments: None)
    splits = read(None).splits
    sides = [{text[:-1] for text in splits[name].texts} for name in ("train", "validation")]
    assert [len(side) for side in sides] == [36, 4] and not sides[0] & sides[1]


def test_an_archive_that_is_not_whole_is_refused(unpacked):
    (unpacked / "aclImdb" / "test" / "pos" / "3_7.txt").unlink()
    with pytest.raises(UserError, match=r"aclImdb has 39 reviews in test/pos, expected 40\. Get"):
        read(str(unpacked))


@pytest.mark.parametrize("name", ["aclImdb_v1.tar.gz", "aclImdb_v1.tar.xz"])
@pytest.mark.parametrize("content", [lambda old: old[: len(old) // 2], lambda old: b"no archive"])
def test_a_damaged_archive_is_refused(unpacked, name, content):
    folder = pack(unpacked, name)
    path = Path(folder) / name
    path.write_bytes(content(path.read_bytes()))
    # What is cut off may be the rest of a file or whole files.
    with pytest.raises(UserError, match=r"aclImdb_v1.*Get it from https://"):
        read(folder)


@pytest.mark.skipif(not (DATA / "imdb").is_dir(), reason="needs the original archive")
def test_the_real_archive_has_50_000_reviews_and_no_duplicate_across_validation(monkeypatch):
    monkeypatch.setattr(imdb, "_REVIEWS", 12_500)
    corpus = read(str(DATA))
    counts = {name: part.targets.sum(axis=0).tolist() for name, part in corpus.splits.items()}
    assert counts["test"] == [12_500, 12_500]
    assert sum(counts["train"]) + sum(counts["validation"]) == 25_000
    assert abs(counts["validation"][0] - 1250) < 10 and abs(counts["validation"][1] - 1250) < 10
    train, validation = (
        {canonical_form(t[:300]) for t in corpus.split(s).texts} for s in ("train", "validation")
    )
    assert not train & validation


def test_an_archive_of_a_folder_with_a_dot_before_it_is_read(unpacked, tmp_path):
    (tmp_path / "dot").mkdir()
    with tarfile.open(tmp_path / "dot" / "aclImdb_v1.tar", "w") as archive:
        archive.add(unpacked / "aclImdb", "./aclImdb")
    assert read(str(tmp_path / "dot")).checksum == read(str(unpacked)).checksum


@pytest.mark.parametrize("name", ["train/pos/0_7.txt", "train/unsup/0_0.txt"])
def test_a_review_that_claims_to_be_endless_is_refused_and_other_files_are_not_read(tmp_path, name):
    """The size stands in an attribute: 4 EiB in 10 KiB."""
    with tarfile.open(tmp_path / "aclImdb_v1.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(f"aclImdb/{name}")
        member.pax_headers = {
            "GNU.sparse.major": "0",
            "GNU.sparse.minor": "1",
            "GNU.sparse.name": f"aclImdb/{name}",
            "GNU.sparse.size": str(2**62),
            "GNU.sparse.map": "0,0",
        }
        archive.addfile(member)
    message = "is a sparse file" if "pos" in name else "has 0 reviews in train/neg"
    with pytest.raises(UserError, match=rf"{message}.*Get it from https://"):
        read(str(tmp_path))


def test_a_review_of_more_than_16_mib_is_refused(unpacked):
    (unpacked / "aclImdb" / "train" / "pos" / "0_7.txt").write_bytes(b"x" * (2**24 + 1))
    for folder in (str(unpacked), pack(unpacked, "aclImdb_v1.tar.gz")):
        with pytest.raises(UserError, match=r"0_7\.txt is longer than 16 MiB"):
            read(folder)


def test_a_review_that_is_not_utf_8_is_one_line(unpacked):
    (unpacked / "aclImdb" / "train" / "pos" / "0_7.txt").write_bytes(b"caf\xe9")
    with pytest.raises(UserError, match=r"cannot read .*aclImdb: 'utf-8' codec .*Get it from"):
        read(str(unpacked))
