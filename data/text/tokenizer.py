"""The tokenizer of language models and translators: texts to token ids and back."""

import numpy as np
import tensorflow as tf

from data.graphs import graph, in_chunks
from data.text.byte_pairs import Merger
from data.text.characters import WHITE_SPACE
from data.text.cleaning import drop_format_characters
from data.text.pretokenizer import pretokenize
from data.text.special_tokens import END, PADDING, START, UNKNOWN, UNKNOWN_TEXT
from data.text.tokenizer_vocabulary import BYTES, TokenizerVocabulary, find_splitter

_STRINGS = tf.TensorSpec([None], tf.string)
_SPECIAL = END + 1
_SHOWN = {PADDING: "", UNKNOWN: UNKNOWN_TEXT, START: "<start>", END: "<end>"}
_DECODED = {PADDING: "", UNKNOWN: UNKNOWN_TEXT, START: "", END: ""}


class Tokenizer(tf.Module):
    """Encodes texts as token ids and decodes them, in stock TensorFlow ops: eagerly, in graphs, in
    tf.data and in SavedModels.

    Invisible characters (`data.text.characters`) are skipped. Otherwise bytes lose nothing.
    Characters, words and sub-words lose only what the vocabulary lacks, and bytes that are not
    UTF-8, which become U+FFFD. From the tokens of classifiers and taggers a text cannot be
    restored: each is decoded with a space before it.

    Args:
        vocabulary: from `data.text.tokenizer_vocabulary.learn_vocabulary`.
        spaced: whether each word is read with one space before it, the first one, too, and whatever
            white space the text has; so a word has the same tokens wherever it stands.

    Attributes:
        vocabulary_size: number of ids, the four special ones included.
        encode_all: `encode` for a list of strings of any length.
    """

    def __init__(self, vocabulary: TokenizerVocabulary, spaced: bool = False):
        super().__init__()
        self.kind, self.spaced = vocabulary.kind, spaced
        shown: list[str] = list(vocabulary.tokens)
        decoded: list[str] | list[bytes] = shown
        if self.kind == "bytes":
            decoded = [bytes([byte]) for byte in range(BYTES)]
            # Half of the bytes are no text by themselves.
            shown = [chr(b) if b < 0x80 else f"<0x{b:02X}>" for b in range(BYTES)]
        self._split_tokens = find_splitter(self.kind)
        if self._split_tokens:
            decoded = [f" {token}" for token in vocabulary.tokens]
        # Nearly all unknown words came after a space, which was part of the token.
        unknown = {UNKNOWN: f" {UNKNOWN_TEXT}"} if self._splits_words else {}
        self.vocabulary_size = vocabulary.vocabulary_size
        self._shown = tf.constant([*_SHOWN.values(), *shown])
        self._decoded = tf.constant([*(_DECODED | unknown).values(), *decoded])
        ids = {token: id_ for id_, token in enumerate(vocabulary.tokens, _SPECIAL)}
        self._lookup: tf.lookup.StaticHashTable | None = None
        self._merger: Merger | None = None
        if self._splits_words:
            # A table must not be empty; no token is "".
            self._lookup = _make_table({"": UNKNOWN} | ids, tf.string)
        elif self.kind != "bytes":
            codes = {ord(token): id_ for token, id_ in ids.items() if len(token) == 1}
            self._lookup = _make_table({-1: UNKNOWN} | codes, tf.int64)
        if self.kind == "subwords":
            self._merger = Merger(list(vocabulary.merges), ids, self.vocabulary_size)
        # Serving models call it in several graphs, each of which takes its operations as one.
        self._encode = graph(self._encode_here, input_signature=[_STRINGS])
        self.encode_all = in_chunks(self.encode)

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of texts, without START and END.

        Args:
            texts: <string>[batch], any bytes.

        Returns:
            <int32>[batch, (length)].
        """
        return self._encode(texts)

    def _encode_here(self, texts: tf.Tensor) -> tf.RaggedTensor:
        texts = self._prepare(texts)
        encoders = {
            "characters": self._encode_characters,
            "bytes": self._encode_bytes,
            "subwords": self._encode_subwords,
        }
        return encoders.get(self.kind, self._encode_words)(texts)

    def encode_by_chance(
        self, texts: list[str], groups: np.ndarray, dropout: float, seed: tuple[int, ...]
    ) -> tf.RaggedTensor:
        """Returns the ids of texts, in which some words are cut into smaller sub-words than usual
        (BPE-dropout, Provilkov et al. 2020); in all texts of a group a word is cut alike.

        Args:
            texts: any number, at once in memory; the tokens are sub-words.
            groups: <int64>[texts], the number of each text's group.
            dropout: share of merges that are left out, from 0 to 1.
            seed: of the chances, numbers from 0.

        Returns:
            <int32>[texts, (length)].
        """
        assert self._merger is not None, "only sub-words are merged"
        pieces = pretokenize(self._prepare(tf.constant(texts, tf.string)))
        different, numbers = tf.unique(pieces.flat_values, tf.int64)
        # A number for each word of each group.
        rows = tf.gather(tf.constant(groups, tf.int64), pieces.value_rowids())
        words, index = tf.unique(rows * tf.size(different, tf.int64) + numbers)
        symbols = tf.gather(
            self._encode_characters(different), words % tf.size(different, tf.int64)
        )
        own = np.random.SeedSequence(seed).generate_state(2)
        merged = self._merger.merge_by_chance(symbols, dropout, tf.constant(own, tf.int64))
        return pieces.with_flat_values(tf.gather(merged, index)).merge_dims(1, 2)

    def decode(self, ids: tf.Tensor | tf.RaggedTensor) -> tf.Tensor:
        """Returns the texts of ids.

        PADDING, START and END are left out. UNKNOWN becomes `UNKNOWN_TEXT`; for a word, with a
        space before it. Of spaced texts the first space is left out.

        Args:
            ids: <int32>[batch, length], or ragged.

        Returns:
            <string>[batch], UTF-8; other bytes become U+FFFD.
        """
        texts = tf.strings.reduce_join(_gather(ids, self._decoded), axis=-1)
        if self.kind == "words":
            texts = tf.strings.regex_replace(texts, f"^ {UNKNOWN_TEXT}", UNKNOWN_TEXT)
        if self.spaced:
            texts = tf.strings.regex_replace(texts, "^ ", "")
        return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")

    def tokens(self, ids: tf.Tensor | tf.RaggedTensor) -> tf.Tensor | tf.RaggedTensor:
        """Returns a readable text for each id, "" for padding: <string>, shaped like `ids`."""
        return _gather(ids, self._shown)

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the text of each token of `encode(texts)`, even if the vocabulary lacks it.

        Args:
            texts: <string>[batch].

        Returns:
            <string>[batch, (length)].
        """
        ids = self.encode(texts)
        texts = self._prepare(texts)
        if self.kind == "bytes":
            return self.tokens(ids)
        if self._splits_words:
            return self._split_words(texts)
        # Each unknown token is one unknown character, in the same order.
        codes = tf.strings.unicode_decode(texts, "UTF-8").flat_values
        unknown = tf.boolean_mask(codes, self._character_ids(codes) == UNKNOWN)
        letters = tf.strings.unicode_encode(unknown[:, None], "UTF-8")
        flat = tf.tensor_scatter_nd_update(
            tf.gather(self._shown, ids.flat_values), tf.where(ids.flat_values == UNKNOWN), letters
        )
        return ids.with_flat_values(flat)

    def _prepare(self, texts: tf.Tensor) -> tf.Tensor:
        texts = drop_format_characters(tf.convert_to_tensor(texts, tf.string))
        if not self.spaced:
            return texts
        texts = tf.strings.strip(tf.strings.regex_replace(texts, WHITE_SPACE, " "))
        return tf.where(texts == "", texts, " " + texts)

    def look_up(self, tokens: tf.Tensor) -> tf.Tensor:
        """Returns the ids <int32> of words or tokens <string> of a text that is already split."""
        assert self._lookup is not None, "bytes are not looked up"
        return self._lookup.lookup(tokens)

    def _encode_characters(self, texts: tf.Tensor) -> tf.RaggedTensor:
        codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        return codes.with_flat_values(self._character_ids(codes.flat_values))

    def _encode_bytes(self, texts: tf.Tensor) -> tf.RaggedTensor:
        # In Latin-1 the code point of each byte is its value.
        return tf.strings.unicode_decode(texts, "ISO-8859-1") + _SPECIAL

    @property
    def _splits_words(self) -> bool:
        return self.kind == "words" or self._split_tokens is not None

    def _split_words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return (self._split_tokens or pretokenize)(texts)

    def _encode_words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        pieces = self._split_words(texts)
        return pieces.with_flat_values(self.look_up(pieces.flat_values))

    def _encode_subwords(self, texts: tf.Tensor) -> tf.RaggedTensor:
        pieces = pretokenize(texts)
        # Most pieces occur often: each is merged only once.
        different, index = tf.unique(pieces.flat_values)
        assert self._merger is not None, "only sub-words are merged"
        symbols = self._merger(self._encode_characters(different))
        return pieces.with_flat_values(tf.gather(symbols, index)).merge_dims(1, 2)

    def _character_ids(self, codes: tf.Tensor) -> tf.Tensor:
        assert self._lookup is not None, "bytes are not looked up"
        return self._lookup.lookup(tf.cast(codes, tf.int64))


def _make_table(ids: dict, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    keys, values = tf.constant([*ids], dtype), tf.constant([*ids.values()], tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), UNKNOWN)


def _gather(ids: tf.Tensor | tf.RaggedTensor, texts: tf.Tensor) -> tf.Tensor | tf.RaggedTensor:
    if isinstance(ids, tf.RaggedTensor):
        return ids.with_flat_values(tf.gather(texts, ids.flat_values))
    return tf.gather(texts, ids)
