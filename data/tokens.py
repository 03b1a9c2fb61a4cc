"""Tokens of raw strings and where they stand, in stock TensorFlow ops.

Training, prediction and SavedModel share them. The rules are those of the Penn Treebank as far as
they need no dictionary ("can't" is "ca n't", "Lyon's" is "Lyon 's"), and keep what social media
write in one piece ("@name", "#topic", links, emoticons). A text that is tokenised already, its
tokens joined by spaces, is at most cut further.
"""

from typing import NamedTuple

import tensorflow as tf

# Stands behind every token before the text is split there; texts hold no control characters.
_END = "\x1f"
_WORD = r"[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*"
_ABBREVIATIONS = (
    "Mr Mrs Ms Dr St Mt Ft Prof Jr Sr Gen Sen Gov Rep Rev Capt Col Lt Sgt Inc Corp Co Ltd Bros "
    "Jan Feb Mar Apr Aug Sept Sep Oct Nov Dec vs"
)
# The first alternative that matches at a place is the token.
_TOKENS = "|".join(
    [
        r"(?:https?://|www\.)\S*[\p{L}\p{N}/]",
        r"[\w.+-]+@\w[\w-]*(?:\.[\w-]+)*\.\w+",
        r"[@#][\p{L}\p{M}\p{N}_]+",
        r"(?i:n['’]t)\b",
        r"(?i:['’](?:s|m|d|re|ve|ll))\b",
        r"[ODLodl]['’]\p{Lu}[\p{L}\p{M}\p{N}_]*(?:-[\p{L}\p{M}\p{N}_]+)*",
        r"(?:\p{L}\.){2,}",
        rf"(?:{_ABBREVIATIONS.replace(' ', '|')})\.",
        rf"{_WORD}(?:\.{_WORD})*\.(?:com|org|net|edu|gov|co|io|uk|de|fr|eu|tv|me)\b",
        r"\p{N}+(?:[.,:/]\p{N}+)+",
        rf"{_WORD}(?:[-–&]{_WORD})*",
        r"[:;=][-o*']?(?:[()\[\]/\\|]|[DPp]\b)",
        r"<3",
        r"\.{2,}",
        r"-{2,}",
        r"[!?]{2,}",
        rf"[^\s{_END}]",
    ]
)


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
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    # One character for one: the places of all others stay.
    texts = tf.strings.regex_replace(texts, r"[\p{Cc}\p{Z}]", " ")
    # "n't" goes with none of the letters before it, and a pattern cannot look ahead.
    marked = tf.strings.regex_replace(texts, r"(?i)(\p{L})(n['’]t)\b", rf"\1{_END}\2")
    marked = tf.strings.regex_replace(marked, f"({_TOKENS})", rf"\1{_END}")
    pieces = tf.strings.split(marked, _END)
    # A piece is a token and the white space before it; the last one of a text may have no token.
    tokens = tf.strings.strip(pieces.flat_values)
    lengths = tf.strings.length(pieces.flat_values, unit="UTF8_CHAR")
    before = tf.cumsum(lengths, exclusive=True)
    first = tf.gather(tf.concat([before, [0]], 0), pieces.row_starts())
    ends = before + lengths - tf.repeat(first, pieces.row_lengths())
    starts = ends - tf.strings.length(tokens, unit="UTF8_CHAR")
    is_token = pieces.with_flat_values(tokens != "")
    return Tokens(
        *(
            tf.ragged.boolean_mask(pieces.with_flat_values(each), is_token)
            for each in (tokens, starts, ends)
        )
    )
