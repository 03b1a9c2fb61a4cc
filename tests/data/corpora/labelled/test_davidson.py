from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data.corpora.labelled.davidson import CLASS_NAMES
from data.datasets import read_labelled_texts
from data.errors import UserError
from data.examples.splits import canonical_form

DATA = Path(__file__).parents[5] / "shared" / "data"
ROWS = {"train": 19847, "validation": 2474, "test": 2462}

pytestmark = pytest.mark.skipif(
    not (DATA / "davidson" / "labeled_data.csv").is_file(), reason="needs the original file"
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Prepares the corpus in a folder of its own; TFDS reads TFDS_DATA_DIR only when imported."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("tfds")
        patch.setattr(tfds.core.constants, "DATA_DIR", str(folder))
        yield read_labelled_texts("davidson", "hate_speech.csv", str(DATA))


def test_every_row_is_in_one_of_three_splits(prepared):
    assert {name: len(part) for name, part in prepared.splits.items()} == ROWS
    assert sum(ROWS.values()) == 24_783
    assert prepared.name == "davidson"
    assert prepared.class_names == CLASS_NAMES


def test_every_split_has_the_shares_of_the_classes(prepared):
    for part in prepared.splits.values():
        np.testing.assert_allclose(part.targets.mean(axis=0), [0.058, 0.774, 0.168], atol=0.005)
        np.testing.assert_array_equal(part.targets.sum(axis=1), 1)


def test_no_text_and_no_duplicate_of_it_is_in_two_splits(prepared):
    forms = [{canonical_form(text) for text in part.texts} for part in prepared.splits.values()]
    assert sum(map(len, forms)) == len(set().union(*forms))


def test_no_retweet_is_in_another_split_than_its_tweet(prepared):
    forms = [
        {canonical_form(text).removeprefix("rt ") for text in part.texts}
        for part in prepared.splits.values()
    ]
    assert sum(map(len, forms)) == len(set().union(*forms))


def test_votes_sum_to_one_and_most_annotators_agree_with_the_label(prepared):
    for part in prepared.splits.values():
        assert part.votes.dtype == np.float32
        np.testing.assert_allclose(part.votes.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal((part.votes * part.targets).max(1), part.votes.max(1))


def test_texts_are_those_of_the_file(prepared):
    content = (DATA / "davidson" / "labeled_data.csv").read_text(encoding="utf-8")
    content = content.replace('""', '"')
    assert all(text in content for text in prepared.split("test").texts[:200])


def test_a_prepared_corpus_is_read_again_without_the_file(prepared):
    again = read_labelled_texts("davidson", "hate_speech.csv", class_names=CLASS_NAMES)
    assert again.split("test").texts == prepared.split("test").texts
    assert again.checksum == prepared.checksum


def test_the_classes_of_another_model_are_refused(prepared):
    with pytest.raises(UserError, match=r"davidson has the classes hate_speech, .* has a, b\."):
        read_labelled_texts("davidson", "hate_speech.csv", class_names=("a", "b"))
