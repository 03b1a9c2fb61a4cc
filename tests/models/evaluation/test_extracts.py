import pytest

from models.evaluation.extracts import central_sentences, leading_sentences, split_sentences

TEXT = 'Mr. Hall comes at 3.30 pm. "Really?" she asked.\nBring cake!  Bye'


def test_a_sentence_ends_with_a_sign_or_its_line():
    assert split_sentences(TEXT) == [
        "Mr.",
        "Hall comes at 3.30 pm.",
        '"Really?" she asked.',
        "Bring cake!",
        "Bye",
    ]


def test_the_first_sentences_are_a_summary():
    assert leading_sentences(["A b. C d. E f.", ""], 2) == ["A b. C d.", ""]


def test_the_sentence_that_shares_most_words_is_central():
    pytest.importorskip("sumy")
    text = "It rains. The red bus stops here. The red bus stops at the red house. I like tea."
    assert central_sentences([text, "Alone.", "", "?!"]) == [
        "The red bus stops at the red house.",
        "Alone.",
        "",
        "?!",
    ]
