"""Constraints on generated text, which change the logits before a token is chosen.

Every parameter but `banned_ids` may be a scalar tensor.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from data.text.special_tokens import PADDING, START


@dataclass(frozen=True)
class Constraints:
    """Constraints on the tokens that are chosen.

    Attributes:
        banned_ids: tokens that are never chosen.
        min_length: the fewest tokens before the end.
        repetition_penalty: divides positive logits of tokens that the text already has and
            multiplies negative ones (Keskar et al. 2019, "CTRL", section 4.1); 1 for none.
        no_repeat_ngram: the length of n-grams that must not occur twice; 0 for none.
    """

    banned_ids: tuple[int, ...] = (PADDING, START)
    min_length: int | tf.Tensor = 0
    repetition_penalty: float | tf.Tensor = 1.0
    no_repeat_ngram: int | tf.Tensor = 0

    def __call__(
        self,
        logits: tf.Tensor,
        history: tf.Tensor,
        first: tf.Tensor,
        length: tf.Tensor,
        end_id: int | tf.Tensor,
    ) -> tf.Tensor:
        """Returns the logits to choose from.

        Args:
            logits: <float32>[rows, vocabulary_size].
            history: <int32>[rows, time], the tokens so far, with `PADDING` before and after.
            first: <int32>[], the position of the first generated token.
            length: <int32>[], how many tokens were generated.
            end_id: the token that ends a text; -1 for none.

        Returns:
            <float32>[rows, vocabulary_size], -inf for what may not be chosen.
        """
        now = first + length
        if _may_hold(self.repetition_penalty != 1.0):
            logits = self._penalise_repetition(logits, history)
        if _may_hold(self.no_repeat_ngram != 0):
            logits = self._ban_repeated_ngrams(logits, history, now)
        ids = tf.range(logits.shape[-1])
        banned = (ids == end_id) & (length < self.min_length)
        if self.banned_ids:
            banned |= tf.reduce_any(ids[:, None] == tf.constant(self.banned_ids), axis=1)
        return tf.where(banned, float("-inf"), logits)

    def _penalise_repetition(self, logits: tf.Tensor, history: tf.Tensor) -> tf.Tensor:
        seen = _find_present(history, history != PADDING, logits)
        penalty = tf.cast(self.repetition_penalty, logits.dtype)
        return tf.where(seen, tf.where(logits > 0, logits / penalty, logits * penalty), logits)

    def _ban_repeated_ngrams(
        self, logits: tf.Tensor, history: tf.Tensor, now: tf.Tensor
    ) -> tf.Tensor:
        """Bans the tokens that followed earlier occurrences of the last n - 1 tokens."""
        before = tf.maximum(self.no_repeat_ngram - 1, 0)
        offsets = tf.range(before)
        last = tf.gather(history, tf.maximum(now - before + offsets, 0), axis=1)
        begins = tf.range(tf.maximum(now - before, 0))
        windows = tf.gather(history, begins[:, None] + offsets, axis=1)
        follow = tf.gather(history, begins + before, axis=1)
        # Padding before a text does not belong to it.
        real = (follow != PADDING) & tf.reduce_all(windows != PADDING, axis=2)
        same = tf.reduce_all(windows == last[:, None], axis=2) & (self.no_repeat_ngram > 0)
        return tf.where(_find_present(follow, real & same, logits), float("-inf"), logits)


def _may_hold(condition: bool | np.bool_ | tf.Tensor) -> bool:
    """Returns whether a condition may be true; a tensor may, as its value is not known yet."""
    return bool(condition) if isinstance(condition, bool | np.bool_) else True


def _find_present(ids: tf.Tensor, counted: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns which tokens are among the ids <int32>[rows, time] where `counted` <bool>[rows, time]
    is true; <bool>, as `logits`."""
    rows = tf.range(tf.shape(ids)[0])[:, None] + tf.zeros_like(ids)
    times = tf.scatter_nd(tf.stack([rows, ids], -1), tf.cast(counted, tf.int32), tf.shape(logits))
    return times > 0
