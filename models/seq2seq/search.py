"""The search for translations and other answers: greedy, with beams, or by sampling."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from data.text.special_tokens import END, PADDING, START, UNKNOWN
from models.decoding.beam_search import beam_search, length_divisor
from models.decoding.constraints import Constraints
from models.decoding.decode import decode
from models.decoding.sampling import Sampling, greedy
from models.seq2seq.decoder import TranslationDecoder
from models.seq2seq.memory import Memory

# Tokens that no text without gaps has.
NEVER_SAID = (PADDING, START, UNKNOWN)
# The most tokens of an answer: `_TIMES` those of its source, plus `_MORE`.
_TIMES, _MORE = 2, 10
_NEVER = float("-inf")


class EncoderDecoder(Protocol):
    """What a search needs of a model; what it encodes may be texts or pictures."""

    @property
    def decoder(self) -> TranslationDecoder:
        """The decoder, which can take single steps."""

    def encode(self, sources: Any, /) -> tuple[Memory, list]:
        """Encodes a batch: returns what the decoder's attention reads, and its initial states."""


class SeveralOfEach(NamedTuple):
    """A model whose encoded sources stand several times, to draw as many answers to each."""

    model: EncoderDecoder
    times: int

    @property
    def decoder(self) -> TranslationDecoder:
        return self.model.decoder

    def encode(self, sources: Any, /) -> tuple[Memory, list]:
        def repeat(part: tf.Tensor | None) -> tf.Tensor | None:
            return part if part is None else tf.repeat(part, self.times, axis=0)

        # Nested: the memory of an ensemble has those of its members.
        return tf.nest.map_structure(repeat, self.model.encode(sources))


