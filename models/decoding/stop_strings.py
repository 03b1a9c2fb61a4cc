"""Strings before which a generated text ends."""

from collections.abc import Callable

import tensorflow as tf


class StopStrings:
    """Ends texts at given strings: a `stopped` of `models.decoding.decode.decode`.

    It consists of stock TensorFlow operations.

    Args:
        decode: turns ids <int32>[rows, length] into texts <string>[rows], such as that of a
            `data.text.tokenizer.Tokenizer`.
        strings: at least one, none of them empty.
    """

    def __init__(self, decode: Callable[[tf.Tensor], tf.Tensor], strings: tuple[str, ...]):
        self._decode = decode
        # A token has at least one byte: a string cannot have more tokens than bytes.
        self._tokens = max(len(string.encode("utf-8")) for string in strings)
        self._pattern = "|".join(map(_escape, strings))

    def __call__(self, ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Returns whether one of the strings is at the end of each text, <bool>[rows].

        Args:
            ids: <int32>[rows, time], PADDING after the last one.
            lengths: <int32>[rows].
        """
        places = lengths[:, None] - self._tokens + tf.range(self._tokens)
        last = tf.gather(ids, tf.maximum(places, 0), batch_dims=1)
        texts = self._decode(tf.where(places >= 0, last, 0))
        return tf.strings.regex_full_match(texts, f"(?s).*(?:{self._pattern}).*")

    def cut(self, texts: tf.Tensor) -> tf.Tensor:
        """Cuts texts, <string>[rows], before the first of the strings."""
        return tf.strings.regex_replace(texts, f"(?s)(?:{self._pattern}).*", "")


def _escape(string: str) -> str:
    """Escapes a string for RE2, which refuses some escapes of Python's `re.escape`."""
    signs = (c if c.isalnum() or c.isspace() or not c.isascii() else f"\\{c}" for c in string)
    return "".join(signs)
