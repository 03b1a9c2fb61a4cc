"""Clean-up and tokenization of the raw texts of classifiers, in stock TensorFlow ops.

Training and SavedModel share them. The functions take and return string tensors of UTF-8 bytes and
run inside a graph.
"""

import functools
from collections.abc import Callable
from html.entities import html5

import tensorflow as tf

from data.errors import choose
from data.graphs import graph
from data.registry import STANDARDIZERS
from data.text.characters import FORMAT_CHARACTERS, INVISIBLE, NEEDLESS_JOINERS, is_invisible

USER, LINK, NUMBER = "<user>", "<url>", "<number>"

_STRINGS = tf.TensorSpec([None], tf.string)
# Marks in a text while numeric entities are decoded; it holds no control characters by then.
_ENTITY, _END = "\x01", "\x02"
_NAMED_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "nbsp": " ", "amp": "&"}
# Names of invisible characters: &shy;, &zwj; and the like.
_INVISIBLE_ENTITIES = "|".join(
    sorted(
        name
        for name, character in html5.items()
        if name.endswith(";") and all(map(is_invisible, character))
    )
)
# So: emoji and pictographs; Sk: skin tones and modifiers; Co: private use, where old phones kept
# their emoji (U+E415 and the like are frequent in tweets of 2012-2015).
_SYMBOLS = r"[\p{So}\p{Sk}\p{Co}]"
# Control characters, every kind of white space, and the pattern of Braille that has no dot.
_BLANKS = r"[\p{Cc}\p{Z}\x{2800}]"


def to_valid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Replaces bytes that are not UTF-8 by U+FFFD, control characters and every kind of white space
    by spaces, and drops invisible characters (`data.text.characters`). <string>[batch] both."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, INVISIBLE, "")
    return tf.strings.regex_replace(texts, _BLANKS, " ")


def drop_format_characters(texts: tf.Tensor) -> tf.Tensor:
    """Drops invisible characters (`data.text.characters`) and nothing else, for models that write
    texts: joiners stay where they are part of the spelling. <string> both, any bytes."""
    texts = tf.strings.regex_replace(texts, FORMAT_CHARACTERS, "")
    # Twice, since the end of a match cannot begin another one.
    for _ in range(2):
        texts = tf.strings.regex_replace(texts, NEEDLESS_JOINERS, r"\1\2")
    return texts


def drop_format_characters_from(text: str) -> str:
    """Drops from one Python string what `drop_format_characters` drops."""
    if text.isascii():
        return text
    return drop_format_characters(tf.constant(text)).numpy().decode("utf-8")


def decode_entities(texts: tf.Tensor) -> tf.Tensor:
    """Decodes HTML entities: `&amp;`, `&#128514;`, `&#x1F602;`; `&shy;` and the like are dropped.

    Numbers beyond Unicode become U+FFFD.

    Args:
        texts: <string>[batch], UTF-8 without control characters.
    """
    # Twitter escaped text that was already escaped: "&amp;#128514;" is an emoji, too.
    texts = tf.strings.regex_replace(texts, "&amp;", "&")
    for name, character in _NAMED_ENTITIES.items():
        texts = tf.strings.regex_replace(texts, f"&{name};", character)
    texts = tf.strings.regex_replace(texts, f"&(?:{_INVISIBLE_ENTITIES})", "")
    marked = tf.strings.regex_replace(
        texts, r"&#(?:([0-9]{1,7})|[xX]([0-9a-fA-F]{1,6}));", rf"{_ENTITY}\1,\2{_END}"
    )
    pieces = tf.strings.split(marked, _ENTITY)
    return tf.strings.reduce_join(
        pieces.with_flat_values(_decode_leading_number(pieces.flat_values)), axis=-1
    )


def _decode_leading_number(pieces: tf.Tensor) -> tf.Tensor:
    """Decodes `128514,<END>rest` and `,1F602<END>rest` to the character and the rest."""
    pattern = rf"(?s)^([0-9]*),([0-9a-fA-F]*){_END}(.*)$"
    is_entity = tf.strings.regex_full_match(pieces, pattern)
    entity = tf.where(is_entity, pieces, f"0,{_END}")
    number = tf.strings.regex_replace(entity, pattern, r"\1")
    hexadecimal = tf.strings.regex_replace(entity, pattern, r"0x0\2")
    # to_number reads hexadecimal digits as a float only; 24 bits are exact in float64.
    codes = tf.where(
        number == "",
        tf.cast(tf.strings.to_number(hexadecimal, tf.float64), tf.int32),
        tf.strings.to_number(tf.where(number == "", "0", number), tf.int32),
    )
    characters = tf.strings.unicode_encode(codes[:, tf.newaxis], "UTF-8", errors="replace")
    rest = tf.strings.regex_replace(entity, pattern, r"\3")
    return tf.where(is_entity, characters + rest, pieces)


