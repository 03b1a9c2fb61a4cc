"""Strings before which a generated text ends."""

import tensorflow as tf


class StopStrings:
    """A hook of `models.decoding.decode.decode`, in stock TensorFlow ops.

    Args:
        decode: <int32>[rows, length] -> <string>[rows], such as that of a
            `data.text.tokenizer.Tokenizer`.
        strings: none of them empty.
    """

    def __init__(self, decode, strings: tuple[str, ...]):
        self._decode = decode
        # Each token has a byte at least: a string cannot stand in more tokens than it has bytes.
        self._tokens = max(len(string.encode("utf-8")) for string in strings)
        self._pattern = "|".join(map(_escaped, strings))

    def __call__(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Whether a string stands at the end of each text, <bool>[rows].

        Args:
            ids: <int32>[rows, time], PADDING after the last one.
            lengths: <int32>[rows].
        """
        places = lengths[:, None] - self._tokens + tf.range(self._tokens)
        last = tf.gather(ids, tf.maximum(places, 0), batch_dims=1)
        texts = self._decode(tf.where(places >= 0, last, 0))
        return tf.strings.regex_full_match(texts, f"(?s).*(?:{self._pattern}).*")

    def cut(self, texts: tf.Tensor) -> tf.Tensor:
        """The texts before the first of the strings. <string>[rows] both."""
        return tf.strings.regex_replace(texts, f"(?s)(?:{self._pattern}).*", "")


def _escaped(string: str) -> str:
    """As a pattern of RE2, which refuses some escapes that Python's `re.escape` makes."""
    signs = (c if c.isalnum() or c.isspace() or not c.isascii() else f"\\{c}" for c in string)
    return "".join(signs)
