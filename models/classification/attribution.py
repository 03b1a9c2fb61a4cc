"""What each word adds to a classifier's answer: integrated gradients, and occlusion to check them.

Both compare a text with itself where words are unknown. The start token, which stands before every
text, stays what it is: it adds nothing, and the words have the whole difference among themselves.
"""

from functools import partial
from typing import NamedTuple

import keras
import tensorflow as tf

from data.graphs import graph
from data.text.special_tokens import UNKNOWN
from models.classification.classifier import TextClassifier
from models.classification.wide_classifier import WideClassifier
from models.compilation import stock_operations

# Points of the Riemann sum, a power of two; the sum misses the integral by a percent at most.
STEPS = 64
# Tokens that go through the network at once: memory does not grow with the length of the texts.
TOKENS = 16_384


class Parts(NamedTuple):
    """A classifier in parts, which share its weights.

    Attributes:
        front_end: ids to `[features, mask]`, <float32>[batch, time, features] and <bool>[batch,
            time], true at real tokens.
        back_end: `[features, mask]` to logits <float32>[batch, num_classes].
        terms: `token_ids` <int32>[batch, time] to the last features of each token, <float32>[batch,
            time, terms], where these depend on its neighbours; None where each token has features
            of its own.
    """

    front_end: keras.Model
    back_end: keras.Model
    terms: keras.layers.Layer | None = None


def split(model: TextClassifier | WideClassifier) -> Parts:
    """Splits a classifier where words have become features.

    Args:
        model: token ids to logits. What a linear model of n-grams adds to them at each token counts
            as features of the token.
    """
    if isinstance(model, WideClassifier):
        return _split_wide(model)
    features_and_mask = model.get_layer("recurrent").input
    return Parts(
        keras.Model(model.input, features_and_mask),
        keras.Model(features_and_mask, model.output),
    )


def _split_wide(model: WideClassifier) -> Parts:
    front_end, back_end, _ = split(model.recurrent)
    features, mask = front_end(model.input)
    terms = model.ngrams(model.input["token_ids"])
    both = keras.Input((None, features.shape[-1] + terms.shape[-1]))
    real = keras.Input((None,), dtype="bool")
    logits = back_end([both[..., : features.shape[-1]], real])
    logits += keras.ops.sum(both[..., features.shape[-1] :], axis=1)
    return Parts(
        keras.Model(model.input, [keras.ops.concatenate([features, terms], axis=-1), mask]),
        keras.Model([both, real], logits),
        model.ngrams,
    )


def log_odds(logits: tf.Tensor, classes: tf.Tensor, multi_label: bool = False) -> tf.Tensor:
    """`log p - log(1 - p)` of a class, from the logits, so that it stays finite where p is 1.

    Args:
        logits: <float32>[batch, num_classes].
        classes: <int32>[batch].
        multi_label: p is the logit's sigmoid, instead of its softmax.

    Returns:
        <float32>[batch].
    """
    logits = tf.convert_to_tensor(logits)
    chosen = tf.one_hot(classes, tf.shape(logits)[-1], on_value=True, off_value=False)
    own = tf.reduce_sum(tf.where(chosen, logits, 0.0), axis=-1)
    if multi_label:
        return own
    return own - tf.reduce_logsumexp(tf.where(chosen, logits.dtype.min, logits), axis=-1)


