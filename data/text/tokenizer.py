"""Texts to the ids of their tokens and back, in stock TensorFlow ops."""

import tensorflow as tf

from data.graphs import in_chunks
from data.text.byte_pairs import Merger
from data.text.cleaning import drop_format_characters
from data.text.pretokenizer import pretokenize
from data.text.special_tokens import END, PADDING, START, UNKNOWN, UNKNOWN_TEXT
from data.text.tokenizer_vocabulary import BYTES, TokenizerVocabulary, find_splitter

_SPECIAL = END + 1
_SHOWN = {PADDING: "", UNKNOWN: UNKNOWN_TEXT, START: "<start>", END: "<end>"}
_DECODED = {PADDING: "", UNKNOWN: UNKNOWN_TEXT, START: "", END: ""}


class Tokenizer(tf.Module):
    """Encodes and decodes; works eagerly, in graphs, in tf.data and in SavedModels.

    Invisible characters (`data.text.characters`) are passed over. Bytes are lossless but for them.
    Characters, words and sub-words are so, too, but for what the vocabulary lacks and for bytes
    that are not UTF-8, which become U+FFFD. The tokens of classifiers and
    taggers are not: each is decoded with a space before it.

    Args:
        vocabulary: from `data.text.tokenizer_vocabulary.learn_vocabulary`.

    Attributes:
        vocabulary_size: ids, the four special ones included.
        encode_all: `encode` for a list of strings of any length.
    """

    def __init__(self, vocabulary: TokenizerVocabulary):
        super().__init__()
        self.kind = vocabulary.kind
        shown, decoded = list(vocabulary.tokens), list(vocabulary.tokens)
        if self.kind == "bytes":
            decoded = [bytes([byte]) for byte in range(BYTES)]
            # Half of them are no text by themselves.
            shown = [chr(b) if b < 0x80 else f"<0x{b:02X}>" for b in range(BYTES)]
        self._split_tokens = find_splitter(self.kind)
        if self._split_tokens:
            decoded = [f" {token}" for token in decoded]
        # Nearly all words that are unknown stood behind a space, which went with them.
        unknown = {UNKNOWN: f" {UNKNOWN_TEXT}"} if self._splits_words else {}
        self.vocabulary_size = vocabulary.vocabulary_size
        self._shown = tf.constant([*_SHOWN.values(), *shown])
        self._decoded = tf.constant([*(_DECODED | unknown).values(), *decoded])
        ids = {token: id_ for id_, token in enumerate(vocabulary.tokens, _SPECIAL)}
        self._lookup = self._merger = None
        if self._splits_words:
            # A table may not be empty; no piece is "".
            self._lookup = _table({"": UNKNOWN} | ids, tf.string)
        elif self.kind != "bytes":
            codes = {ord(token): id_ for token, id_ in ids.items() if len(token) == 1}
            self._lookup = _table({-1: UNKNOWN} | codes, tf.int64)
        if self.kind == "subwords":
            self._merger = Merger(list(vocabulary.merges), ids, self.vocabulary_size)
        self.encode_all = in_chunks(self.encode)

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The ids of texts, without START and END.

        Args:
            texts: <string>[batch], any bytes.

        Returns:
            <int32>[batch, (length)].
        """
        kind = "tokens" if self._split_tokens else self.kind
        texts = drop_format_characters(tf.convert_to_tensor(texts, tf.string))
        return getattr(self, f"_encode_{kind}")(texts)

    def decode(self, ids) -> tf.Tensor:
        """The texts of ids; PADDING, START and END are left out, UNKNOWN is `UNKNOWN_TEXT`, as a
        word with a space before it.

        Args:
            ids: <int32>[batch, length], or ragged.

        Returns:
            <string>[batch], UTF-8; bytes that are not become U+FFFD.
        """
        texts = tf.strings.reduce_join(_each(ids, self._decoded), axis=-1)
        if self.kind == "words":
            texts = tf.strings.regex_replace(texts, f"^ {UNKNOWN_TEXT}", UNKNOWN_TEXT)
        return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")

    def tokens(self, ids):
        """The text of each id by itself, "" for padding, to be shown. <string>, as `ids`."""
        return _each(ids, self._shown)

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The text of each token of `encode(texts)`, of those too that the vocabulary lacks.

        Args:
            texts: <string>[batch].

        Returns:
            <string>[batch, (length)].
        """
        texts = drop_format_characters(tf.convert_to_tensor(texts, tf.string))
        ids = self.encode(texts)
        if self.kind == "bytes":
            return self.tokens(ids)
        if self._splits_words:
            return self._words_of(texts)
        # Each unknown token is one unknown character, and both stand in the same order.
        codes = tf.strings.unicode_decode(texts, "UTF-8").flat_values
        unknown = tf.boolean_mask(codes, self._character_ids(codes) == UNKNOWN)
        letters = tf.strings.unicode_encode(unknown[:, None], "UTF-8")
        flat = tf.tensor_scatter_nd_update(
            tf.gather(self._shown, ids.flat_values), tf.where(ids.flat_values == UNKNOWN), letters
        )
        return ids.with_flat_values(flat)

    def ids_of(self, tokens: tf.Tensor) -> tf.Tensor:
        """The ids of words or tokens that a text is split into already. <string> -> <int32>."""
        return self._lookup.lookup(tokens)

    def _encode_characters(self, texts):
        codes = tf.strings.unicode_decode(texts, "UTF-8", errors="replace")
        return codes.with_flat_values(self._character_ids(codes.flat_values))

    def _encode_bytes(self, texts):
        # In Latin-1 the code point of each byte is its value.
        return tf.strings.unicode_decode(texts, "ISO-8859-1") + _SPECIAL

    @property
    def _splits_words(self) -> bool:
        return self.kind == "words" or self._split_tokens is not None

    def _words_of(self, texts):
        return (self._split_tokens or pretokenize)(texts)

    def _encode_words(self, texts):
        pieces = self._words_of(texts)
        return pieces.with_flat_values(self.ids_of(pieces.flat_values))

    _encode_tokens = _encode_words

    def _encode_subwords(self, texts):
        pieces = pretokenize(texts)
        # Most pieces are repeated: each is merged once.
        different, index = tf.unique(pieces.flat_values)
        symbols = self._merger(self._encode_characters(different))
        return pieces.with_flat_values(tf.gather(symbols, index)).merge_dims(1, 2)

    def _character_ids(self, codes):
        return self._lookup.lookup(tf.cast(codes, tf.int64))


def _table(ids: dict, dtype: tf.DType) -> tf.lookup.StaticHashTable:
    keys, values = tf.constant([*ids], dtype), tf.constant([*ids.values()], tf.int32)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), UNKNOWN)


def _each(ids, texts: tf.Tensor):
    if isinstance(ids, tf.RaggedTensor):
        return ids.with_flat_values(tf.gather(texts, ids.flat_values))
    return tf.gather(texts, ids)
