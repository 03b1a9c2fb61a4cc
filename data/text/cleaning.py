"""Clean-up and tokenization of the raw texts of classifiers, in stock TensorFlow ops.

Training and SavedModel share them; what is done stands in `data.text_steps`. The functions take and
return string tensors of UTF-8 bytes and run inside a graph.
"""

import functools
from collections.abc import Callable, Iterable

import tensorflow as tf

from data.errors import choose
from data.graphs import graph
from data.text.characters import FORMAT_CHARACTERS, NEEDLESS_JOINERS
from data.text_steps import ENTITIES, STEPS, VALID, Step

_STRINGS = tf.TensorSpec([None], tf.string)
# Marks in a text while references are decoded; it holds no control characters by then.
_ENTITY, _END = "\x01", "\x02"


def apply_steps(texts: tf.Tensor, steps: Iterable[Step]) -> tf.Tensor:
    """Applies a table of `data.text_steps`. <string>[batch] both."""
    for name, *arguments in steps:
        texts = _OPERATIONS[name](texts, *arguments)
    return texts


def to_valid_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Replaces bytes that are not UTF-8 by U+FFFD, control characters and every kind of white space
    by spaces, and drops invisible characters (`data.text.characters`). <string>[batch] both."""
    return apply_steps(texts, VALID)


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
    return apply_steps(texts, ENTITIES)


def _decode_references(texts: tf.Tensor) -> tf.Tensor:
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


def _shorten_runs(texts: tf.Tensor, letters: str) -> tf.Tensor:
    # RE2 has no back-references.
    for letter in letters:
        texts = tf.strings.regex_replace(texts, f"{letter}{{3,}}", letter * 2)
    return texts


# What each step of a table does.
_OPERATIONS: dict[str, Callable[..., tf.Tensor]] = {
    "utf8": lambda texts: tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace"),
    "replace": tf.strings.regex_replace,
    "shorten": _shorten_runs,
    "references": _decode_references,
    "lower": lambda texts: tf.strings.lower(texts, encoding="utf-8"),
}


def tokenize(texts: tf.Tensor, standardize: str) -> tf.RaggedTensor:
    """Splits texts at white space after a clean-up.

    The clean-ups: `tweet` lower-cases; user names, links and numbers become one token each; runs of
    three or more of the same letter are cut to two ("soooo" -> "soo"); emoji and punctuation stand
    alone; "#word" is "# word". `review` follows the Penn Treebank, lower-cased, as the word vectors
    of GloVe and corpora like SST-2 do: punctuation stands alone, "can't" is "ca n't", "it's" is
    "it 's", HTML tags are dropped; what is tokenized already stays as it is. `plain` lower-cases
    and sets punctuation apart. `none` only makes texts valid.

    Args:
        texts: <string>[batch], any bytes.
        standardize: a name in `data.registry.STANDARDIZERS`.

    Returns:
        <string>[batch, (tokens)].

    Raises:
        ValueError: unknown `standardize`.
    """
    choose("standardize", standardize, STEPS)
    return _tokenizer(standardize)(texts)


@functools.cache
def _tokenizer(standardize: str) -> Callable[[tf.Tensor], tf.RaggedTensor]:
    """Returns a graph, since other graphs that call it take its dozens of operations as one."""
    steps = STEPS[standardize]
    return graph(
        lambda texts: tf.strings.split(apply_steps(texts, steps)), input_signature=[_STRINGS]
    )
