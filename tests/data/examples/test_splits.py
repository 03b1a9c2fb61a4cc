import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.examples.corpus import SPLITS
from data.examples.splits import canonical_form, split_by_content

TEXTS = [f"text number {i}" for i in range(100)]
STRATA = ["rare" if i < 20 else "frequent" for i in range(100)]


def split_of(texts, strata, **options):
    """The split of each text, by its canonical form."""
    splits = split_by_content(texts, strata, **options)
    return {canonical_form(texts[row]): name for name, rows in splits.items() for row in rows}


def test_splits_are_80_10_10_in_every_stratum():
    splits = split_by_content(TEXTS, STRATA)
    assert {name: Counter(STRATA[row] for row in rows) for name, rows in splits.items()} == {
        "train": {"rare": 16, "frequent": 64},
        "validation": {"rare": 2, "frequent": 8},
        "test": {"rare": 2, "frequent": 8},
    }


def test_every_row_is_in_one_split_and_rows_ascend():
    splits = split_by_content(TEXTS, STRATA)
    assert tuple(splits) == SPLITS
    assert sorted(row for rows in splits.values() for row in rows) == list(range(100))
    assert all(rows == sorted(rows) for rows in splits.values())


def test_other_fractions_are_kept_and_unnamed_splits_are_empty():
    splits = split_by_content(TEXTS, STRATA, fractions={"train": 0.5, "validation": 0.5})
    assert {name: len(rows) for name, rows in splits.items()} == {
        "train": 50,
        "validation": 50,
        "test": 0,
    }


def test_no_rows_make_empty_splits():
    assert split_by_content([], []) == {"train": [], "validation": [], "test": []}


WORDS = st.sampled_from(["ham", "Ham!", "spam", "eggs", "tea", "@a tea", "milk", "", "😂"])


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, st.sampled_from("ab")), max_size=30), st.randoms())
def test_splits_do_not_depend_on_the_order_of_the_rows(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert split_of(*columns(rows)) == split_of(*columns(shuffled))


def columns(rows):
    return [text for text, _ in rows], [stratum for _, stratum in rows]


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, st.sampled_from("ab")), max_size=30))
def test_duplicates_never_cross_splits(rows):
    texts, strata = columns(rows)
    splits = split_by_content(texts, strata)
    forms = [{canonical_form(texts[row]) for row in rows} for rows in splits.values()]
    assert sum(map(len, forms)) == len(set().union(*forms))


def test_another_seed_gives_another_split():
    assert split_of(TEXTS, STRATA) != split_of(TEXTS, STRATA, seed=1)
    assert split_of(TEXTS, STRATA, seed=1) == split_of(TEXTS, STRATA, seed=1)


def test_the_split_is_the_same_on_every_machine():
    assert split_by_content(TEXTS[:10], ["a"] * 10)["test"] == [2]


def test_one_copy_of_a_row_joins_it_and_changes_nothing_else():
    copied = [*TEXTS, TEXTS[7].upper()]
    assert split_of(copied, [*STRATA, STRATA[7]]) == split_of(TEXTS, STRATA)


def test_many_copies_of_a_row_change_nothing_else():
    copied = TEXTS + [TEXTS[7]] * 50
    assert split_of(copied, STRATA + [STRATA[7]] * 50) == split_of(TEXTS, STRATA)


@pytest.mark.parametrize("seed", range(5))
def test_duplicates_of_different_labels_belong_to_the_most_frequent(seed):
    # A text that stands twice as "b" and once as "a" is split as one of "b" is.
    texts = [f"{i} {label}" for label in "ab" for i in range(10)]
    alone = split_by_content(texts, ["a"] * 10 + ["b"] * 10, seed)
    copies = [texts[-1].upper(), f"{texts[-1]}!"]
    copied = split_by_content([*texts, *copies], ["a"] * 10 + ["b"] * 10 + ["a", "b"], seed)
    assert copied == {name: [*rows, 20, 21] if 19 in rows else rows for name, rows in alone.items()}


@pytest.mark.parametrize("rows", [3, 4, 5, 6])
def test_a_stratum_of_three_texts_reaches_every_split(rows):
    splits = split_by_content(TEXTS[:rows], ["a"] * rows)
    assert all(splits.values())


def test_many_small_strata_still_fill_every_split():
    splits = split_by_content(TEXTS, list(range(100)))
    assert all(splits.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello World", "hello   world!!"),
        ("a &amp; b", "a & b"),
        ("it’s", "it's"),
        ("@ann hello", "@ben hello"),
        ("hello http://t.co/1", "hello https://t.co/2"),
        ("hello\nworld", "hello world"),
        pytest.param(
            "RT @ann: hello world",
            "hello world",
        ),
        pytest.param(
            "hello &amp;#128514;",
            "hello &#128514;",
        ),
        pytest.param(
            "cafe\u0301s",
            "caf\u00e9s",
        ),
    ],
)
def test_texts_that_differ_in_looks_alone_are_duplicates(one, other):
    assert canonical_form(one) == canonical_form(other)


def test_marks_on_a_letter_beyond_thirty_are_no_matter():
    one, other = "a" + "\u0301\u0327" * 15, "a" + "\u0301\u0327" * 400
    assert canonical_form(one) == canonical_form(other) != canonical_form("a" + "\u0301\u0327" * 14)


@pytest.mark.parametrize("marks", ["\u0301\u0327", "\u0344", "\u0f73", "\U0001d165"], ids=ascii)
def test_time_grows_with_the_length_of_runs_of_marks_alone(marks):
    started = time.process_time()
    canonical_form("a" + marks * 200_000)
    assert time.process_time() - started < 5.0


def test_references_of_any_number_of_digits_are_read():
    assert canonical_form("a &#" + "1" * 4301 + "; b") == canonical_form("a &#x110000; b")
    assert canonical_form("a &amp;#" + "1" * 4301 + "; b") == canonical_form("a \ufffd b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hello world", "hello words"),
        ("😂", "😭"),
        ("!!!", "???"),
        ("1", "2"),
        ("Привет", "Пока"),
        pytest.param(
            "कि",
            "का",
        ),
    ],
)
def test_texts_that_say_something_else_are_no_duplicates(one, other):
    assert canonical_form(one) != canonical_form(other)


def test_another_form_keeps_other_rows_together():
    texts = [f"{word}{i}" for word in "abcdefghij" for i in range(5)]
    splits = split_by_content(texts, [0] * 50, form=lambda text: text[0])
    words = [{texts[row][0] for row in rows} for rows in splits.values()]
    assert [len(part) for part in words] == [8, 1, 1]
    assert len(set().union(*words)) == 10
