"""The serving model of a tagger: raw strings to tokens, their tags and their positions."""

import tensorflow as tf

from data.batches.windows import cut_windows
from data.graphs import graph
from data.text.tag_preprocessor import TagPreprocessor
from data.text.word_tokenizer import tokenize_words
from models.serving.export import Endpoints
from models.tagging.bio import Bio
from models.tagging.ensemble import TaggerEnsemble
from models.tagging.tagger import Tagger

_STRINGS = [tf.TensorSpec([None], tf.string, name="texts")]
# Windows that are tagged at once, so that memory does not grow with the texts.
_CHUNK = 128


class ServingTagger(tf.Module):
    """Splits strings into tokens and gives these BIO tags, in stock TensorFlow ops.

    Args:
        preprocessor: tokens to the trained model's inputs.
        model: the trained model.
        window, overlap: as `data.batches.windows.cut_windows`.
    """

    def __init__(
        self,
        preprocessor: TagPreprocessor,
        model: Tagger | TaggerEnsemble,
        window: int,
        overlap: int,
    ) -> None:
        super().__init__()
        self.preprocessor = preprocessor
        self.model = model
        self.window, self.overlap = window, overlap
        self.tags = tf.constant(model.settings["tags"])
        self._bio = Bio(model.settings["tags"])
        self.serve = graph(self.answer, input_signature=_STRINGS)

    def endpoints(self) -> Endpoints:
        """Returns what a SavedModel answers: functions and their input signatures, by name."""
        return {"serving_default": (self.answer, _STRINGS)}

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Tags a batch of texts.

        Args:
            texts: <string>[batch], any bytes, of any length.

        Returns:
            `tokens` and `tags` <string>[batch, tokens], empty where padded; `starts` and `ends`
            <int32>[batch, tokens], in Unicode code points, and `scores` <float32>[batch, tokens],
            how probable each tag is, 0 where padded.
        """
        tokens = tokenize_words(texts)
        strings = tokens.strings
        tags, scores = self._tag(strings.flat_values, strings.row_lengths())
        tags = self._bio.repair(tags, strings.row_starts())

        def pad(flat: tf.Tensor) -> tf.Tensor:
            return strings.with_flat_values(flat).to_tensor()

        return {
            "tokens": strings.to_tensor(),
            "tags": pad(tf.gather(self.tags, tags)),
            "starts": tokens.starts.to_tensor(),
            "ends": tokens.ends.to_tensor(),
            "scores": pad(scores),
        }

    def _tag(self, tokens: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns tags <int32> and scores <float32> of the tokens of all texts, joined."""
        windows = cut_windows(lengths, self.window, self.overlap)
        total = tf.size(windows.begin)

        def tag_chunk(first, tags, scores):
            begin, end, keep_from, keep_to = (column[first : first + _CHUNK] for column in windows)
            steps = tf.range(tf.reduce_max(end - begin))
            positions = begin[:, None] + steps
            real = positions < end[:, None]
            # Tokens of two windows are looked up twice: all ids at once would take more memory.
            ids = self.preprocessor(tf.gather(tokens, tf.boolean_mask(positions, real)))
            ids = {name: _pad_rows(flat, real) for name, flat in ids.items()}
            best, shares = self.model.decode(self.model(ids, training=False), real)
            kept = (positions >= keep_from[:, None]) & (positions < keep_to[:, None])
            at = tf.boolean_mask(positions, kept)[:, None]
            return (
                first + _CHUNK,
                tf.tensor_scatter_nd_update(tags, at, tf.boolean_mask(best, kept)),
                tf.tensor_scatter_nd_update(scores, at, tf.boolean_mask(shares, kept)),
            )

        count = tf.size(tokens)
        _, tags, scores = tf.while_loop(
            lambda first, *_: first < total,
            tag_chunk,
            [tf.constant(0), tf.zeros([count], tf.int32), tf.zeros([count])],
            shape_invariants=[tf.TensorShape([]), tf.TensorShape([None]), tf.TensorShape([None])],
            parallel_iterations=1,
        )
        return tags, scores


def _pad_rows(flat: tf.Tensor, real: tf.Tensor) -> tf.Tensor:
    """Spreads [tokens, ...] over [rows, time, ...], 0 where not `real` <bool>[rows, time]."""
    shape = tf.concat([tf.shape(real), tf.shape(flat)[1:]], axis=0)
    padded = tf.scatter_nd(tf.where(real), flat, tf.cast(shape, tf.int64))
    return tf.ensure_shape(padded, [None, None, *flat.shape[1:]])
