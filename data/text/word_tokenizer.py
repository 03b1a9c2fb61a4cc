"""The tokenizer of taggers: words of raw texts and their places, in stock TensorFlow ops.

Training, prediction and SavedModel share it. The rules are those of the Penn Treebank as far as
they need no dictionary ("can't" is "ca n't", "Lyon's" is "Lyon 's"), and keep what social media
write as one ("@name", "#topic", links, emoticons). Each character of a script that has no spaces
between words (Chinese, Japanese, Thai and the like) is a token, with the marks that belong to it. A
text that is tokenized already, its tokens joined by spaces, is at most cut further.

Invisible characters (`data.text.characters`) are skipped, so that texts that look the same have the
same tokens; the places of tokens count them.

The rules read a text's outline (`data.text.outlines`).
"""

import functools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from data.graphs import graph
from data.text.characters import is_invisible
from data.text.outlines import OUTLINED, Outlines, clip_codes, to_ranges

# Marks the end of every token in an outline, which holds no control characters of its own.
_END = "\x1f"
# A character of a script without spaces, and a mark on it.
_SYLLABLE, _SYLLABLE_MARK = "\x02", "\x03"
_ABBREVIATIONS = (
    "Mr|Mrs|Ms|Dr|St|Mt|Ft|Prof|Jr|Sr|Gen|Sen|Gov|Rep|Rev|Capt|Col|Lt|Sgt|Inc|Corp|Co|Ltd|Bros|"
    "Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec|vs"
)
# The first alternative that matches at a place is the token.
_TOKENS = "|".join(
    [
        r"(?:https?://|www\.)[^ ]*[\w/]",
        # Addresses and hosts have at most eight parts: without a limit, each word of "aa.aa.aa..."
        # would be read up to the end.
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
        rf"{_SYLLABLE}{_SYLLABLE_MARK}*",
        rf"[^ {_END}]",
    ]
)
# Patterns and what replaces them, one after the other.
_MARKS = (
    # "n't" is a token of its own; the pattern of words cannot look ahead to it.
    (r"(?i)([a-z])(n't)\b", rf"\1{_END}\2"),
    (f"({_TOKENS})", rf"\1{_END}"),
)
_DIGIT = r"\p{Nd}"
_TAGS = 0xE0000
_SPACE = ord(" ")
# The bytes of U+FFFD.
_REPLACEMENT = (0xEF, 0xBF, 0xBD)
# How the Unicode names of these scripts' characters begin, after "COMBINING " or "HALFWIDTH ".
_WITHOUT_SPACES = (
    *("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA"),
    *("IDEOGRAPHIC ITERATION", "BOPOMOFO", "YI SYLLABLE", "THAI", "LAO", "KHMER", "MYANMAR", "TAI"),
    *("NEW TAI LUE", "BALINESE", "JAVANESE", "TIBETAN"),
)


def _outline_script(name: str, category: str) -> str | None:
    """Returns the outline of a character of a script without spaces, where it is a token."""
    name = name.removeprefix("COMBINING ").removeprefix("HALFWIDTH ")
    if category[0] not in "LM" or not name.startswith(_WITHOUT_SPACES):
        return None
    return _SYLLABLE if category[0] == "L" else _SYLLABLE_MARK


_OUTLINES = Outlines(
    alike={**dict.fromkeys("‘’ʼ＇", "'"), **dict.fromkeys("‐‑–—", "-")},
    by_category={
        **{"Lu": "A", "Lt": "A", "L": "a", "M": "a", "Cf": "a"},
        **{"N": "0", "Z": " ", "Cc": " "},
    },
    by_script=_outline_script,
)


class Tokens(NamedTuple):
    """The tokens of a batch of texts and their places.

    Attributes:
        strings: <string>[batch, (tokens)].
        starts, ends: <int32>[batch, (tokens)], where each begins and where it ends, in Unicode code
            points of its text. Each byte that is not UTF-8 counts as one, as with Python's
            `surrogateescape`.
    """

    strings: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def tokenize_words(texts: tf.Tensor) -> Tokens:
    """Splits texts into tokens; every character but white space and invisible ones is in a token.

    Args:
        texts: <string>[batch], any bytes.
    """
    return _split(texts)