def decode_and_lower(texts: tf.Tensor) -> tf.Tensor:
    """Decodes HTML entities and turns capitals into small letters. <string>[batch] both, the result
    valid UTF-8 without control characters."""
    # The escapes go first, then what they hid (an escaped line break) is cleaned as well.
    texts = to_valid_utf8(decode_entities(to_valid_utf8(texts)))
    return tf.strings.lower(texts, encoding="utf-8")


def clean_tweets(texts: tf.Tensor) -> tf.Tensor:
    """Cleans tweets: lower case, tokens between spaces.

    User names, links and numbers become one token each; runs of three or more of the same letter
    are cut to two ("soooo" -> "soo"); emoji and punctuation stand alone; "#word" is "# word".

    Args:
        texts: <string>[batch].

    Returns:
        <string>[batch], valid UTF-8.
    """
    texts = decode_and_lower(texts)
    texts = tf.strings.regex_replace(texts, r"https?:\S*|www\.\S+", f" {LINK} ")
    texts = tf.strings.regex_replace(texts, r"@\w+", f" {USER} ")
    texts = tf.strings.regex_replace(texts, r"[’‘`´]", "'")
    texts = tf.strings.regex_replace(texts, r"[“”„«»]", '"')
    texts = tf.strings.regex_replace(texts, r"\d+(?:[.,:]\d+)*", f" {NUMBER} ")
    texts = _shorten_runs(texts)
    return tf.strings.regex_replace(texts, rf"({_SYMBOLS}|[!?.,;:\"()\[\]#*/&=+~|{{}}])", r" \1 ")


def _shorten_runs(texts: tf.Tensor) -> tf.Tensor:
    """Cuts runs of three or more of the same sign to two (RE2 has no back-references)."""
    for sign in "abcdefghijklmnopqrstuvwxyz":
        texts = tf.strings.regex_replace(texts, f"{sign}{{3,}}", sign * 2)
    for sign in "!?.":
        texts = tf.strings.regex_replace(texts, rf"(?:\{sign}\s*){{2,}}", f" {sign}{sign} ")
    return texts


def clean_reviews(texts: tf.Tensor) -> tf.Tensor:
    """Cleans reviews in the manner of the Penn Treebank, lower-cased.

    The word vectors of GloVe and corpora like SST-2 follow it: punctuation stands alone, "can't" is
    "ca n't", "it's" is "it 's". HTML tags (`<br />`) are dropped and entities decoded. A text that
    is tokenized already stays as it is.

    Args:
        texts: <string>[batch].

    Returns:
        <string>[batch], valid UTF-8.
    """
    texts = decode_and_lower(texts)
    texts = tf.strings.regex_replace(texts, r"</?[a-z][^<>]{0,99}>", " ")
    texts = tf.strings.regex_replace(texts, r"[’‘`´]", "'")
    texts = tf.strings.regex_replace(texts, r"([^\p{L}\p{M}\p{N}_\s])", r" \1 ")
    # Every apostrophe stands alone now; those of contractions are joined to their letters again.
    texts = tf.strings.regex_replace(texts, r"n\s+'\s+t\b", " n't")
    return tf.strings.regex_replace(texts, r"\s'\s+(s|m|d|re|ve|ll)\b", r" '\1")


def clean_plain(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cases texts and sets punctuation apart; replaces nothing. <string>[batch] both."""
    texts = tf.strings.lower(to_valid_utf8(texts), encoding="utf-8")
    return tf.strings.regex_replace(texts, r"([^\p{L}\p{M}\p{N}_\s'])", r" \1 ")


def tokenize(texts: tf.Tensor, standardize: str) -> tf.RaggedTensor:
    """Splits texts at white space after a clean-up.

    Args:
        texts: <string>[batch], any bytes.
        standardize: a name in `data.registry.STANDARDIZERS`.

    Returns:
        <string>[batch, (tokens)].

    Raises:
        ValueError: unknown `standardize`.
    """
    choose("standardize", standardize, _CLEAN)
    return _tokenizer(standardize)(texts)


@functools.cache
def _tokenizer(standardize: str) -> Callable[[tf.Tensor], tf.RaggedTensor]:
    """Returns a graph, since other graphs that call it take its dozens of operations as one."""
    clean = _CLEAN[standardize]
    return graph(lambda texts: tf.strings.split(clean(texts)), input_signature=[_STRINGS])


_CLEAN: dict[str, Callable[[tf.Tensor], tf.Tensor]] = dict(
    zip(STANDARDIZERS, (clean_tweets, clean_reviews, clean_plain, to_valid_utf8), strict=True)
)
