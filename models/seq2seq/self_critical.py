"""Self-critical training: of several answers to a source, the better ones gain."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from data.text.special_tokens import PADDING
from models.seq2seq.search import NEVER_SAID, SeveralOfEach, TranslationSearch, prepend_start

# Is taken from the logits of what is never said: the exponential of the rest is 0.
_FAR = 1e9

Ids = Sequence[int]


class Reward(Protocol):
    """What tells how good answers are."""

    def scores(self, written: Sequence[Ids], references: Sequence[Ids]) -> list[float]:
        """Returns the score of each answer to one source; END counts as a word of all, lest answers
        break off."""


class SelfCritical(keras.Model):
    """A model that learns from its own answers: a translator, a captioner or the like.

    In each step it draws several answers to every source; there is no dropout. The loss of an
    answer's tokens is their cross-entropy times the answer's reward minus the mean reward of the
    other answers to the source (self-critical sequence training, Rennie et al. 2017, with the
    baseline of Luo 2020, "A Better Variant of Self-Critical Sequence Training").

    It is compiled with `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`, and shares
    all layers with the model. The targets of the data are the references, one or several of each
    source; the inputs `target_ids` are not used but for their shape. What is measured besides the
    loss is `reward`, the mean of an epoch.

    Args:
        model: a functional one that a search takes, with the inputs `target_ids`, <int32>[batch,
            steps] or of several answers <int32>[batch, answers, steps], and another one. Its
            outputs are logits <float32>[batch, all steps, vocabulary_size].
        reward: of ids.
        answers: drawn to each source, at least two.
        search: how they are drawn, but for the seed, which is that of the step.
        seed: of the drawing, with the number of the step.
    """

    def __init__(
        self,
        model: Any,
        reward: Reward,
        answers: int,
        search: TranslationSearch,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(model.input, model.output, **kwargs)
        self._drawn = SeveralOfEach(model, answers)
        self._score, self._answers, self._seed = reward, answers, seed
        self._search = replace(search, temperature=1.0, banned_ids=NEVER_SAID)
        (self._source,) = set(model.input) - {"target_ids"}
        self._takes_several = len(model.input["target_ids"].shape) == 3
        self.reward = keras.metrics.Mean(name="reward")

    def call(self, inputs: dict, training: bool = False, mask: Any = None) -> tf.Tensor:
        logits = super().call(inputs, training=False, mask=mask)
        if not training:
            return logits
        # Answers are scored as they were drawn: without dropout, and without tokens that no answer
        # may have. Else what becomes less probable would go to those, until nothing is left for all
        # others.
        never = tf.reduce_sum(tf.one_hot(NEVER_SAID, logits.shape[-1]), axis=0)
        return logits - never * _FAR

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        inputs, references, weight = keras.utils.unpack_x_y_sample_weight(data)
        sources, steps = inputs[self._source], tf.shape(inputs["target_ids"])[-1]
        ids = self.draw(sources, tf.cast(self.optimizer.iterations, tf.int32))
        references = tf.reshape(references, [tf.shape(sources)[0], -1, steps])
        rewards = tf.numpy_function(self._rewards, [ids, references], tf.float32)
        rewards.set_shape([None, self._answers])
        self.reward.update_state(rewards)
        advantages = advantages_of(rewards)
        if weight is not None:
            advantages *= weight[:, None]

        real = tf.cast(ids != PADDING, tf.float32)
        token_weights = advantages[:, :, None] * real / tf.maximum(tf.reduce_mean(real), 1e-6)
        steps = tf.shape(ids)[-1]
        starts = prepend_start(tf.reshape(ids, [-1, steps]))
        if self._takes_several:
            starts = tf.reshape(starts, tf.shape(ids))
        else:
            sources = tf.repeat(sources, self._answers, axis=0)
        drawn = {self._source: sources, "target_ids": starts}
        flat = (tf.reshape(x, [tf.shape(sources)[0], -1]) for x in (ids, token_weights))
        return super().train_step((drawn, *flat))

    def draw(self, sources: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Draws answers.

        Args:
            sources: what the model encodes, [batch, ...].
            step: <int32>[], other numbers give other answers.

        Returns:
            <int32>[batch, answers, steps], END included, 0 after it.
        """
        search = replace(self._search, seed=tf.stack([self._seed, step]))
        ids = search(self._drawn, sources)[0][:, 0]
        steps = tf.reduce_max(tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32))
        return tf.reshape(ids[:, :steps], [-1, self._answers, steps])

    def _rewards(self, drawn: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Computes the rewards <float32>[batch, answers] of ids <int32>[batch, answers, steps] by
        references <int32>[batch, references, steps]."""
        scores = [
            self._score.scores(said, [each for each in wanted if each])
            for said, wanted in zip(_to_lists(drawn), _to_lists(references), strict=True)
        ]
        return np.array(scores, np.float32).reshape(drawn.shape[:2])


def advantages_of(rewards: tf.Tensor) -> tf.Tensor:
    """Returns how much better each answer is than the mean of the others to its source.

    Args:
        rewards: <float32>[batch, answers], at least two answers.

    Returns:
        <float32>[batch, answers].
    """
    answers = tf.cast(tf.shape(rewards)[1], rewards.dtype)
    others = (tf.reduce_sum(rewards, axis=1, keepdims=True) - rewards) / (answers - 1)
    return rewards - others


def _to_lists(ids: np.ndarray) -> list[list[list[int]]]:
    """Returns <int32>[batch, answers, steps] as lists of the ids that are no padding."""
    return [[row[row != PADDING].tolist() for row in group] for group in ids]