# A graph of its own, since other graphs that call it take its thousand operations as one.
@graph(input_signature=[tf.TensorSpec([None], tf.string)])
def _split(texts: tf.Tensor) -> Tokens:
    codes, widths = _decode(texts)
    places = widths.with_flat_values(tf.cumsum(widths.flat_values, exclusive=True))
    places -= tf.gather(tf.concat([places.flat_values, [0]], 0), places.row_starts())[:, None]
    at = clip_codes(codes.flat_values)
    # Tags and the rarer variation selectors; the code points after them are for private use.
    hidden = tf.gather(_invisible(), at) | (codes.flat_values // 0x1000 == _TAGS // 0x1000)
    seen = codes.with_flat_values(~hidden)
    codes, places, widths = (tf.ragged.boolean_mask(each, seen) for each in (codes, places, widths))
    flat = _OUTLINES.outline(codes.flat_values)
    outlines = tf.strings.unicode_encode(codes.with_flat_values(flat), "UTF-8")
    for pattern, rewrite in _MARKS:
        outlines = tf.strings.regex_replace(outlines, pattern, rewrite)
    pieces = tf.strings.split(outlines, _END)
    # A piece is a token and the white space before it; the last piece may have no token.
    sizes = tf.strings.length(tf.strings.strip(pieces.flat_values))
    after = tf.cumsum(tf.strings.length(pieces.flat_values))
    is_token = pieces.with_flat_values(sizes > 0)
    sizes, after = (
        tf.ragged.boolean_mask(pieces.with_flat_values(each), is_token) for each in (sizes, after)
    )
    letters = tf.boolean_mask(codes.flat_values, flat != _SPACE)
    words = tf.RaggedTensor.from_row_lengths(letters, sizes.flat_values, validate=False)
    strings = sizes.with_flat_values(tf.strings.unicode_encode(words, "UTF-8"))
    first, last = after.flat_values - sizes.flat_values, after.flat_values - 1
    starts = after.with_flat_values(tf.gather(places.flat_values, first))
    ends = tf.gather(places.flat_values + widths.flat_values, last)
    ends = after.with_flat_values(ends)
    return Tokens(strings, starts, ends)


def _decode(texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Decodes texts to code points and the numbers of their places, <int32>[batch, (letters)] both.

    A code point has one place; U+FFFD for bytes that are not UTF-8 has as many as these bytes.
    """
    codes, offsets = tf.strings.unicode_decode_with_offsets(texts, "UTF-8", errors="replace")
    sizes = tf.strings.length(texts)
    begins = tf.cast(tf.repeat(tf.cumsum(sizes, exclusive=True), codes.row_lengths()), tf.int64)
    begins += offsets.flat_values
    total = tf.cast(tf.reduce_sum(sizes), tf.int64)
    sizes = tf.cast(tf.concat([begins, [total]], 0)[1:] - begins, tf.int32)
    content = tf.io.decode_raw(tf.strings.reduce_join(texts), tf.uint8)
    content = tf.concat([content, [0, 0, 0]], 0)
    genuine = tf.reduce_all(tf.gather(content, begins[:, None] + [0, 1, 2]) == _REPLACEMENT, -1)
    wrong = (codes.flat_values == 0xFFFD) & ~genuine
    return codes, codes.with_flat_values(tf.where(wrong, sizes, 1))


def normalize_case_and_digits(tokens: tf.Tensor) -> tf.Tensor:
    """Lower-cases tokens and replaces digits: rare tokens become frequent ones. <string>."""
    return replace_digits(tf.strings.lower(tokens, encoding="utf-8"))


def replace_digits(tokens: tf.Tensor) -> tf.Tensor:
    """Replaces each digit of tokens by a zero. <string>."""
    return tf.strings.regex_replace(tokens, _DIGIT, "0")


def rules_as_table() -> dict[str, Any]:
    """Returns the rules as values for JSON, for `models.portable.words`, which has no TensorFlow:
    the outlines of code points and which of them are hidden, both as ranges of `[value, how many]`;
    patterns and what replaces them; what ends a token; and the pattern of a digit."""
    return {
        "outlines": to_ranges(_OUTLINES.table),
        "hidden": to_ranges(_invisible().astype(np.int32)),
        "marks": _MARKS,
        "end": _END,
        "digit": _DIGIT,
    }


@functools.cache
def _invisible() -> np.ndarray:
    """Returns for each code point whether it is invisible, <bool>[OUTLINED]."""
    return np.array([is_invisible(chr(code)) for code in range(OUTLINED)])