class Attribution:
    """Weights of words for a class, in its log-odds.

    Args:
        parts: from `split`.
        multi_label: as `log_odds`.
        temperature: the logits are divided by it.
    """

    def __init__(
        self,
        parts: Parts,
        multi_label: bool = False,
        temperature: float = 1.0,
    ):
        self.front_end, self.back_end, self.terms = parts
        self.multi_label, self.temperature = multi_label, temperature
        ids = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in parts.front_end.input.items()}
        signature = [ids, tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)]
        self._explain = graph(self._attribute, input_signature=signature)

    def __call__(self, ids: dict[str, tf.Tensor], classes) -> dict[str, tf.Tensor]:
        """Explains a batch; of more than `TOKENS` tokens it takes more memory.

        Args:
            ids: what the model takes, the start token first in each row.
            classes: <int>[batch], what to explain of each row.

        Returns:
            `weights` <float32>[batch, time], integrated gradients of each token; `drops`
            <float32>[batch, time], by how much the log-odds fall where the token is unknown;
            `figure` and `baseline` <float32>[batch], the log-odds of the text and of the text in
            which every word is unknown. Both are 0 at the start token and where padded.
        """
        rows, time = ids["token_ids"].shape
        copies = max(1, TOKENS // max(1, rows * time))
        # A power of two divides the steps.
        at_once = min(STEPS, 1 << (copies.bit_length() - 1))
        return self._explain(ids, tf.cast(classes, tf.int32), at_once)

    def _attribute(self, ids, classes, at_once):
        # Compiling the loop for each length would take longer than the few passes through it.
        with stock_operations():
            features, mask = self.front_end(ids, training=False)
            baseline, _ = self.front_end(_unknown_words(ids), training=False)
            both = self._figures(tf.stack([features, baseline]), mask, classes)
            occluded = partial(self._occluded_points, ids["token_ids"], features, baseline)
            return {
                "weights": self._integrated(features, baseline, mask, classes, at_once),
                "drops": self._occluded(occluded, mask, classes, at_once, both[0]),
                "figure": both[0],
                "baseline": both[1],
            }

    def _figures(self, points, mask, classes):
        """Of some versions of a batch: [versions, batch, time, features] -> [versions, batch]."""
        versions, batch, time, _ = tf.unstack(tf.shape(points))
        flat = tf.reshape(points, [versions * batch, time, points.shape[-1]])
        logits = self.back_end([flat, tf.tile(mask, [versions, 1])], training=False)
        figures = log_odds(
            logits / self.temperature, tf.tile(classes, [versions]), self.multi_label
        )
        return tf.reshape(figures, [versions, batch])

    def _integrated(self, features, baseline, mask, classes, at_once):
        """Integrated gradients on the features (Sundararajan et al. 2017, "Axiomatic Attribution
        for Deep Networks", equation 3), midpoint rule, summed over the features of a token."""
        difference = features - baseline

        def add(first, total):
            shares = (tf.cast(first + tf.range(at_once), tf.float32) + 0.5) / STEPS
            points = baseline + shares[:, None, None, None] * difference
            with tf.GradientTape() as tape:
                tape.watch(points)
                figures = self._figures(points, mask, classes)
            return first + at_once, total + tf.reduce_sum(tape.gradient(figures, points), axis=0)

        total = _loop(add, 0, STEPS, tf.zeros_like(features))
        return tf.reduce_sum(total * difference, axis=-1) / STEPS

    def _occluded(self, occluded, mask, classes, at_once, figure):
        """By how much the figure drops where a word is replaced by the unknown one (Li et al. 2016,
        "Understanding Neural Networks through Representation Erasure")."""
        time = tf.shape(mask)[1]

        def add(first, drops):
            # Beyond the end there is no word, and nothing is replaced.
            here = tf.one_hot(first + tf.range(at_once), time)
            drop = figure - self._figures(occluded(here > 0), mask, classes)
            return first + at_once, drops + tf.einsum("vb,vt->bt", drop, here)

        return _loop(add, 1, time, tf.zeros_like(mask, tf.float32))

    def _occluded_points(self, token_ids, features, baseline, here):
        """The features of a batch, once for each row of `here` <bool>[versions, time], which says
        where its words are unknown: <float32>[versions, batch, time, features]."""
        points = tf.where(here[:, None, :, None], baseline, features)
        if self.terms is None:
            return points
        # An n-gram with an unknown word is none, and what it added to its other words goes, too.
        ids = tf.where(here[:, None] & (token_ids > 0), UNKNOWN, token_ids)
        shape = tf.shape(ids)
        terms = self.terms(tf.reshape(ids, [-1, shape[2]]))
        size = terms.shape[-1]
        terms = tf.reshape(terms, [shape[0], shape[1], shape[2], size])
        return tf.concat([points[..., :-size], terms], axis=-1)


def _loop(add, first: int, end, total: tf.Tensor) -> tf.Tensor:
    """The total of `add`, which takes and gives a position and the total, from `first` to `end`."""
    variables = [tf.constant(first), total]
    shapes = [tf.TensorShape([]), total.shape]
    return tf.while_loop(
        lambda position, _: position < end, add, variables, shapes, parallel_iterations=1
    )[1]


def _unknown_words(ids: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The same texts of unknown words, whose letters are unknown too."""
    return {
        name: tf.concat([each[:, :1], tf.where(each[:, 1:] > 0, UNKNOWN, 0)], axis=1)
        for name, each in ids.items()
    }
