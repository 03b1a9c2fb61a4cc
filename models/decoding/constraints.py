"""What generated text may not say: logits are changed before a token is chosen.

Every parameter but `banned_ids` may be a scalar tensor.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from data.text.special_tokens import PADDING, START


@dataclass(frozen=True)
class Constraints:
    """Changes logits.

    Attributes:
        banned_ids: never chosen.
        min_length: tokens before the end.
        repetition_penalty: positive logits of tokens that a text holds already are divided by it,
            negative ones multiplied (Keskar et al. 2019, "CTRL", section 4.1); 1 for none.
        no_repeat_ngram: no run of so many tokens comes twice; 0 for none.
    """

    banned_ids: tuple[int, ...] = (PADDING, START)
    min_length: int | tf.Tensor = 0
    repetition_penalty: float | tf.Tensor = 1.0
    no_repeat_ngram: int | tf.Tensor = 0

    def __call__(
        self, logits: tf.Tensor, history: tf.Tensor, first: tf.Tensor, length: tf.Tensor, end_id
    ) -> tf.Tensor:
        """The logits to choose from.

        Args:
            logits: <float32>[rows, vocabulary_size].
            history: <int32>[rows, time], the tokens so far, with `PADDING` before and after.
            first: <int32>[], where what was generated begins in it.
            length: <int32>[], how many were generated.
            end_id: the token that ends a text, or none if it is -1.

        Returns:
            <float32>[rows, vocabulary_size], -inf for what may not be chosen.
        """
        now = first + length
        if _wanted(self.repetition_penalty != 1.0):
            logits = self._penalised(logits, history)
        if _wanted(self.no_repeat_ngram != 0):
            logits = self._without_repeats(logits, history, now)
        ids = tf.range(logits.shape[-1])
        banned = (ids == end_id) & (length < self.min_length)
        if self.banned_ids:
            banned |= tf.reduce_any(ids[:, None] == tf.constant(self.banned_ids), axis=1)
        return tf.where(banned, float("-inf"), logits)

    def _penalised(self, logits, history):
        seen = _present(history, history != PADDING, logits)
        penalty = tf.cast(self.repetition_penalty, logits.dtype)
        return tf.where(seen, tf.where(logits > 0, logits / penalty, logits * penalty), logits)

    def _without_repeats(self, logits, history, now):
        """Bans the tokens that followed wherever the last n - 1 tokens stood before."""
        before = tf.maximum(self.no_repeat_ngram - 1, 0)
        offsets = tf.range(before)
        last = tf.gather(history, tf.maximum(now - before + offsets, 0), axis=1)
        begins = tf.range(tf.maximum(now - before, 0))
        windows = tf.gather(history, begins[:, None] + offsets, axis=1)
        follow = tf.gather(history, begins + before, axis=1)
        # Padding before a text is no part of it.
        real = (follow != PADDING) & tf.reduce_all(windows != PADDING, axis=2)
        same = tf.reduce_all(windows == last[:, None], axis=2) & (self.no_repeat_ngram > 0)
        return tf.where(_present(follow, real & same, logits), float("-inf"), logits)


def _wanted(condition) -> bool:
    """Whether it may hold; what a tensor says is not known yet."""
    return condition if isinstance(condition, bool | np.bool_) else True


def _present(ids, counted, logits) -> tf.Tensor:
    """Which tokens are among some: <int32>[rows, time], where <bool>[rows, time] -> <bool> as
    `logits`."""
    rows = tf.range(tf.shape(ids)[0])[:, None] + tf.zeros_like(ids)
    times = tf.scatter_nd(tf.stack([rows, ids], -1), tf.cast(counted, tf.int32), tf.shape(logits))
    return times > 0
