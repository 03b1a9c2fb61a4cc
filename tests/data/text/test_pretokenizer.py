import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data.text.pretokenizer import LONGEST, pretokenize

GRAPH = tf.function(
    pretokenize, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
)


def pieces(text):
    return [piece.decode() for piece in GRAPH(tf.constant([text])).to_list()[0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I saw them.", "I| saw| them|."),
        ("can't isn’t I'm she'll John's", "ca|n't| is|n’t| I|'m| she|'ll| John|'s"),
        ("L'homme qu'il s'en va", "L'|homme| qu'|il| s'|en| va"),
        ("'quoted' dogs' \"x\"", "'|quoted|'| dogs|'| \"|x|\""),
        ("in 2016, x2 3.5", "in| 2016|,| x|2| 3|.|5"),
        ("well... no -- why?! (a)", "well|...| no| --| why|?!| (|a|)"),
        ("ROMEO:\nAy me!\n\nJ", "ROMEO|:|\n|Ay| me|!|\n\n|J"),
        ("a   b\tc ", "a|  | b|\t|c| "),
        ("Привет, मेरी naïve مرحبا", "Привет|,| मेरी| naïve| مرحبا"),
        ("東京は 😂!", "東|京|は| 😂|!"),
        ("n't 't", "n't| 't"),
        ("", ""),
    ],
)
def test_pieces_by_hand(text, expected):
    assert pieces(text) == [piece for piece in expected.split("|") if piece]


def test_a_long_word_is_cut():
    assert list(map(len, pieces("a" * (LONGEST + 1)))) == [LONGEST, 1]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text() | st.text("aN't\u2019 \n.!-1\x1f\x03"), min_size=1, max_size=4))
def test_pieces_join_to_the_text_and_none_is_empty(texts):
    rows = GRAPH(tf.constant(texts)).to_list()
    assert [b"".join(row).decode() for row in rows] == texts
    assert not any(b"" in row for row in rows)


def test_no_texts_have_no_pieces():
    assert GRAPH(tf.constant([], tf.string)).to_list() == []
