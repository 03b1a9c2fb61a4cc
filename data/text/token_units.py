"""The tokens of classifiers and taggers, from which a text cannot be restored."""

from collections.abc import Callable
from functools import partial

import tensorflow as tf

from data.registry import CLASSIFIER_TOKENS, TAGGER_TOKENS
from data.text.cleaning import tokenize
from data.text.word_tokenizer import normalize_case_and_digits, tokenize_words


def splitter_of(kind: str) -> Callable[[tf.Tensor], tf.RaggedTensor] | None:
    """Returns what splits texts <string>[batch] into these tokens <string>[batch, (length)]; None
    for other kinds of tokens."""
    return _SPLITTERS.get(kind)


def _tagger_tokens(texts: tf.Tensor) -> tf.RaggedTensor:
    tokens = tokenize_words(texts).strings
    return tokens.with_flat_values(normalize_case_and_digits(tokens.flat_values))


_SPLITTERS = {
    TAGGER_TOKENS: _tagger_tokens,
    **{kind: partial(tokenize, standardize=each) for kind, each in CLASSIFIER_TOKENS.items()},
}
