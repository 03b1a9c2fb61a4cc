"""What each word adds to a classifier's answer: integrated gradients, checked by occlusion.

Both compare a text with the same text of unknown words. The start token, which stands before every
text, is never replaced: it adds nothing, and the words share the whole difference.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import tensorflow as tf

from data.graphs import graph
from data.text.special_tokens import UNKNOWN
from models.classification.classifier import TextClassifier
from models.classification.wide_classifier import WideClassifier
from models.recurrent.seldom_shapes import for_seldom_shapes

# Points of the Riemann sum, a power of two; its error is at most a percent of the integral.
STEPS = 64
# Tokens that go through the network at once, so that memory does not grow with the texts.
TOKENS = 16_384


class Parts(NamedTuple):
    """The two parts of a classifier, before and after its features; they share its weights.

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
    """Splits a classifier after its front end, where words have become features.

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
    joined = keras.Input((None, features.shape[-1] + terms.shape[-1]))
    is_real = keras.Input((None,), dtype="bool")
    logits = back_end([joined[..., : features.shape[-1]], is_real])
    logits += keras.ops.sum(joined[..., features.shape[-1] :], axis=1)
    return Parts(
        keras.Model(model.input, [keras.ops.concatenate([features, terms], axis=-1), mask]),
        keras.Model([joined, is_real], logits),
        model.ngrams,
    )


def log_odds(logits: tf.Tensor, classes: tf.Tensor, multi_label: bool = False) -> tf.Tensor:
    """Computes `log p - log(1 - p)` of a class from logits, so that it stays finite where p is 1.

    Args:
        logits: <float32>[batch, num_classes].
        classes: <int32>[batch].
        multi_label: p is the logit's sigmoid, instead of its softmax.

    Returns:
        <float32>[batch].
    """
    logits = tf.convert_to_tensor(logits)
    chosen = tf.one_hot(classes, tf.shape(logits)[-1], on_value=True, off_value=False)
    logit = tf.reduce_sum(tf.where(chosen, logits, 0.0), axis=-1)
    if multi_label:
        return logit
    return logit - tf.reduce_logsumexp(tf.where(chosen, logits.dtype.min, logits), axis=-1)


class Attribution:
    """Computes how much each word of a text adds to the log-odds of a class.

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
    ) -> None:
        self.front_end, self.back_end, self.terms = parts
        self.multi_label, self.temperature = multi_label, temperature
        ids = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in parts.front_end.input.items()}
        signature = [ids, tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)]
        self._explain = graph(self._attribute, input_signature=signature)

    def __call__(self, ids: dict[str, tf.Tensor], classes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Explains a batch; one of more than `TOKENS` tokens takes more memory.

        Args:
            ids: what the model takes, the start token first in each row.
            classes: <int>[batch], the class of each row to explain.

        Returns:
            `weights` <float32>[batch, time], integrated gradients of each token; `drops`
            <float32>[batch, time], by how much the log-odds fall where the token is unknown; both
            are 0 at the start token and where padded. `log_odds` and `baseline` <float32>[batch],
            the log-odds of the text and of the text in which every word is unknown.
        """
        rows, time = ids["token_ids"].shape
        copies = max(1, TOKENS // max(1, rows * time))
        # A power of two divides the steps.
        at_once = min(STEPS, 1 << (copies.bit_length() - 1))
        return self._explain(ids, tf.cast(classes, tf.int32), at_once)

    def _attribute(self, ids, classes, at_once):
        # Compiling the loop for each length would take longer than the few passes through it.
        with for_seldom_shapes():
            features, mask = self.front_end(ids, training=False)
            baseline, _ = self.front_end(_unknown_words(ids), training=False)
            log_odds_of_both = self._log_odds(tf.stack([features, baseline]), mask, classes)
            whole, empty = tf.unstack(log_odds_of_both)
            occluded = partial(self._occluded_features, ids["token_ids"], features, baseline)
            return {
                "weights": self._integrate_gradients(features, baseline, mask, classes, at_once),
                "drops": self._occlude(occluded, mask, classes, at_once, whole),
                "log_odds": whole,
                "baseline": empty,
            }

    def _log_odds(self, points, mask, classes):
        """Returns <float32>[versions, batch], the log-odds of some versions of a batch
        <float32>[versions, batch, time, features]."""
        versions, batch, time, _ = tf.unstack(tf.shape(points))
        flat = tf.reshape(points, [versions * batch, time, points.shape[-1]])
        logits = self.back_end([flat, tf.tile(mask, [versions, 1])], training=False)
        values = log_odds(logits / self.temperature, tf.tile(classes, [versions]), self.multi_label)
        return tf.reshape(values, [versions, batch])

    def _integrate_gradients(self, features, baseline, mask, classes, at_once):
        """Integrates gradients over the features (Sundararajan et al. 2017, "Axiomatic Attribution
        for Deep Networks", equation 3), midpoint rule, summed over the features of a token."""
        difference = features - baseline

        def add(first, total):
            shares = (tf.cast(first + tf.range(at_once), tf.float32) + 0.5) / STEPS
            points = baseline + shares[:, None, None, None] * difference
            with tf.GradientTape() as tape:
                tape.watch(points)
                values = self._log_odds(points, mask, classes)
            return first + at_once, total + tf.reduce_sum(tape.gradient(values, points), axis=0)

        total = _loop(add, 0, STEPS, tf.zeros_like(features))
        return tf.reduce_sum(total * difference, axis=-1) / STEPS

    def _occlude(self, occluded, mask, classes, at_once, whole):
        """Measures how far the log-odds fall where a word is replaced by the unknown one (Li et al.
        2016, "Understanding Neural Networks through Representation Erasure")."""
        time = tf.shape(mask)[1]

        def add(first, drops):
            # Past the end there is no word to replace: the row of `here` is all zeros.
            here = tf.one_hot(first + tf.range(at_once), time)
            drop = whole - self._log_odds(occluded(here > 0), mask, classes)
            return first + at_once, drops + tf.einsum("vb,vt->bt", drop, here)

        return _loop(add, 1, time, tf.zeros_like(mask, tf.float32))

    def _occluded_features(self, token_ids, features, baseline, here):
        """Returns the features of a batch with unknown words, <float32>[versions, batch, time,
        features]: one version for each row of `here` <bool>[versions, time], which says where."""
        points = tf.where(here[:, None, :, None], baseline, features)
        if self.terms is None:
            return points
        # An n-gram with an unknown word is not known: its other words lose what it added, too.
        ids = tf.where(here[:, None] & (token_ids > 0), UNKNOWN, token_ids)
        shape = tf.shape(ids)
        terms = self.terms(tf.reshape(ids, [-1, shape[2]]))
        size = terms.shape[-1]
        terms = tf.reshape(terms, [shape[0], shape[1], shape[2], size])
        return tf.concat([points[..., :-size], terms], axis=-1)


def _loop(add: Callable, first: int, end: int | tf.Tensor, total: tf.Tensor) -> tf.Tensor:
    """Returns the total after `add` has been called from position `first` up to `end`; `add` takes
    and returns a position and the total."""
    variables = [tf.constant(first), total]
    shapes = [tf.TensorShape([]), total.shape]
    return tf.while_loop(
        lambda position, _: position < end, add, variables, shapes, parallel_iterations=1
    )[1]


def _unknown_words(ids: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Replaces all words and their letters by the unknown ones."""
    return {
        name: tf.concat([values[:, :1], tf.where(values[:, 1:] > 0, UNKNOWN, 0)], axis=1)
        for name, values in ids.items()
    }
