"""Cuts texts into words and signs that, joined, are the text again, in stock TensorFlow ops.

A space belongs to the piece that follows it, as in GPT-2 (Radford et al. 2019, section 2.2): "I saw
them." is "I", " saw", " them", ".". Contractions are cut as in the Penn Treebank ("isn't" is
"is", "n't"), elisions after their apostrophe ("l'homme" is "l'", "homme").

The rules read a text's outline (`data.text.outlines`).
"""

from typing import Any

import tensorflow as tf

from data.graphs import graph
from data.text.outlines import Outlines, to_ranges

# Longer words are cut: the time of merging grows with the length of a piece.
LONGEST = 40
# Marks in an outline: an apostrophe that begins a contraction, one before any other letter, a space
# before anything but a space, and the end of a piece.
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
_MARKS.append((f"({_PIECES})", rf"\1{_END}"))
# In scripts without spaces between words, each character is a word.
_IDEOGRAPHS = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA")
_OUTLINES = Outlines(
    alike={
        **dict.fromkeys("‘’ʼ＇", "'"),
        **dict.fromkeys("‐‑", "-"),
        **dict.fromkeys("\n\r\x0b\x0c\x85\u2028\u2029", _BREAK),
    },
    by_category={
        # Cf: joiners occur inside words.
        **{"Lu": "A", "Lt": "A", "L": "a", "M": "a", "Cf": "a"},
        **{"N": "0", "Z": _BLANK, "Cc": _BLANK},
    },
    by_script=lambda name, category: "*" if name.startswith(_IDEOGRAPHS) else None,
)


def pretokenize(texts: tf.Tensor) -> tf.RaggedTensor:
    """Cuts texts into pieces; the pieces of each, joined, are the text again.

    Args:
        texts: <string>[batch], UTF-8; other bytes become U+FFFD.

    Returns:
        <string>[batch, (pieces)], none of them empty.
    """
    return _cut(texts)


# A graph of its own, since other graphs that call it take its operations as one.
@graph(input_signature=[tf.TensorSpec([None], tf.string)])
def _cut(texts: tf.Tensor) -> tf.RaggedTensor:
    codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    outlines = codes.with_flat_values(_OUTLINES.outline(codes.flat_values))
    outlines = tf.strings.unicode_encode(outlines, "UTF-8")
    for pattern, mark in _MARKS:
        outlines = tf.strings.regex_replace(outlines, pattern, mark)
    cut = tf.strings.split(outlines, _END)
    cut = tf.ragged.boolean_mask(cut, cut != "")
    letters = tf.RaggedTensor.from_row_lengths(
        codes.flat_values, tf.strings.length(cut.flat_values), validate=False
    )
    return cut.with_flat_values(tf.strings.unicode_encode(letters, "UTF-8"))


def rules_as_table() -> dict[str, Any]:
    """Returns the rules as values for JSON, for `models.portable.decoding.tokenizer`, which has no
    TensorFlow: the outlines of code points as ranges of `[value, how many]`; patterns and what
    replaces them, one after the other; and what ends a piece."""
    return {"outlines": to_ranges(_OUTLINES.table), "marks": _MARKS, "end": _END}
