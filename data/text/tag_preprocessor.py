"""The vocabularies of taggers, and the layer that turns tokens into the ids that a tagger reads."""

from collections import Counter

import keras
import numpy as np
import tensorflow as tf

from data.graphs import graph, in_chunks
from data.registry import CASES
from data.text.preprocessor import look_up_characters, make_character_lookup, make_token_lookup
from data.text.special_tokens import (
    PADDING_TOKEN,
    START_TOKEN,
    UNKNOWN,
    UNKNOWN_TEXT,
    UNKNOWN_TOKEN,
)
from data.text.tokenizer import Tokenizer
from data.text.vocabulary import Vocabularies, sort_by_frequency
from data.text.word_tokenizer import replace_digits, tokenize_words

_STRINGS = tf.TensorSpec([None], tf.string)
# Tokenizes a list of texts of any length.
tokenize_all = in_chunks(tokenize_words)


def build_tag_vocabularies(
    train_tokens: tf.Tensor, max_tokens: int, min_count: int, lowercase: bool
) -> Vocabularies:
    """Learns vocabularies from the tokens and characters of the training texts.

    A token with digits counts for its form with zeros, too, which stands for rarer tokens like it.

    Args:
        train_tokens: <string>[tokens], of the training split alone.
        max_tokens, min_count: as `data.text.vocabulary.build_vocabularies` takes them.
        lowercase: whether words are looked up in lower case.
    """
    exact: Counter[bytes] = Counter(train_tokens.numpy())
    characters: Counter[str] = Counter()
    for token, count in exact.items():
        characters.update(dict.fromkeys(token.decode("utf-8"), count))
    tokens = list(exact)
    forms = tf.constant(tokens, tf.string)
    if lowercase:
        forms = tf.strings.lower(forms, encoding="utf-8")
    zeros = replace_digits(forms)
    counts: Counter[str] = Counter()
    for columns in (forms, tf.where(zeros == forms, "", zeros)):
        for form, token in zip(columns.numpy(), tokens, strict=True):
            counts[form.decode("utf-8")] += exact[token]
    # The lookup has these already; no token of a tagger is the start of a text.
    special = (PADDING_TOKEN, UNKNOWN_TOKEN, START_TOKEN)
    kept = [form for form in sort_by_frequency(counts, min_count) if form not in special]
    kept = kept[: max_tokens - 1]
    return Vocabularies(
        [START_TOKEN, *kept], sort_by_frequency(characters, min_count) or [UNKNOWN_TEXT]
    )


class TagPreprocessor(keras.layers.Layer):
    """Turns tokens into the ids that a tagger reads, in stock TensorFlow ops.

    A word that the vocabulary lacks is looked up in lower case, and then with zeros for its digits.

    Args:
        vocabularies: from `build_tag_vocabularies`.
        lowercase: whether words are looked up in lower case at once.
        case_features: whether case ids are wanted.
        max_word_length: characters kept at the head of a token; 0 for no character ids.
        tokenizer: of a language model that reads the tokens of taggers, if its ids are wanted, too.
    """

    def __init__(
        self,
        vocabularies: Vocabularies,
        lowercase: bool,
        case_features: bool,
        max_word_length: int = 0,
        tokenizer: Tokenizer | None = None,
    ):
        super().__init__(name="preprocessor", trainable=False)
        self.lowercase, self.case_features = lowercase, case_features
        self.max_word_length = max_word_length
        self.token_lookup = make_token_lookup(vocabularies)
        self.character_lookup = make_character_lookup(vocabularies) if max_word_length else None
        self.tokenizer = tokenizer
        self.built = True  # it has no weights; an export asks

    def call(self, tokens: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the ids of tokens.

        Args:
            tokens: <string>[tokens].

        Returns:
            `token_ids` <int32>[tokens], and where wanted `case_ids` and `language_ids`
            <int32>[tokens] and `character_ids` <int32>[tokens, max_word_length], 0 where padded.
        """
        lower = tf.strings.lower(tokens, encoding="utf-8")
        forms = [lower, replace_digits(lower)]
        if not self.lowercase:
            forms = [tokens, *forms]
        *preferred, ids = [tf.cast(self.token_lookup(form), tf.int32) for form in forms]
        for better in reversed(preferred):
            ids = tf.where(better == UNKNOWN, ids, better)
        ids = {"token_ids": ids}
        if self.case_features:
            ids["case_ids"] = _look_up_cases(tokens)
        if self.character_lookup is not None:
            ids["character_ids"] = look_up_characters(
                tokens, self.character_lookup, self.max_word_length
            )
        if self.tokenizer is not None:
            ids["language_ids"] = self.tokenizer.look_up(forms[-1])
        return ids

    def ragged(self, tokens: tf.RaggedTensor) -> dict[str, tf.RaggedTensor]:
        """Returns the ids of the tokens of texts, <int32>[batch, (tokens)] and
        [batch, (tokens), max_word_length]."""
        ids = graph(self.call, input_signature=[_STRINGS])(tokens.flat_values)
        return {name: tokens.with_flat_values(flat) for name, flat in ids.items()}


def _look_up_cases(tokens: tf.Tensor) -> tf.Tensor:
    """Returns the places in `CASES`, from 1, of tokens: <string>[tokens] to <int32>[tokens]."""
    ids = tf.fill(tf.shape(tokens), len(CASES))
    for number, pattern in reversed([*enumerate(CASES.values(), 1)][:-1]):
        ids = tf.where(tf.strings.regex_full_match(tokens, pattern), number, ids)
    return ids


def split_rows(lengths: np.ndarray, size: int) -> np.ndarray:
    """Cuts texts into rows of at most `size` tokens; texts without a token have no row.

    Args:
        lengths: <int>[texts], tokens of each.

    Returns:
        The row splits, <int64>[rows + 1], ascending from 0 to the number of tokens.
    """
    begins = np.cumsum(lengths) - lengths
    cuts = [
        np.arange(begin, begin + length, size)
        for begin, length in zip(begins, lengths, strict=True)
    ]
    return np.concatenate([*cuts, [lengths.sum()]]).astype(np.int64)
