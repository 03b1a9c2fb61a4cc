"""Self-critical training: of several captions of a picture, the better ones gain."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data.text.special_tokens import END, PADDING
from models.captioning.captioner import NEVER_SAID, Captioner, FeatureCaptioner
from models.evaluation.captions.cider import CiderD
from models.seq2seq.memory import Memory
from models.seq2seq.search import TranslationSearch, prepend_start

# Is taken from the logits of what is never said: the exponential of the rest is 0.
_FAR = 1e9


class SelfCriticalCaptioner(keras.Model):
    """A captioner that learns from its own captions (Rennie et al. 2017).

    In each step it draws several captions of every picture; there is no dropout. The reward of one
    is its CIDEr-D, to which END counts as a word, lest captions break off. The loss of its tokens
    is their cross-entropy times the reward minus the mean reward of the other captions of the
    picture (Luo 2020, "A Better Variant of Self-Critical Sequence Training").

    It is compiled with `keras.losses.SparseCategoricalCrossentropy(from_logits=True)`, and shares
    all layers with the captioner. The targets of the data are the references; the inputs
    `target_ids` are not used. What is measured besides the loss is `reward`, the mean of an epoch.

    Args:
        captioner: a `Captioner`, or its head.
        reward: with the frequencies of the training captions, as lists of ids with END.
        captions: drawn of each picture, at least two.
        max_length: the most tokens of a caption.
        seed: of the drawing, with the number of the step.
    """

    def __init__(
        self,
        captioner: Captioner | FeatureCaptioner,
        reward: CiderD,
        captions: int,
        max_length: int,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(captioner.input, captioner.output, **kwargs)
        self._drawn = _SeveralOfEach(captioner, captions)
        self._cider_d, self._captions = reward, captions
        self._max_length, self._seed = max_length, seed
        (self._array,) = set(captioner.input) - {"target_ids"}
        self.reward = keras.metrics.Mean(name="reward")

    def call(self, inputs: dict, training: bool = False, mask: Any = None) -> tf.Tensor:
        logits = super().call(inputs, training=False, mask=mask)
        if not training:
            return logits
        # Captions are scored as they were drawn: without dropout, and without tokens that no
        # caption may have. Else what becomes less probable would go to those, until nothing is
        # left for all others.
        never = tf.reduce_sum(tf.one_hot(NEVER_SAID, logits.shape[-1]), axis=0)
        return logits - never * _FAR

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        inputs, references, weight = keras.utils.unpack_x_y_sample_weight(data)
        array = inputs[self._array]
        shape = tf.shape(inputs["target_ids"])
        ids = self.draw(array, tf.cast(self.optimizer.iterations, tf.int32))
        references = tf.reshape(references, shape)
        rewards = tf.numpy_function(self._rewards, [ids, references], tf.float32)
        rewards.set_shape([None, self._captions])
        self.reward.update_state(rewards)
        advantages = advantages_of(rewards)
        if weight is not None:
            advantages *= weight[:, None]

        real = tf.cast(ids != PADDING, tf.float32)
        token_weights = advantages[:, :, None] * real / tf.maximum(tf.reduce_mean(real), 1e-6)
        batch, captions, steps = tf.unstack(tf.shape(ids))
        starts = prepend_start(tf.reshape(ids, [-1, steps]))
        drawn = {self._array: array, "target_ids": tf.reshape(starts, tf.shape(ids))}
        flat = (tf.reshape(each, [batch, captions * steps]) for each in (ids, token_weights))
        return super().train_step((drawn, *flat))

    def draw(self, array: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Draws captions.

        Args:
            array: what the captioner encodes, [batch, ...].
            step: <int32>[], other numbers give other captions.

        Returns:
            <int32>[batch, captions, steps], END included, 0 after it.
        """
        search = TranslationSearch(
            temperature=1.0,
            seed=tf.stack([self._seed, step]),
            max_length=self._max_length,
            banned_ids=NEVER_SAID,
            bounded=False,
        )
        ids = search(self._drawn, array)[0][:, 0]
        steps = tf.reduce_max(tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32))
        return tf.reshape(ids[:, :steps], [-1, self._captions, steps])

    def _rewards(self, drawn: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Computes the rewards <float32>[batch, captions] of ids <int32>[batch, captions, steps] by
        references <int32>[batch, references, steps]."""
        scores = [
            self._cider_d.scores(said, [each for each in wanted if each])
            for said, wanted in zip(_to_lists(drawn), _to_lists(references), strict=True)
        ]
        return np.array(scores, np.float32).reshape(drawn.shape[:2])


def advantages_of(rewards: tf.Tensor) -> tf.Tensor:
    """Returns how much better each caption is than the mean of the others of its picture.

    Args:
        rewards: <float32>[batch, captions], at least two captions.

    Returns:
        <float32>[batch, captions].
    """
    captions = tf.cast(tf.shape(rewards)[1], rewards.dtype)
    others = (tf.reduce_sum(rewards, axis=1, keepdims=True) - rewards) / (captions - 1)
    return rewards - others


def make_reward(captions: tf.RaggedTensor) -> CiderD:
    """Returns what scores drawn captions, with the frequencies of those of the training
    <int32>[pictures, (captions), (length)], which have no END."""
    return CiderD([[[*each, END] for each in group] for group in captions.to_list()])


def _to_lists(ids: np.ndarray) -> list[list[list[int]]]:
    """Returns <int32>[batch, captions, steps] as lists of the ids that are no padding."""
    return [[row[row != PADDING].tolist() for row in group] for group in ids]


class _SeveralOfEach:
    """A captioner that a search sees as if each picture came several times.

    Args:
        captioner: whose pictures they are.
        times: each of them.
    """

    def __init__(self, captioner: Captioner | FeatureCaptioner, times: int) -> None:
        self.decoder, self._captioner, self._times = captioner.decoder, captioner, times

    def encode(self, pictures: tf.Tensor) -> tuple[Memory, list]:
        """Encodes pictures, as `models.seq2seq.search.EncoderDecoder` does."""
        memory, states = self._captioner.encode(pictures)

        def repeat(values: tf.Tensor | None) -> tf.Tensor | None:
            return None if values is None else tf.repeat(values, self._times, axis=0)

        return Memory(*map(repeat, memory)), [*map(repeat, states)]
