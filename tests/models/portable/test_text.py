"""Words and clean-up without TensorFlow are those of its graph, on any bytes."""

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data.registry import STANDARDIZERS
from data.text.cleaning import tokenize
from data.text.word_tokenizer import rules_as_table, tokenize_words
from data.text_steps import STEPS

pytest.importorskip("re2")
from models.portable.text import Splitter, lower
from models.portable.words import WordSplitter

# What the rules look at, beside any characters and any bytes.
_PARTS = (
    *("&amp;", "&#128514;", "&#x1F602;", "&#xD800;", "&#0;", "&shy;", "@ann ", "http://t.co/x "),
    *("www.", "soooo", "!!!", "? ?", "12.5", "can't", " n't", "it’s", "<br />", "#tag", "U.S.A."),
    *("Mr.", "O'Neil", ":-)", "a@b.co", "ΣΑΣ", "İ", "東京", "ไทย", "\u200d", "\ufe0f", "\xad"),
    *("😂", "\x00", "\x1f", "\u2028", " ", "\xe9", "2nd", "<start>", "<unk>", "\u2c2f", "\ua7c0"),
)
_ANY = st.one_of(
    st.binary(max_size=30),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(st.sampled_from(_PARTS), max_size=8).map(lambda parts: "".join(parts).encode()),
    st.lists(st.sampled_from(_PARTS) | st.binary(max_size=3), max_size=8).map(
        lambda parts: b"".join(p if isinstance(p, bytes) else p.encode() for p in parts)
    ),
)
_TEXTS = st.lists(_ANY, min_size=25, max_size=25)
# The last ones are a letter and a symbol that TensorFlow's tables of Unicode lack.
_HARD = [
    b"\xed\xa0\x80 \xe2\x82a \xf0\x9f\x98",
    b"\xef\xbb\xbfa",
    b"",
    b"   ",
    b"\xef\xbf\xbd\xff",
    "a𮯰a ⿼⿼a".encode(),
]


@pytest.mark.parametrize("standardize", STANDARDIZERS)
@given(texts=_TEXTS)
@example(texts=_HARD)
@settings(max_examples=8, deadline=None)
def test_tokens_of_classifiers_are_those_of_the_graph(standardize, texts):
    splitter = Splitter(STEPS[standardize])
    wanted = tokenize(tf.constant(texts, tf.string), standardize).to_list()
    assert [splitter.split(text) for text in texts] == wanted


@given(texts=_TEXTS)
@example(texts=_HARD)
@settings(max_examples=8, deadline=None)
def test_words_of_taggers_and_their_places_are_those_of_the_graph(texts):
    splitter = WordSplitter(rules_as_table())
    wanted = tokenize_words(tf.constant(texts, tf.string))
    found = [splitter.split(text) for text in texts]
    assert [each.strings for each in found] == wanted.strings.to_list()
    assert [each.starts for each in found] == wanted.starts.to_list()
    assert [each.ends for each in found] == wanted.ends.to_list()


def test_every_letter_is_lowered_as_in_the_graph():
    letters = [chr(code).encode() for code in range(1, 0x20000) if not 0xD800 <= code < 0xE000]
    text = b" ".join(letters)
    assert lower(text) == tf.strings.lower(text, encoding="utf-8").numpy()
