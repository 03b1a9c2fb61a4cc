"""Tokens of raw strings and where they stand, in stock TensorFlow ops.

Training, prediction and SavedModel share them. The rules are those of the Penn Treebank as far as
they need no dictionary ("can't" is "ca n't", "Lyon's" is "Lyon 's"), and keep what social media
write in one piece ("@name", "#topic", links, emoticons). A text that is tokenised already, its
tokens joined by spaces, is at most cut further.

The rules read a text's outline, one ASCII character for each of its characters: with the letters of
all scripts in their patterns, RE2 would run out of memory and be slow.
"""

import functools
import unicodedata
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Stands behind every token before the outline is split there; it holds no control characters.
_END = "\x1f"
_ABBREVIATIONS = (
    "Mr|Mrs|Ms|Dr|St|Mt|Ft|Prof|Jr|Sr|Gen|Sen|Gov|Rep|Rev|Capt|Col|Lt|Sgt|Inc|Corp|Co|Ltd|Bros|"
    "Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|vs"
)
# The first alternative that matches at a place is the token.
_TOKENS = "|".join(
    [
        r"(?:https?://|www\.)[^ ]*[\w/]",
        # Addresses and hosts have eight parts at most: without a limit each word of "aa.aa.aa..."
        # would be read up to its end.
        r"\w+(?:[.+-]+\w+){0,7}[.+-]*@\w[\w-]*(?:\.[\w-]+)*\.\w+",
        r"[@#]\w+",
        r"(?i:n't)\b",
        r"(?i:'(?:s|m|d|re|ve|ll))\b",
        r"[ODLodl]'[A-Z]\w*(?:-\w+)*",
        r"(?:[A-Za-z]\.){2,}",
        rf"(?:{_ABBREVIATIONS})\.",
        r"\w+(?:\.\w+){0,7}\.(?:com|org|net|edu|gov|co|io|uk|de|fr|eu|tv|me)\b",
        r"\d+(?:[.,:/]\d+)+",
        r"\w+(?:[-&]\w+)*",
        r"[:;=][-o']?(?:[()\[\]/\\|]|[DPp]\b)",
        r"<3",
        r"\.{2,}",
        r"-{2,}",
        r"[!?]{2,}",
        rf"[^ {_END}]",
    ]
)
# Code points from here on, rare ideographs, count as letters.
_OUTLINED = 0x20000
_SPACE = ord(" ")
_ALIKE = {
    **dict.fromkeys("‘’ʼ＇", "'"),
    **dict.fromkeys("‐‑–—", "-"),
    # Zero-width space and byte order mark are told from white space by nobody.
    **dict.fromkeys("\u200b\ufeff", " "),
}
# By the first letter of a character's category, or the whole of it.
_OUTLINES = {"Lu": "A", "Lt": "A", "L": "a", "M": "a", "N": "0", "Z": " ", "Cc": " ", "Cf": "a"}


class Tokens(NamedTuple):
    """Tokens of a batch of texts.

    Attributes:
        strings: <string>[batch, (tokens)].
        starts, ends: <int32>[batch, (tokens)], where each begins and where it is over, in Unicode
            code points of its text. In a text that is not UTF-8 each U+FFFD that stands for wrong
            bytes counts one.
    """

    strings: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def tokens_of(texts: tf.Tensor) -> Tokens:
    """Splits texts; every character that is no white space is in a token.

    Args:
        texts: <string>[batch], any bytes.
    """
    codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
    flat = tf.gather(_outlines(), tf.minimum(codes.flat_values, _OUTLINED - 1))
    outlines = tf.strings.unicode_encode(codes.with_flat_values(flat), "UTF-8")
    # "n't" goes with none of the letters before it, and a pattern cannot look ahead.
    marked = tf.strings.regex_replace(outlines, r"(?i)([a-z])(n't)\b", rf"\1{_END}\2")
    marked = tf.strings.regex_replace(marked, f"({_TOKENS})", rf"\1{_END}")
    pieces = tf.strings.split(marked, _END)
    # A piece is a token and the white space before it; the last one of a text may have no token.
    lengths = tf.strings.length(pieces.flat_values)
    sizes = tf.strings.length(tf.strings.strip(pieces.flat_values))
    before = tf.cumsum(lengths, exclusive=True)
    first = tf.gather(tf.concat([before, [0]], 0), pieces.row_starts())
    ends = before + lengths - tf.repeat(first, pieces.row_lengths())
    is_token = pieces.with_flat_values(sizes > 0)
    starts, ends, sizes = (
        tf.ragged.boolean_mask(pieces.with_flat_values(each), is_token)
        for each in (ends - sizes, ends, sizes)
    )
    letters = tf.boolean_mask(codes.flat_values, flat != _SPACE)
    words = tf.RaggedTensor.from_row_lengths(letters, sizes.flat_values, validate=False)
    strings = tf.strings.unicode_encode(words, "UTF-8")
    return Tokens(starts.with_flat_values(strings), starts, ends)


def folded(tokens: tf.Tensor) -> tf.Tensor:
    """Tokens in lower case, and with zeros for digits: rare ones become frequent ones. <string>."""
    return with_zeros(tf.strings.lower(tokens, encoding="utf-8"))


def with_zeros(tokens: tf.Tensor) -> tf.Tensor:
    """Tokens with a zero for each digit. <string>."""
    return tf.strings.regex_replace(tokens, r"\p{Nd}", "0")


@functools.cache
def _outlines() -> np.ndarray:
    """<int32>[_OUTLINED], of each code point: the character that stands for it."""
    return np.array([ord(_outline(chr(code))) for code in range(_OUTLINED)], np.int32)


def _outline(character: str) -> str:
    if " " <= character <= "~":
        return character
    category = unicodedata.category(character)
    known = _OUTLINES.get(category) or _OUTLINES.get(category[0], "*")
    return _ALIKE.get(character, known)
