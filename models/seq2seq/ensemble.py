"""Several translators, or the like, as one: the search sees the mean of their next tokens."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.copies import inputs_like
from models.members import OfMembers, check_members, mean_logits
from models.seq2seq.memory import Memory


class DecoderEnsemble:
    """The decoders of several models, which take single steps side by side.

    Args:
        decoders: each a `models.seq2seq.decoder.TranslationDecoder`, with the same options.
    """

    def __init__(self, decoders: Sequence[Any]) -> None:
        self._decoders = decoders

    @property
    def attention(self) -> Any:
        """The attention of the first decoder; None without."""
        return self._decoders[0].attention

    @property
    def copying(self) -> Any:
        """What copies in the first decoder; None in decoders that do not copy."""
        return self._decoders[0].copying

    def initial_state(self, states: list, coverage: tf.Tensor | None = None) -> dict[str, Any]:
        """Returns the state before the first step: that of each decoder, and what searches read.

        Args:
            states: of each decoder.
            coverage: zeros <float32>[batch, time] to which each step adds the mean of the
                attentions' weights; or None.
        """
        pairs = zip(self._decoders, states, strict=True)
        return self._with_means([each.initial_state(part, coverage) for each, part in pairs])

    def step(
        self, token_ids: tf.Tensor, state: dict[str, Any], memory: Memory
    ) -> tuple[tf.Tensor, dict[str, Any]]:
        """Decodes one step; arguments as in a decoder's."""
        found = [
            decoder.step(token_ids, part, Memory(values, keys, memory.mask, memory.token_ids))
            for decoder, part, values, keys in zip(
                self._decoders,
                state["members"],
                memory.values,
                memory.keys or [None] * len(self._decoders),
                strict=True,
            )
        ]
        logits = mean_logits([logits for logits, _ in found])
        return logits, self._with_means([after for _, after in found])

    @staticmethod
    def _with_means(states: list[dict[str, Any]]) -> dict[str, Any]:
        state = {"members": states, "position": states[0]["position"]}
        if "coverage" in states[0]:
            state["coverage"] = ops.mean(ops.stack([each["coverage"] for each in states]), axis=0)
        return state


class SearchedTogether:
    """Several models whose decoders a search asks side by side."""

    @property
    def members(self) -> list[Any]:
        """The models; each encodes sources and has a decoder."""
        raise NotImplementedError

    def sources_of_members(self, sources: tf.Tensor) -> Sequence[tf.Tensor]:
        """Returns what each member encodes: all the same, unless a class says otherwise."""
        return [sources] * len(self.members)

    @property
    def decoder(self) -> DecoderEnsemble:
        """The decoders of the members, which take single steps."""
        return DecoderEnsemble([member.decoder for member in self.members])

    def encode(self, sources: tf.Tensor) -> tuple[Memory, list]:
        """Encodes sources without dropout; `values` and `keys` of the memory are those of each
        member, and so are the initial states."""
        found = [member.encode(part) for member, part in self._with_sources(sources)]
        memories = [memory for memory, _ in found]
        first = memories[0]
        keys = None if first.keys is None else tuple(each.keys for each in memories)
        values = tuple(each.values for each in memories)
        memory = Memory(values, keys, first.mask, first.token_ids)
        return memory, [states for _, states in found]

    def attention_weights(self, sources: tf.Tensor, target_ids: tf.Tensor) -> tf.Tensor:
        """Computes the mean of the members' attention, <float32>[batch, steps, time]."""
        members = self._with_sources(sources)
        found = [member.attention_weights(part, target_ids) for member, part in members]
        return tf.reduce_mean(tf.stack(found), axis=0)

    def _with_sources(self, sources: tf.Tensor) -> Iterable[tuple[Any, tf.Tensor]]:
        return zip(self.members, self.sources_of_members(sources), strict=True)


@keras.saving.register_keras_serializable(package="models")
class TranslatorEnsemble(OfMembers, SearchedTogether, keras.Model):
    """A translator that is the mean of several, see `OfMembers`.

    At each step of a search the probabilities of the next token are averaged, and all members read
    the token that was chosen. The methods are those of
    `models.seq2seq.encoder_decoder.Translator`.

    Args:
        members: translators of one pair of vocabularies, or others of one kind.

    Call arguments:
        inputs: what each member takes.

    Output shape:
        logits <float32>[batch, steps, target_vocabulary_size].
    """

    def __init__(self, members: Sequence[keras.Model], **kwargs: Any) -> None:
        check_members(members)
        inputs = inputs_like(members[0])
        super().__init__(
            inputs=inputs, outputs=mean_logits([each(inputs) for each in members]), **kwargs
        )
        self.names = tuple(member.name for member in members)

    def for_export(self) -> "TranslatorEnsemble":
        """Returns the ensemble of its members' copies for export."""
        return TranslatorEnsemble([each.for_export() for each in self.members], name=self.name)

    def copied_shares(self, sources: tf.Tensor, target_ids: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Computes the mean of the shares that the members copy, <float32>[batch, steps]."""
        found = [member.copied_shares(sources, target_ids, ids) for member in self.members]
        return tf.reduce_mean(tf.stack(found), axis=0)