@dataclass(frozen=True)
class TranslationSearch:
    """The options of a search for translations, and the search itself.

    Attributes:
        beam_width: of beam search; 1 for the most probable token each time.
        length_penalty: `alpha` of Wu et al. (2016), equation 14: scores are divided by
            `((5 + length) / 6) ** alpha`.
        coverage_penalty: their `beta`: `beta * sum(log(min(attention a source token got, 1)))` is
            added to the scores of beam search.
        n_best: translations of each text, at most as many as the beam is wide.
        temperature: if positive, samples are drawn from logits divided by it.
        top_k, top_p: of sampling, see `models.decoding.sampling.Sampling`.
        seed: of sampling, see `models.decoding.sampling.uniform_streams`.
        max_length: the most tokens of a translation.
        source_length: the most tokens that are read of a source; 0 for `max_length`.
        min_length: the fewest tokens of a translation.
        no_repeat_ngram: the length of n-grams that must not occur twice; 0 for none.
        banned_ids: tokens that are never chosen.
        bounded: whether a translation ends by the length of its source, too.

    Those of the length and of n-grams, but for `source_length`, may be scalar tensors; with a beam
    of 1 those of sampling, too.
    """

    beam_width: int = 1
    length_penalty: float | tf.Tensor = 0.0
    coverage_penalty: float = 0.0
    n_best: int = 1
    temperature: float | tf.Tensor = 0.0
    top_k: int = 0
    top_p: float | tf.Tensor = 1.0
    seed: int | tf.Tensor = 0
    max_length: int | tf.Tensor = 100
    source_length: int = 0
    min_length: int | tf.Tensor = 0
    no_repeat_ngram: int | tf.Tensor = 0
    banned_ids: tuple[int, ...] = (PADDING, START)
    bounded: bool = True

    def __call__(self, model: EncoderDecoder, token_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Translates a batch.

        Args:
            model: trained.
            token_ids: <int32>[batch, time], sources, END after each, 0 where padded; or what else
                the model encodes.

        Returns:
            Ids <int32>[batch, n_best, length], END included, 0 after it, and scores
            <float32>[batch, n_best], the best first.
        """
        memory, states = model.encode(token_ids)
        limits = tf.reduce_sum(tf.cast(memory.mask, tf.int32), axis=1)
        limits = tf.minimum(_TIMES * (limits - 1) + _MORE, self.max_length)
        if not self.bounded:
            limits = tf.fill(tf.shape(limits), self.max_length)
        # Else a row could have no token left to choose.
        fewest = tf.minimum(self.min_length, self.max_length)
        limits = tf.maximum(limits, fewest)
        constraints = Constraints(self.banned_ids, fewest, no_repeat_ngram=self.no_repeat_ngram)
        step = _limit_lengths(model)
        context = _to_context(memory, limits)
        coverage = None
        if self.coverage_penalty and self.beam_width > 1 and model.decoder.attention is not None:
            coverage = tf.zeros_like(memory.mask, tf.float32)
        start = tf.fill([tf.shape(memory.mask)[0]], START)
        logits, state = step(start, model.decoder.initial_state(states, coverage), context)
        # The batch may be empty.
        longest = tf.reduce_max(tf.pad(limits, [[0, 1]])) + 1
        if self.beam_width > 1:
            hypotheses = beam_search(
                step,
                logits,
                state,
                beam_width=self.beam_width,
                max_length=longest,
                end_id=END,
                length_penalty=self.length_penalty,
                penalty=None if coverage is None else self._coverage_penalty,
                constraints=constraints,
                context=context,
                leaving=True,
            )
            return hypotheses.ids[:, : self.n_best], hypotheses.scores[:, : self.n_best]
        decoded = decode(
            step,
            logits,
            state,
            max_length=longest,
            choose=self._sampling() if self.draws else greedy,
            end_id=END,
            seed=self.seed,
            constraints=constraints,
            context=context,
            leaving=True,
        )
        scores = decoded.log_probabilities / length_divisor(decoded.lengths, self.length_penalty)
        return decoded.ids[:, None], scores[:, None]

    @property
    def draws(self) -> bool:
        """Whether answers are drawn by chance."""
        return isinstance(self.temperature, tf.Tensor) or self.temperature > 0

    def _sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)

    def _coverage_penalty(self, state: dict[str, Any], context: dict[str, tf.Tensor]) -> tf.Tensor:
        mask = context["mask"]
        sources, time = tf.unstack(tf.shape(mask))
        coverage = tf.reshape(state["coverage"], [sources, -1, time])
        logs = tf.math.log(tf.clip_by_value(coverage, 1e-6, 1.0))
        logs = tf.where(mask[:, None, :], logs, 0.0)
        return self.coverage_penalty * tf.reshape(tf.reduce_sum(logs, axis=-1), [-1])


def _to_context(memory: Memory, limits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns what each step reads of the sources, [batch, ...] each."""
    parts = {**memory._asdict(), "limits": limits}
    return {name: part for name, part in parts.items() if part is not None}


def _limit_lengths(model: EncoderDecoder) -> Callable[..., tuple[tf.Tensor, dict[str, Any]]]:
    """Returns the decoder's step, which ends a row after as many tokens as its source allows.

    So a translation does not depend on longer sources in the batch.
    """

    def step(token_ids, state, context):
        limits = context["limits"]
        memory = Memory(*(context.get(name) for name in Memory._fields))
        position = tf.reshape(state["position"], [tf.size(limits), -1])
        logits, state = model.decoder.step(token_ids, state, memory)
        full = tf.reshape(position >= limits[:, None], [-1])
        only_end = tf.one_hot(END, logits.shape[-1], 0.0, _NEVER)
        logits = tf.cond(
            tf.reduce_any(full),
            lambda: tf.where(full[:, None], logits + only_end, logits),
            lambda: logits,
        )
        return logits, state

    return step


def prepend_start(ids: tf.Tensor) -> tf.Tensor:
    """Returns <int32>[batch, length] one step later, with START before it: what a decoder reads
    that wrote them."""
    return tf.concat([tf.fill([tf.shape(ids)[0], 1], START), ids[:, :-1]], axis=1)
