import tensorflow as tf

from data.text.outlines import OUTLINED, Outlines

OUTLINES = Outlines(
    alike={"’": "'"},
    by_category={"Lu": "A", "L": "a", "Nd": "0"},
    by_script=lambda name, category: f"{category[0]}".lower() if "THAI" in name else None,
)


def outline(text):
    codes = OUTLINES.outline(tf.constant([ord(character) for character in text])).numpy()
    return "".join(map(chr, codes))


def test_ascii_stands_for_itself_and_others_for_what_is_alike_or_their_category():
    assert outline("B b7,’Éß٣") == "B b7,'Aa0"


def test_a_script_comes_before_a_category():
    # A letter, a mark and a digit of Thai.
    assert outline("ก\u0e31๕") == "lmn"


def test_what_no_rule_names_is_a_star():
    assert outline("€\u0301") == "**"


def test_code_points_beyond_the_table_have_its_last_outline():
    assert outline(chr(OUTLINED) + "\U0010ffff") == outline(chr(OUTLINED - 1)) * 2
