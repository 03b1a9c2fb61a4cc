"""Several language models as one, with the mean of their next tokens' probabilities."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from models.members import OfMembers, check_members, mean_logits


class Stacks(NamedTuple):
    """What is asked of the recurrent stack of a language model, of several stacks.

    Attributes:
        state_sizes: of the states of each layer, those of the first model first.
        compute_dtype: of the states.
    """

    state_sizes: list
    compute_dtype: str


@keras.saving.register_keras_serializable(package="models")
class LanguageModelEnsemble(OfMembers, keras.Model):
    """A language model that is the mean of several, see `OfMembers`.

    Its states are those of all members, one after the other, and so are outputs and features along
    their last axis. The methods are those of `models.language_model.language_model.LanguageModel`.

    Args:
        members: language models of one vocabulary.

    Call arguments:
        token_ids: <int32>[batch, time], 0 where padded, which only the end may be.
        states: from an earlier call; None for `initial_states`.

    Output shape:
        A pair: logits <float32>[batch, time, vocabulary_size], and the states after each text's
        last real step, <float32>[batch, units] each.
    """

    # It answers by the first stacks of its members alone.
    backward_stack: None = None

    def __init__(self, members: Sequence[keras.Model], **kwargs: Any) -> None:
        check_members(members)
        super().__init__(**kwargs)
        self.models = list(members)
        self.names = tuple(member.name for member in members)
        self.built = True

    @property
    def stack(self) -> Stacks:
        """The sizes of the states."""
        stacks = [member.stack for member in self.models]
        sizes = [each for stack in stacks for each in stack.state_sizes]
        return Stacks(sizes, stacks[0].compute_dtype)

    def for_export(self) -> "LanguageModelEnsemble":
        """Returns the ensemble of its members' copies for export."""
        return LanguageModelEnsemble([each.for_export() for each in self.models], name=self.name)

    def without_backward(self) -> "LanguageModelEnsemble":
        """Returns the ensemble of its members without their second stacks."""
        members = [each.without_backward() for each in self.models]
        return LanguageModelEnsemble(members, name=self.name)

    def initial_states(
        self, batch_size: int | tf.Tensor, labels: tf.Tensor | None = None
    ) -> list[tf.Tensor]:
        """Returns the states before a text."""
        parts = [member.initial_states(batch_size, labels) for member in self.models]
        return [state for part in parts for state in part]

    def call(
        self, token_ids: tf.Tensor, states: list[tf.Tensor] | None = None, training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        if states is None:
            states = self.initial_states(tf.shape(token_ids)[0])
        outputs, states = self.run_stack(token_ids, states, training)
        return self.compute_logits(self.project(outputs)), states

    def run_stack(
        self, token_ids: tf.Tensor, states: list[tf.Tensor], training: bool = False
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs the recurrent stacks over tokens: outputs <float32>[batch, time, units of all]."""
        found = [
            member.run_stack(token_ids, part, training)
            for member, part in zip(self.models, self._split_states(states), strict=True)
        ]
        outputs = tf.concat([outputs for outputs, _ in found], axis=-1)
        return outputs, [state for _, part in found for state in part]

    def project(self, outputs: tf.Tensor) -> tf.Tensor:
        """Turns outputs <float32>[..., units of all] into features <float32>[..., sizes of all]."""
        sizes = [member.settings["recurrent"]["units"] for member in self.models]
        parts = tf.split(outputs, sizes, axis=-1)
        found = [member.project(part) for member, part in zip(self.models, parts, strict=True)]
        return tf.concat(found, axis=-1)

    def compute_logits(self, features: tf.Tensor) -> tf.Tensor:
        """Computes logits <float32>[..., vocabulary_size] of features <float32>[..., sizes of
        all]."""
        sizes = [member.output_weights()[0].shape[-1] for member in self.models]
        parts = tf.split(features, sizes, axis=-1)
        pairs = zip(self.models, parts, strict=True)
        return mean_logits([member.compute_logits(part) for member, part in pairs])

    def round_weights(self) -> None:
        """Makes `step` compute with recurrent weights of eight bits."""
        for member in self.models:
            member.round_weights()

    def step(
        self, token_ids: tf.Tensor, states: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Takes one step without dropout, for loops that generate."""
        found = [
            member.step(token_ids, part)
            for member, part in zip(self.models, self._split_states(states), strict=True)
        ]
        states = [state for _, part in found for state in part]
        return mean_logits([logits for logits, _ in found]), states

    def _split_states(self, states: list[tf.Tensor]) -> list[list[tf.Tensor]]:
        """Returns the states of each member."""
        counts = [sum(map(len, member.stack.state_sizes)) for member in self.models]
        ends = [sum(counts[: number + 1]) for number in range(len(counts))]
        return [states[end - count : end] for end, count in zip(ends, counts, strict=True)]
