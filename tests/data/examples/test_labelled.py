import numpy as np
import pytest

from data.errors import UserError
from data.examples.labelled import LabelledCorpus, LabelledText, LabelledTexts

TARGETS = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.float32)
VOTES = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.4, 0.6]], np.float32)
TEXTS = LabelledTexts(["ham", "spam", "both", "none"], TARGETS, ("a", "b"), VOTES)


def corpus():
    splits = {"train": TEXTS.take([0, 1, 2]), "test": TEXTS.take([3])}
    return LabelledCorpus("toy", "00", splits, ("a", "b"), True)


def test_rows_come_with_the_names_of_their_classes():
    assert list(TEXTS) == [
        LabelledText("ham", ("a",)),
        LabelledText("spam", ("b",)),
        LabelledText("both", ("a", "b")),
        LabelledText("none", ()),
    ]
    assert len(TEXTS) == 4


def test_take_keeps_texts_targets_and_votes_together_in_the_order_asked_for():
    taken = TEXTS.take([2, 0])
    assert taken.texts == ["both", "ham"]
    np.testing.assert_array_equal(taken.targets, TARGETS[[2, 0]])
    np.testing.assert_array_equal(taken.votes, VOTES[[2, 0]])


def test_take_of_no_rows_is_empty_and_keeps_the_classes():
    taken = TEXTS.take(np.array([], np.int64))
    assert len(taken) == 0
    assert taken.targets.shape == (0, 2)
    assert taken.class_names == ("a", "b")


def test_take_without_votes_has_none():
    assert LabelledTexts(["x"], TARGETS[:1], ("a", "b")).take([0]).votes is None


def test_everything_joins_the_splits_in_order_without_votes():
    everything = corpus().everything()
    assert everything.texts == TEXTS.texts
    np.testing.assert_array_equal(everything.targets, TARGETS)
    assert everything.votes is None


def test_a_split_is_found_by_name():
    assert corpus().split("test").texts == ["none"]


@pytest.mark.parametrize(
    ("names", "measured"),
    [
        (("train", "validation", "test"), "test"),
        (("test",), "test"),
        (("train", "validation"), "validation"),
        (("train",), "test"),
    ],
)
def test_a_model_is_measured_on_test_or_where_there_is_none_on_validation(names, measured):
    splits = dict.fromkeys(names, TEXTS)
    assert LabelledCorpus("toy", "00", splits, ("a", "b"), True).measured_split() == measured


def test_a_missing_split_is_a_user_error_that_lists_the_others():
    with pytest.raises(UserError, match=r"no split 'dev' in toy: it has train, test\. .*--split"):
        corpus().split("dev")
