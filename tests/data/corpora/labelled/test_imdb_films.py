import contextlib
import io
import tarfile
from pathlib import Path

import pytest

from data.corpora.labelled import imdb, imdb_films
from data.corpora.labelled.imdb_films import read

DATA = Path(__file__).parents[5] / "shared" / "data"
EACH = 10


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """A toy of the original whose reviews name their class and number; four are held out."""
    monkeypatch.setattr(imdb, "_REVIEWS", EACH)
    held = (("pos", range(2, 4)), ("neg", range(3, 4)), ("neg", range(7, 8)))
    monkeypatch.setattr(imdb_films, "_VALIDATION", held)
    for split in ("train", "test"):
        for name in ("neg", "pos"):
            folder = tmp_path / "aclImdb" / split / name
            folder.mkdir(parents=True)
            for number in range(EACH):
                (folder / f"{number}_7.txt").write_text(f"{name} {number} of {split}")
    return tmp_path


def test_the_files_of_the_ranges_are_for_validation(unpacked):
    corpus = read(str(unpacked))
    assert (corpus.name, corpus.class_names) == ("imdb_films", imdb.CLASS_NAMES)
    assert list(corpus.split("validation")) == [
        ("neg 3 of train", ("negative",)),
        ("neg 7 of train", ("negative",)),
        ("pos 2 of train", ("positive",)),
        ("pos 3 of train", ("positive",)),
    ]
    assert len(corpus.split("train")) == 2 * EACH - 4
    assert not set(corpus.split("train").texts) & set(corpus.split("validation").texts)
    assert corpus.split("test").texts[:2] == ["neg 0 of test", "neg 1 of test"]


def test_the_original_may_lie_in_a_folder_of_its_name(unpacked, tmp_path):
    original = read(str(unpacked))
    (tmp_path / "imdb_films").mkdir()
    (unpacked / "aclImdb").rename(tmp_path / "imdb_films" / "aclImdb")
    assert read(str(tmp_path)).checksum == original.checksum


def test_without_the_original_it_is_downloaded_once(unpacked, tmp_path, monkeypatch):
    def fetch(request, timeout):
        asked.append(request.full_url)
        return contextlib.closing(io.BytesIO(packed.getvalue()))

    packed, asked = io.BytesIO(), []
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(unpacked / "aclImdb", "aclImdb")
    monkeypatch.setattr("urllib.request.urlopen", fetch)
    monkeypatch.setenv("HOME", str(tmp_path))
    original = read(str(unpacked))
    assert read(None).checksum == read(None).checksum == original.checksum
    assert asked == [imdb.URL]


@pytest.mark.skipif(not (DATA / "imdb").is_dir(), reason="needs the original archive")
def test_the_real_validation_reviews_are_of_other_films():
    corpus = read(str(DATA))
    counts = {name: part.targets.sum(axis=0).tolist() for name, part in corpus.splits.items()}
    assert counts == {
        "train": [11_184, 11_184],
        "validation": [1_316, 1_316],
        "test": [12_500, 12_500],
    }
    # The director of a film, a part in another one and the band of a third.
    for name in ("Panahi", "Fineman", "Warhols"):
        train, validation = (
            sum(name in text for text in corpus.split(split).texts)
            for split in ("train", "validation")
        )
        assert validation > 12 and train == 0
