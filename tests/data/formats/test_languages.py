"""Tests of `data.formats.languages`."""

import pytest

from data.errors import UserError
from data.formats.languages import find_languages, is_language, language_code, three_letter_code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        (" en ", "en"),
        ("eng", "en"),
        ("English", "en"),
        ("anglais", "en"),
        ("en-GB", "en-gb"),
        ("en_GB", "en-gb"),
        ("eng_Latn", "en-latn"),
        ("français", "fr"),
        ("FRANÇAIS", "fr"),
        ("Francais", "fr"),
        ("fre", "fr"),
        ("中文", "zh"),
        ("zh-Hans-CN", "zh-hans-cn"),
        ("Norwegian Bokmål", "nb"),
        ("한국어", "ko"),
        ("tlh", "tlh"),
        ("", ""),
    ],
)
def test_a_language_has_one_code_however_it_is_written(name, code):
    assert language_code(name) == code


@pytest.mark.parametrize("name", ["en", "en-GB", "French", "zho", "es-419", "sr-Latn"])
def test_codes_and_names_are_languages(name):
    assert is_language(name)


@pytest.mark.parametrize("name", ["", "Yes", "en-", "-en", "it is", "fr-très bien", "x" * 1000])
def test_words_and_sentences_are_no_languages(name):
    assert not is_language(name)


def test_manythings_org_has_codes_of_its_own():
    assert [three_letter_code(code) for code in ("fr", "de", "zh", "fa", "tlh")] == [
        "fra",
        "deu",
        "cmn",
        "pes",
        "tlh",
    ]


def test_a_region_is_found_by_its_language_and_not_the_reverse():
    assert find_languages("en", ["fr", "en-GB"], "x", "--source") == ["en-gb"]
    assert find_languages("en", ["en-GB", "fr", "en"], "x", "--source") == ["en", "en-gb"]
    assert find_languages("en-GB", ["fr", "English"], "x", "--source") == []
    assert find_languages("en-US", ["en-GB"], "x", "--source") == []
    # A code is not the beginning of another.
    assert find_languages("en", ["eno", "e"], "x", "--source") == []


def test_several_regions_are_refused_unless_the_language_itself_is_there():
    with pytest.raises(UserError, match=r"x has several kinds of 'en': en-GB, en_US\. .* --source"):
        find_languages("en", ["en-GB", "fr", "en_US", "EN-gb"], "x", "--source")
    assert find_languages("en", ["en-GB", "en", "en-US"], "x", "--source") == ["en"]
