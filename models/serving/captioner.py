"""The serving model of a captioner: encoded pictures to captions."""

import math

import tensorflow as tf

from data.batches.pictures import decode_pictures
from data.graphs import graph
from data.text.special_tokens import PADDING
from data.text.tokenizer import Tokenizer
from models.captioning.captioner import Captioner
from models.captioning.ensemble import CaptionerEnsemble
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.seq2seq.search import TranslationSearch, prepend_start
from models.serving.export import Endpoints

_PICTURES = [tf.TensorSpec([None], tf.string, name="images")]


class ServingCaptioner(tf.Module):
    """Describes pictures, in stock TensorFlow ops.

    Args:
        tokenizer: texts to ids and back.
        model: the trained model.
        search: how captions are searched.
        attention: whether `serve` returns the attention, too.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        model: Captioner | CaptionerEnsemble,
        search: TranslationSearch,
        attention: bool = False,
    ) -> None:
        super().__init__()
        self.preprocessor, self.model, self.search = tokenizer, model, search
        answer = self.answer_n_best if search.n_best > 1 else self.answer
        answer = self.answer_with_attention if attention else answer
        self.serve = graph(answer, input_signature=_PICTURES)

    def endpoints(self) -> Endpoints:
        """Returns what a SavedModel answers: functions and their input signatures, by name."""
        return {
            "serving_default": (self.answer, _PICTURES),
            "with_attention": (self.answer_with_attention, _PICTURES),
        }

    def answer(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Describes a batch of pictures.

        Args:
            images: <string>[batch], the bytes of JPEG, PNG, GIF or BMP files. How the camera was
                held, which a JPEG may say, is not read.

        Returns:
            `captions` <string>[batch] and `scores` <float32>[batch], log-probabilities with the
            penalty of the search.
        """
        return {name: values[:, 0] for name, values in self.answer_n_best(images).items()}

    def answer_n_best(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the best captions of each picture, the best first; arguments as `answer`.

        Returns:
            `captions` <string>[batch, n_best] and `scores` <float32>[batch, n_best], -inf where
            there are fewer.
        """
        ids, scores = search_captions(self.model.head, self._find_features(images), self.search)
        strings = decode_captions(self.preprocessor, tf.reshape(ids, [-1, tf.shape(ids)[2]]))
        return {"captions": tf.reshape(strings, tf.shape(scores)), "scores": scores}

    def answer_with_attention(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """Describes a batch of pictures, and returns the attention of each token, too.

        Returns:
            As `answer`, and `tokens` <string>[batch, length], END included and empty where padded,
            and `attention` <float32>[batch, length, rows, columns], over the places of the square
            in the middle of the picture, 0 where padded; all zeros without attention.
        """
        features = self._find_features(images)
        ids, scores = search_captions(self.model.head, features, self.search)
        ids = ids[:, 0]
        with for_seldom_shapes():
            weights = self.model.head.attention_weights(features, prepend_start(ids))
        weights = tf.where((ids != PADDING)[:, :, None], weights, 0.0)
        side = math.isqrt(features.shape[-2])
        return {
            "captions": decode_captions(self.preprocessor, ids),
            "scores": scores[:, 0],
            "tokens": self.preprocessor.tokens(ids),
            "attention": tf.reshape(weights, [*tf.unstack(tf.shape(ids)), side, side]),
        }

    def _find_features(self, images: tf.Tensor) -> tf.Tensor:
        pixels = decode_pictures(images, self.model.settings["picture_size"])
        return self.model.find_features(tf.cast(pixels, tf.float32))


def decode_captions(tokenizer: Tokenizer, ids: tf.Tensor) -> tf.Tensor:
    """Decodes ids <int32>[rows, length] to captions <string>[rows]."""
    # A word that the training has in the middle of captions has a space before it.
    return tf.strings.strip(tokenizer.decode(ids))


def search_captions(
    model: tf.Module, features: tf.Tensor, search: TranslationSearch
) -> tuple[tf.Tensor, tf.Tensor]:
    """Searches for captions, and cuts them to the length of the longest one.

    Args:
        model: a `Captioner`, or the head of one or of several, which encodes features.
        features: what it encodes, [batch, ...].
        search: how.

    Returns:
        Ids <int32>[batch, n_best, length], END included, 0 after it, and scores
        <float32>[batch, n_best].
    """
    # XLA compiles anew for each shape, and the few pictures of a prediction have many shapes.
    with for_seldom_shapes():
        ids, scores = search(model, features)
    lengths = tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32)
    # An empty batch has no longest caption.
    return ids[..., : tf.maximum(tf.reduce_max(tf.pad(lengths, [[0, 1], [0, 0]])), 1)], scores
