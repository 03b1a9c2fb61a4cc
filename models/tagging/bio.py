"""The BIO scheme of tags: which tag may follow which, and the repair of sequences that break it."""

import numpy as np
import tensorflow as tf


class Bio:
    """The BIO scheme over some tags.

    Args:
        tags: their names: `O`, `B-PER`, `I-PER`, ...
    """

    def __init__(self, tags: tuple[str, ...]) -> None:
        types = [tag[2:] for tag in tags]
        begins = {tag[2:]: i for i, tag in enumerate(tags) if tag.startswith("B-")}
        self._types = np.array([types.index(kind) if kind else -1 for kind in types], np.int32)
        self._inside = np.array([tag.startswith("I-") for tag in tags])
        self._begin = np.array([begins.get(kind, 0) for kind in types], np.int32)

    def repair(self, tags: tf.Tensor, row_starts: tf.Tensor) -> tf.Tensor:
        """Turns every `I-X` that follows neither `B-X` nor `I-X` into a `B-X`.

        Such a tag begins an entity for conlleval as well. A CRF needs the repair where two windows
        meet, a softmax anywhere.

        Args:
            tags: <int32>[tokens], positions of the tags of all texts, joined.
            row_starts: <int>[texts], positions at which the texts begin.

        Returns:
            <int32>[tokens].
        """
        types = tf.gather(self._types, tags)
        before = tf.concat([[-1], types[:-1]], axis=0)[: tf.size(tags)]
        # An empty text begins where the next one does, or after the last token.
        marks = tf.math.unsorted_segment_sum(
            tf.ones_like(row_starts), row_starts, tf.size(tags) + 1
        )
        is_first = marks[:-1] > 0
        is_wrong = tf.gather(self._inside, tags) & ((before != types) | is_first)
        return tf.where(is_wrong, tf.gather(self._begin, tags), tags)
