"""Tests of `data.user_files.parallel_columns`."""

import pytest

from data.errors import UserError
from data.user_files.parallel_columns import choose_columns


def choose(cells, source="en", target="fr", given=(None, None)):
    return choose_columns(cells.split("|"), source, target, "table", given)


@pytest.mark.parametrize(
    "cells",
    [
        "fr|en",
        " FR | EN ",
        "fr-FR|en-GB",
        "fr_CA|en_US",
        "fra|eng",
        "fra_Latn|eng_Latn",
        "French|English",
        "français|anglais",
        "text_fr|text_en",
        "fr_text|en_text",
        "French words/sentences|English words/sentences",
        "sentence (fr)|sentence (en)",
    ],
)
@pytest.mark.parametrize("given", [(None, None), (0, 1)])
def test_a_header_says_which_columns_the_languages_are(cells, given):
    assert choose(cells, given=given) == (1, 0, True)
    assert choose(f"id|{cells}", given=given) == (2, 1, True)
    assert choose(cells, "fr", "en") == (0, 1, True)


def test_languages_may_be_called_anything():
    assert choose("klingon|id|old klingon", "old klingon", "klingon") == (2, 0, True)
    assert choose("source|target", "source", "target") == (0, 1, True)
    assert choose("en-us|en-gb", "en-GB", "en-US") == (1, 0, True)


def test_the_language_itself_goes_before_its_regions():
    assert choose("en-GB|fr|en") == (2, 1, True)
    assert choose("en-GB|fr|en", "en-GB") == (0, 1, True)


def test_nothing_is_reported_of_a_header_as_it_should_be(capsys):
    choose("fr|en")
    assert capsys.readouterr().err == ""
    choose("FR|en")
    assert capsys.readouterr().err == "table: en is the column 'en', fr the column 'FR'\n"


def test_several_regions_have_to_be_told_apart():
    with pytest.raises(UserError, match=r"several kinds of 'en': en-GB, en-US\. .* --source"):
        choose("en-GB|en-US|fr")
    with pytest.raises(UserError, match=r"several kinds of 'fr': fr-FR, fr-CA\. .* --target"):
        choose("en|fr-FR|fr-CA")
    assert choose("en-GB|en-US|fr", "en-us") == (1, 2, True)


def test_two_columns_of_one_language_are_refused():
    with pytest.raises(UserError, match=r"the columns 0, 2 are all 'en'\. Rename"):
        choose("en|fr|English")
    with pytest.raises(UserError, match="'en' and 'en-GB' are the same column, 'en-GB'"):
        choose("en-GB|fr", "en", "en-GB")


def test_a_line_of_tabs_without_an_end_is_refused():
    with pytest.raises(UserError, match="table has 16,385 columns, 16,384 are read at most"):
        choose("|" * 16_384)


@pytest.mark.parametrize(
    ("cells", "found"),
    [("en|de", "'en'"), ("de-DE|fr-FR", "'fr-FR'"), ("French|Text", "'French'"), ("fr|x", "'fr'")],
)
def test_a_header_with_one_of_the_languages_is_refused(cells, found):
    with pytest.raises(UserError, match=f"header with {found}, but not both of 'en' and 'fr'"):
        choose(cells)


@pytest.mark.parametrize(
    "cells",
    [
        "source|target",
        "id|Source|Target",
        "de|es",
        "Deutsch|Spanish",
        "sentence|translation",
        "0|1",
    ],
)
def test_a_header_without_the_languages_is_no_pair(cells):
    with pytest.raises(UserError, match=r"a header without 'en' and 'fr': .* --source-column"):
        choose(cells)
    assert choose(cells, given=(1, 0)) == (1, 0, True)
    assert choose(cells, given=(1, None)) == (1, 1, True)


@pytest.mark.parametrize(
    "cells",
    [
        "Yes|Oui",
        "No|No",
        "Go.|Va !",
        "sentence 0|phrase 0",
        "I speak English.|Je parle français.",
        "1|Oui",
        "1|1",
        "|",
        "Translate this text|Traduis ce texte",
    ],
)
def test_a_pair_is_no_header_and_the_direction_is_reported(cells, capsys):
    assert choose(cells) == (0, 1, False)
    assert capsys.readouterr().err == "table: no header: column 0 is en, column 1 fr\n"
    assert choose(cells, given=(1, 0)) == (1, 0, False)
    assert capsys.readouterr().err == "table: no header: column 1 is en, column 0 fr\n"
