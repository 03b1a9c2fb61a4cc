"""The layer that turns texts into the ids that a classifier reads."""

import keras
import tensorflow as tf

from data.errors import choose
from data.registry import TRUNCATIONS
from data.text.cleaning import tokenize
from data.text.special_tokens import PADDING_TOKEN, START_TOKEN, UNKNOWN_TOKEN
from data.text.vocabulary import Vocabularies


class TextPreprocessor(keras.layers.Layer):
    """Turns raw texts into token ids and character ids, in stock TensorFlow ops.

    Every text begins with a start token, so that no row is empty: cuDNN and attention need at least
    one real token in each row.

    Args:
        vocabularies: from `data.text.vocabulary.build_vocabularies`.
        standardize: a name in `data.registry.STANDARDIZERS`.
        max_length: most tokens kept of a text, without the start token.
        max_word_length: characters kept at the head of a token; 0 for no character ids.
        truncate: which tokens of a longer text are kept; a name in `data.registry.TRUNCATIONS`.
    """

    def __init__(
        self,
        vocabularies: Vocabularies,
        standardize: str,
        max_length: int,
        max_word_length: int = 0,
        truncate: str = "head",
    ):
        super().__init__(name="preprocessor", trainable=False)
        self.standardize = standardize
        self.max_length = max_length
        self.head = round(max_length * choose("truncate", truncate, TRUNCATIONS))
        self.max_word_length = max_word_length
        self.token_lookup = make_token_lookup(vocabularies)
        self.character_lookup = make_character_lookup(vocabularies) if max_word_length else None
        self.built = True  # it has no weights; an export asks

    def ragged(self, texts: tf.Tensor) -> dict[str, tf.RaggedTensor]:
        """Returns the ids of each text, unpadded.

        Args:
            texts: <string>[batch].

        Returns:
            `token_ids`: <int32>[batch, (tokens)], each row at least one long; and with characters
            `character_ids`: <int32>[batch, (tokens), max_word_length], 0 where padded.
        """
        tokens, _ = self.keep_tokens(texts)
        return self.to_ids(tokens)

    def to_ids(self, tokens: tf.RaggedTensor) -> dict[str, tf.RaggedTensor]:
        """Returns what `ragged` does, from the tokens of each text, <string>[batch, (tokens)]."""
        start = tf.fill([tokens.nrows(), 1], START_TOKEN)
        tokens = tf.concat([tf.RaggedTensor.from_tensor(start), tokens], axis=1)
        ids = {"token_ids": tokens.with_flat_values(self._ids(tokens.flat_values))}
        if self.character_lookup is not None:
            letters = look_up_characters(
                tokens.flat_values, self.character_lookup, self.max_word_length
            )
            ids["character_ids"] = tokens.with_flat_values(letters)
        return ids

    def keep_tokens(self, texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Splits texts and keeps the tokens that the model reads after the start token.

        Args:
            texts: <string>[batch].

        Returns:
            <string>[batch, (tokens)], and <int64>[batch], how many tokens are dropped after the
            first `head`.
        """
        tokens = tokenize(texts, self.standardize)
        return self._cut(tokens), tf.maximum(tokens.row_lengths() - self.max_length, 0)

    def _cut(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Cuts each row to its head and its tail; rows of at most `max_length` stay whole."""
        lengths = tokens.row_lengths()
        position = tf.ragged.range(lengths)
        # Positions are compared, not tokens: of a megabyte of text only numbers are copied.
        end = tf.repeat(lengths, lengths) - (self.max_length - self.head)
        kept = (position.flat_values < self.head) | (position.flat_values >= end)
        return tf.ragged.boolean_mask(tokens, position.with_flat_values(kept))

    def count_cut(self, texts: tf.Tensor) -> tf.Tensor:
        """Counts how much of texts is cut.

        Args:
            texts: <string>[batch].

        Returns:
            <int64>[3]: the texts longer than `max_length`, the tokens of all texts, and the tokens
            that are dropped.
        """
        lengths = tokenize(texts, self.standardize).row_lengths()
        dropped = tf.maximum(lengths - self.max_length, 0)
        longer = tf.math.count_nonzero(dropped)
        return tf.stack([longer, tf.reduce_sum(lengths), tf.reduce_sum(dropped)])

    def call(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns what `ragged` does, padded with 0 to the longest text of the batch."""
        ids = {name: ids.to_tensor() for name, ids in self.ragged(texts).items()}
        # An empty batch has no longest text, but recurrent layers need at least one step.
        missing = tf.maximum(1 - tf.shape(ids["token_ids"])[1], 0)
        return {
            name: tf.pad(padded, [[0, 0], [0, missing], [0, 0]][: padded.shape.rank])
            for name, padded in ids.items()
        }

    def _ids(self, tokens: tf.Tensor) -> tf.Tensor:
        return tf.cast(self.token_lookup(tokens), tf.int32)


def make_token_lookup(vocabularies: Vocabularies) -> keras.layers.StringLookup:
    """Makes the lookup of tokens: 0 for padding, 1 for the unknown."""
    return keras.layers.StringLookup(
        vocabulary=vocabularies.tokens, mask_token=PADDING_TOKEN, oov_token=UNKNOWN_TOKEN
    )


def make_character_lookup(vocabularies: Vocabularies) -> keras.layers.IntegerLookup:
    """Makes the lookup of code points: 0 for padding, 1 for the unknown."""
    return keras.layers.IntegerLookup(
        vocabulary=[ord(character) for character in vocabularies.characters],
        mask_token=0,
        oov_token=-1,
    )


def look_up_characters(
    tokens: tf.Tensor, lookup: keras.layers.IntegerLookup, size: int
) -> tf.Tensor:
    """Returns the ids of the first `size` characters of tokens: <string>[tokens] to
    <int32>[tokens, size]."""
    # Bytes are cut first, four for each character, so that a word of a megabyte stays cheap.
    head = tf.strings.substr(tokens, 0, 4 * size)
    codes = tf.strings.unicode_decode(head, "UTF-8", errors="ignore")[:, :size]
    ids = codes.with_flat_values(tf.cast(lookup(codes.flat_values), tf.int32))
    return ids.to_tensor(shape=[None, size])
