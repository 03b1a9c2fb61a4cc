import unicodedata

import pytest

from data.examples.splits import canonical_form
from data.identity_terms.files import read_identity_terms
from data.registry import IDENTITY_TERMS
from data.text.characters import drop_invisible, is_invisible

SEEN = "aé東ا़\u0301\u200a\u00a0\u2028😂\ue415\ufffd\ufffc\u0600\u1806"
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u180f\u200b\u200c\u200d\u200e\u200f"
    "\u202a\u202e\u2060\u2061\u2064\u2066\u2069\u206f\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufff9\ufffb"
    "\U0001d173\U000e0001\U000e0041\U000e007f\U000e0100\U000e01ef"
)


@pytest.mark.parametrize("character", UNSEEN, ids=ascii)
def test_a_character_that_nobody_sees_is_dropped(character):
    assert is_invisible(character)
    assert drop_invisible(f"{character}aw{character}arded{character}") == "awarded"


@pytest.mark.parametrize("character", SEEN, ids=ascii)
def test_what_is_seen_or_takes_room_stays(character):
    assert not is_invisible(character)
    assert drop_invisible(f"a{character}") == f"a{character}"


def test_letters_numbers_and_signs_are_seen_but_for_four_fillers_and_two_vowels():
    invisible = [chr(code) for code in range(0x20000) if is_invisible(chr(code))]
    odd = {c for c in invisible if unicodedata.category(c) not in ("Cf", "Mn", "Cn")}
    assert odd == set("\u115f\u1160\u3164\uffa0")
    marks = {c for c in invisible if unicodedata.category(c) == "Mn"}
    selectors = {chr(code) for code in range(0xFE00, 0xFE10)}
    assert marks == selectors | set("\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")


def test_texts_that_look_the_same_are_duplicates():
    assert canonical_form("You are awar\u00added \u2764\ufe0f\u200e") == canonical_form(
        "you are awarded \u2764"
    )


def test_a_term_is_found_in_spite_of_what_nobody_sees():
    terms = read_identity_terms(IDENTITY_TERMS)
    plain, hidden = "the muslim women", "the mus\u00adlim wo\u200bmen"
    assert terms.find_groups(hidden) == terms.find_groups(plain) != set()
    assert [*terms.swaps(hidden)] == [*terms.swaps(plain)] != []
