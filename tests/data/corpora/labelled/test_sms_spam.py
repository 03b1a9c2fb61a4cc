from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from data.corpora.labelled.sms_spam import CLASS_NAMES, SmsSpam, drop_numbers, read_messages
from data.datasets import read_labelled_texts

DATA = Path(__file__).parents[5] / "shared" / "data"


def test_a_line_without_a_label_continues_the_message(tmp_path):
    path = tmp_path / "messages"
    path.write_text('ham\tHi "you"\nham\tgoes on he\nre\tok\nspam\tWIN\u00a3\n', encoding="utf-8")
    assert read_messages(path) == [
        ("ham", 'Hi "you"'),
        ("ham", "goes on he\nre\tok"),
        ("spam", "WIN\u00a3"),
    ]


def test_exact_duplicates_are_dropped(tmp_path):
    path = tmp_path / "messages"
    path.write_text("ham\tOk\nham\tOk.\nham\tOk\nspam\tOk\n")
    assert read_messages(path) == [("ham", "Ok"), ("ham", "Ok."), ("spam", "Ok")]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Call 09058094597 NOW!", "call 0905-8094 now"),
        ("Claim code K61 today", "claim code today"),
        ("123", "123"),
    ],
)
def test_other_numbers_do_not_make_another_message(text, other):
    assert drop_numbers(text) == drop_numbers(other) != ""


def test_numbers_alone_are_different_messages():
    assert drop_numbers("12") != drop_numbers("13")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Prepares the corpus in a folder of its own; TFDS reads TFDS_DATA_DIR only when imported."""
    if not (DATA / SmsSpam.FILE).is_file():
        pytest.skip("needs the original file")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path_factory.mktemp("tfds")))
        yield read_labelled_texts("sms_spam", "spam.csv", str(DATA))


def test_different_messages_are_split_and_spam_is_an_eighth_of_each(prepared):
    sizes = {name: len(part) for name, part in prepared.splits.items()}
    assert sizes == {"train": 4138, "validation": 516, "test": 517}
    assert sum(sizes.values()) == 5_574 - 403
    assert prepared.class_names == CLASS_NAMES
    for part in prepared.splits.values():
        assert part.targets[:, 1].mean() == pytest.approx(653 / 5171, abs=0.003)


def test_spam_that_was_sent_again_is_in_one_split(prepared):
    forms = [set(map(drop_numbers, part.texts)) for part in prepared.splits.values()]
    assert sum(map(len, forms)) == len(set().union(*forms))
    again = [s for s, part in prepared.splits.items() for t in part.texts if "un-redeemed" in t]
    assert len(again) > 10


def test_the_message_with_a_line_break_is_whole(prepared):
    (text,) = [t for part in prepared.splits.values() for t in part.texts if "\n" in t]
    assert text.startswith("Nah I don't think") and text.endswith("though")
