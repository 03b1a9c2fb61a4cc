"""The serving model of a tagger: raw strings to tokens, tags and their places."""

import keras
import numpy as np
import tensorflow as tf

from data.batches.windows import cut_windows
from data.graphs import graph
from data.text.tag_preprocessor import TagPreprocessor
from data.text.word_tokenizer import tokenize_words

_STRINGS = [tf.TensorSpec([None], tf.string, name="texts")]
# Windows that are tagged at once: memory does not grow with texts.
_CHUNK = 128


class ServingTagger(tf.Module):
    """Strings to tokens with BIO tags, in stock TensorFlow ops.

    Args:
        preprocessor: tokens to the trained model's inputs.
        model: the trained `models.tagging.tagger.Tagger`.
        window, overlap: as `data.batches.windows.cut_windows`.
    """

    def __init__(
        self, preprocessor: TagPreprocessor, model: keras.Model, window: int, overlap: int
    ):
        super().__init__()
        self.preprocessor = preprocessor
        self.model = model
        self.window, self.overlap = window, overlap
        self.tags = tf.constant(model.settings["tags"])
        self._bio = Bio(model.settings["tags"])
        self.serve = graph(self.answer, input_signature=_STRINGS)

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch.

        Args:
            texts: <string>[batch], any bytes, of any length.

        Returns:
            `tokens` and `tags` <string>[batch, tokens], empty where padded; `starts` and `ends`
            <int32>[batch, tokens], in Unicode code points, and `scores` <float32>[batch, tokens],
            how probable each tag is, 0 where padded.
        """
        tokens = tokenize_words(texts)
        strings = tokens.strings
        tags, scores = self._tagged(strings.flat_values, strings.row_lengths())
        tags = self._bio.mended(tags, strings.row_starts())

        def dense(flat):
            return strings.with_flat_values(flat).to_tensor()

        return {
            "tokens": strings.to_tensor(),
            "tags": dense(tf.gather(self.tags, tags)),
            "starts": tokens.starts.to_tensor(),
            "ends": tokens.ends.to_tensor(),
            "scores": dense(scores),
        }

    def _tagged(self, tokens: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Tags <int32>[tokens] and scores <float32>[tokens] of the texts' tokens, joined."""
        windows = cut_windows(lengths, self.window, self.overlap)
        total = tf.size(windows.begin)

        def chunk(first, tags, scores):
            begin, end, keep_from, keep_to = (each[first : first + _CHUNK] for each in windows)
            steps = tf.range(tf.reduce_max(end - begin))
            places = begin[:, None] + steps
            real = places < end[:, None]
            # What two windows read is looked up twice: all ids at once would take more memory.
            ids = self.preprocessor(tf.gather(tokens, tf.boolean_mask(places, real)))
            ids = {name: _padded(flat, real) for name, flat in ids.items()}
            best, shares = self.model.decode(self.model(ids, training=False), real)
            kept = (places >= keep_from[:, None]) & (places < keep_to[:, None])
            at = tf.boolean_mask(places, kept)[:, None]
            return (
                first + _CHUNK,
                tf.tensor_scatter_nd_update(tags, at, tf.boolean_mask(best, kept)),
                tf.tensor_scatter_nd_update(scores, at, tf.boolean_mask(shares, kept)),
            )

        count = tf.size(tokens)
        _, tags, scores = tf.while_loop(
            lambda first, *_: first < total,
            chunk,
            [tf.constant(0), tf.zeros([count], tf.int32), tf.zeros([count])],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None])],
            parallel_iterations=1,
        )
        return tags, scores


def _padded(flat: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """[tokens, ...] -> [rows, time, ...], 0 where not `real`."""
    shape = tf.concat([tf.shape(real), tf.shape(flat)[1:]], axis=0)
    padded = tf.scatter_nd(tf.where(real), flat, tf.cast(shape, tf.int64))
    return tf.ensure_shape(padded, [None, None, *flat.shape[1:]])


class Bio:
    """What follows what in BIO.

    Args:
        tags: names.
    """

    def __init__(self, tags: tuple[str, ...]):
        types = [tag[2:] for tag in tags]
        begins = {tag[2:]: i for i, tag in enumerate(tags) if tag.startswith("B-")}
        self._kind = np.array([types.index(kind) if kind else -1 for kind in types], np.int32)
        self._inside = np.array([tag.startswith("I-") for tag in tags])
        self._begin = np.array([begins.get(kind, 0) for kind in types], np.int32)

    def mended(self, tags: tf.Tensor, row_starts: tf.Tensor) -> tf.Tensor:
        """Tags whose every `I-X` follows a `B-X` or `I-X`; another one, which begins an entity for
        conlleval as well, becomes a `B-X`.

        A CRF needs it where two windows meet, a softmax anywhere.

        Args:
            tags: <int32>[tokens] of texts, joined.
            row_starts: <int>[texts], positions at which the texts begin.
        """
        kind = tf.gather(self._kind, tags)
        before = tf.concat([[-1], kind[:-1]], axis=0)[: tf.size(tags)]
        # Empty texts begin where the next one does, or behind the last token.
        marks = tf.math.unsorted_segment_sum(
            tf.ones_like(row_starts), row_starts, tf.size(tags) + 1
        )
        is_first = marks[:-1] > 0
        wrong = tf.gather(self._inside, tags) & ((before != kind) | is_first)
        return tf.where(wrong, tf.gather(self._begin, tags), tags)
