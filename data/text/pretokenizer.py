"""Texts cut into words and signs that join to the text again, in stock TensorFlow ops.

A space belongs to the piece that follows it, as in GPT-2 (Radford et al. 2019, section 2.2): "I saw
them." is "I", " saw", " them", ".". Contractions part as in the Penn Treebank ("isn't" is "is",
"n't") and elisions behind their apostrophe ("l'homme" is "l'", "homme").

The rules read a text's outline, one ASCII character for each of its characters: with the letters of
all scripts in their patterns, RE2 would be slow, and no text can hold a mark that they set.
"""

import functools
import unicodedata

import numpy as np
import tensorflow as tf

# Longer words are cut: the rest of a piece costs each of its pieces' merges a turn.
LONGEST = 40
# What stands in an outline beside ASCII: an apostrophe that begins a contraction, one before any
# other letter, a space before what is no space, and the end of a piece.
_CONTRACTION, _ELISION, _ATTACHED, _END = "\x01", "\x02", "\x03", "\x1f"
_SPACE, _BLANK, _BREAK = " ", "\t", "\n"
_MARKS = [
    (r"(?i)'(s|m|d|t|re|ve|ll)\b", rf"{_CONTRACTION}\1"),
    (rf"(?i)([a-z])(n{_CONTRACTION}t)", rf"\1{_END}\2"),
    (r"'([A-Za-z])", rf"{_ELISION}\1"),
    (rf" ([^ \t\n{_END}])", rf"{_ATTACHED}\1"),
]
# The first alternative that matches at a place is the piece.
_PIECES = "|".join(
    [
        rf"{_ATTACHED}?[Nn]{_CONTRACTION}[Tt]",
        rf"{_ATTACHED}?{_CONTRACTION}[A-Za-z]+",
        rf"{_ATTACHED}?[A-Za-z]{{1,{LONGEST}}}{_ELISION}?",
        rf"{_ATTACHED}?[0-9]{{1,{LONGEST}}}",
        rf"{_ATTACHED}?\.{{2,{LONGEST}}}",
        rf"{_ATTACHED}?-{{2,{LONGEST}}}",
        rf"{_ATTACHED}?[!?]{{2,{LONGEST}}}",
        rf"[ \t]{{1,{LONGEST}}}",
        r"\n{1,2}",
        rf"{_ATTACHED}?[^{_ATTACHED}{_END}]",
    ]
)
# Code points from here on, rare ideographs, stand alone.
_OUTLINED = 0x20000
# Without spaces between its words, a script's signs are the words.
_IDEOGRAPHS = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA")
_ALIKE = {
    **dict.fromkeys("‘’ʼ＇", "'"),
    **dict.fromkeys("‐‑", "-"),
    **dict.fromkeys("\n\r\x0b\x0c\x85\u2028\u2029", _BREAK),
}
# By a character's category, or the first letter of it. Cf: joiners stand inside of words.
_OUTLINES = {
    **{"Lu": "A", "Lt": "A", "L": "a", "M": "a", "Cf": "a"},
    **{"N": "0", "Z": _BLANK, "Cc": _BLANK},
}


def pretokenize(texts: tf.Tensor) -> tf.RaggedTensor:
    """Cuts texts; the pieces of each, joined, are the text again.

    Args:
        texts: <string>[batch], UTF-8; other bytes become U+FFFD.

    Returns:
        <string>[batch, (pieces)], none of them empty.
    """
    codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    flat = tf.gather(_outlines(), tf.minimum(codes.flat_values, _OUTLINED - 1))
    outlines = tf.strings.unicode_encode(codes.with_flat_values(flat), "UTF-8")
    for pattern, mark in _MARKS:
        outlines = tf.strings.regex_replace(outlines, pattern, mark)
    marked = tf.strings.regex_replace(outlines, f"({_PIECES})", rf"\1{_END}")
    cut = tf.strings.split(marked, _END)
    cut = tf.ragged.boolean_mask(cut, cut != "")
    letters = tf.RaggedTensor.from_row_lengths(
        codes.flat_values, tf.strings.length(cut.flat_values), validate=False
    )
    return cut.with_flat_values(tf.strings.unicode_encode(letters, "UTF-8"))


@functools.cache
def _outlines() -> np.ndarray:
    """<int32>[_OUTLINED], of each code point: the character that stands for it."""
    return np.array([ord(_outline(chr(code))) for code in range(_OUTLINED)], np.int32)


def _outline(character: str) -> str:
    if " " <= character <= "~":
        return character
    if unicodedata.name(character, "").startswith(_IDEOGRAPHS):
        return "*"
    category = unicodedata.category(character)
    known = _OUTLINES.get(category) or _OUTLINES.get(category[0], "*")
    return _ALIKE.get(character, known)
