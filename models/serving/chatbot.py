"""The serving model of a chatbot: the last turns of a dialogue to the next one."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import tensorflow as tf

from data.batches.parallel import append_end
from data.text.special_tokens import END, PADDING
from data.text.tokenizer import Tokenizer
from models.decoding.agreement import agreement
from models.decoding.beam_search import length_divisor
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.ensemble import TranslatorEnsemble
from models.seq2seq.search import SeveralOfEach, TranslationSearch, prepend_start
from models.serving.export import Endpoints
from models.serving.translator import ServingTranslator
from models.serving.turn_memory import TurnMemory

_TURN_END = "\n"
# Seeds of rows fit this many hashes.
_HASHES = 2**31 - 1
_OPTIONS = {"temperature": tf.float32, "top_p": tf.float32, "information": tf.float32}


@dataclass(frozen=True)
class ChatSearch:
    """How several answers are found, and which is the best.

    Attributes:
        turns: how many of the last turns are read.
        candidates: answers that are drawn; a beam search gives as many as its `n_best`.
        information: `lambda` of Li et al. (2016), "A Diversity-Promoting Objective Function for
            Neural Conversation Models", equation 9: answers are ordered by
            `log p(answer | turns) - lambda * log p(answer)`, where the model itself, without any
            turn, gives the second probability. 0 for the likeliest.
        agreement: weight of what an answer shares with the other candidates, see
            `models.decoding.agreement`, among scores that are divided by their lengths. 0 for none.
        reversed_weight: of `log p(last turn | answer)` by a model of the other direction, divided
            by the penalty of the turn's length: `lambda / (1 - lambda)` of their MMI-bidi.
        memory: the similarity of known turns, above 0 and at most 1, from which on their answer is
            the best one. 0 for none.
    """

    turns: int = 3
    candidates: int = 1
    information: float | tf.Tensor = 0.0
    agreement: float = 0.0
    reversed_weight: float = 1.0
    memory: float = 0.0


class ServingChatbot(ServingTranslator):
    """Answers dialogues, in stock TensorFlow ops.

    Args:
        tokenizer: texts to ids and back.
        model: the trained model.
        search: how answers are searched or drawn. Its seed and the turns alone decide what is
            drawn, not the batch.
        several: how the best one is found.
        reversed_chatbot: from an answer to the turn before it, with a vocabulary of its own; it
            helps to choose the best answer. None for none.
        memory: of what was answered in the training; None for none.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        model: Translator | TranslatorEnsemble,
        search: TranslationSearch,
        several: ChatSearch,
        reversed_chatbot: "ServingChatbot | None" = None,
        memory: TurnMemory | None = None,
    ) -> None:
        self.several, self.reversed_chatbot, self.memory = several, reversed_chatbot, memory
        super().__init__(tokenizer, tokenizer, model, search, answers="answers", keeps_end=True)

    def endpoints(self) -> Endpoints:
        """Returns what a SavedModel answers: functions and their input signatures, by name."""
        options = [tf.TensorSpec([], dtype, name=name) for name, dtype in _OPTIONS.items()]
        seed = tf.TensorSpec([], tf.int32, name="seed")
        texts = tf.TensorSpec([None], tf.string, name="texts")
        turns = tf.TensorSpec([None], tf.string, name="turns")
        counts = tf.TensorSpec([None], tf.int64, name="counts")
        return {
            "serving_default": (self.answer, [texts]),
            "with_turns": (self.answer_turns, [turns, counts]),
            "with_options": (self.answer_with_options, [texts, *options, seed]),
        }

    def answer_turns(self, turns: tf.Tensor, counts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch of dialogues of any number of turns.

        Args:
            turns: <string>[all turns], those of one dialogue after those of the other.
            counts: <int64>[batch], how many turns each dialogue has.

        Returns:
            As `answer`.
        """
        # A turn is one line.
        turns = tf.strings.regex_replace(turns, r"\s+", " ")
        dialogues = tf.RaggedTensor.from_row_lengths(turns, counts)
        return self.answer(tf.strings.reduce_join(dialogues, axis=-1, separator=_TURN_END))

    def answer_with_options(
        self,
        texts: tf.Tensor,
        temperature: tf.Tensor,
        top_p: tf.Tensor,
        information: tf.Tensor,
        seed: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch, as `answer`, with options as scalar tensors.

        Args:
            texts: <string>[batch].
            temperature: <float32>[], of what is drawn; above 0.
            top_p: <float32>[], the share of the most probable tokens that is drawn from.
            information: <float32>[], see `ChatSearch`.
            seed: <int32>[], another one gives other answers.
        """
        search = replace(
            self.search,
            beam_width=1,
            temperature=tf.maximum(temperature, 1e-3),
            top_p=top_p,
            seed=seed,
        )
        answer = self._find(texts, search, replace(self.several, information=information))
        return {name: values[:, 0] for name, values in answer.items()}

    def _n_best(self, texts: tf.Tensor, search: TranslationSearch) -> dict[str, tf.Tensor]:
        return self._find(texts, search, self.several)

    def _find(
        self, texts: tf.Tensor, search: TranslationSearch, several: ChatSearch
    ) -> dict[str, tf.Tensor]:
        """Returns the best answers, `search.n_best` of them, and their scores; that of an answer of
        the memory is the similarity of its turns."""
        texts = _last_lines(texts, self.several.turns)
        token_ids, _ = self._read(texts)
        with for_seldom_shapes():
            ids, likely = self._candidates(token_ids, texts, search)
            scores = likely
            if isinstance(several.information, tf.Tensor) or several.information:
                scores -= several.information * self._score_alone(ids)
        lengths = tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32)
        scores /= length_divisor(lengths, search.length_penalty)
        if several.agreement:
            scores += several.agreement * agreement(ids)
        batch, candidates, length = tf.unstack(tf.shape(ids))
        strings = self.target_tokenizer.decode(tf.reshape(ids, [-1, length]))
        strings = tf.reshape(strings, [batch, candidates])
        if self.reversed_chatbot is not None:
            turn_scores = self.reversed_chatbot.score_answer(
                strings, _last_lines(texts, 1), search.length_penalty
            )
            scores += several.reversed_weight * turn_scores
        # Beams that are empty have no score.
        scores = tf.where(lengths > 0, scores, float("-inf"))
        best, places = tf.math.top_k(scores, search.n_best)
        strings = tf.gather(strings, places, batch_dims=1)
        if self.memory is not None and several.memory:
            remembered, similarity = self.memory.nearest(texts)
            alike = (similarity >= several.memory)[:, None]
            strings = tf.where(alike, _put_first(remembered, strings), strings)
            best = tf.where(alike, _put_first(similarity, best), best)
        return {self.answers: tf.where((texts == "")[:, None], "", strings), "scores": best}

    def score_answer(
        self, texts: tf.Tensor, answers: tf.Tensor, length_penalty: float | tf.Tensor = 0.0
    ) -> tf.Tensor:
        """Computes the log-probability of one answer to each of several texts.

        Args:
            texts: <string>[batch, texts], a turn each.
            answers: <string>[batch]; only so many tokens are scored as the search says.
            length_penalty: the power of the answer's length by which scores are divided, see
                `models.decoding.beam_search.length_divisor`.

        Returns:
            <float32>[batch, texts].
        """
        # A turn is one line.
        texts = tf.strings.strip(tf.strings.regex_replace(texts, r"\s+", " "))
        ids = append_end(self.target_tokenizer.encode(answers)[:, : self.search.max_length])
        divisor = length_divisor(tf.cast(ids.row_lengths(), tf.int32), length_penalty)
        # Of an empty batch the ids have no column.
        ids = tf.pad(ids.to_tensor(), [[0, 0], [0, 1 - tf.minimum(tf.size(answers), 1)]])

        def score(texts: tf.Tensor) -> tf.Tensor:
            return self._score(self._read(texts)[0], ids)

        with for_seldom_shapes():
            columns = _map_columns(score, texts)
        return columns / divisor[:, None]

    def _candidates(
        self, token_ids: tf.Tensor, texts: tf.Tensor, search: TranslationSearch
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds several answers to each source.

        Returns:
            Ids <int32>[batch, candidates, length], END included, 0 after it, and their
            log-probabilities <float32>[batch, candidates].
        """
        if search.beam_width > 1:
            found = replace(search, n_best=search.beam_width)
            ids, scores = found(self.model, token_ids)
            lengths = tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32)
            scores *= length_divisor(lengths, search.length_penalty)
        else:
            times = self.several.candidates if search.draws else 1
            hashes = tf.strings.to_hash_bucket_fast(texts, _HASHES)
            numbers = tf.range(times) + search.seed * times
            seeds = tf.stack(tf.meshgrid(tf.cast(hashes, tf.int32), numbers, indexing="ij"), -1)
            found = replace(search, seed=tf.reshape(seeds, [-1, 2]), length_penalty=0.0)
            ids, scores = found(SeveralOfEach(self.model, times), token_ids)
            ids = tf.reshape(ids, [-1, times, tf.shape(ids)[-1]])
            scores = tf.reshape(scores, [-1, times])
        lengths = tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32)
        # A batch may be empty.
        return ids[..., : tf.maximum(tf.reduce_max(lengths), 1)], scores

    def _score_alone(self, ids: tf.Tensor) -> tf.Tensor:
        """Returns the log-probabilities of answers to no turn, <float32>[batch, candidates]."""

        def score(ids: tf.Tensor) -> tf.Tensor:
            return self._score(tf.fill([tf.shape(ids)[0], 1], END), ids)

        return _map_columns(score, ids)

    def _score(self, token_ids: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        """Returns the log-probabilities <float32>[batch] of answers, END included.

        Args:
            token_ids: <int32>[batch, time], the sources.
            ids: <int32>[batch, length], the answers.
        """
        logits = self.model({"token_ids": token_ids, "target_ids": prepend_start(ids)})
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(ids, tf.cast(logits, tf.float32))
        return -tf.reduce_sum(tf.where(ids != PADDING, losses, 0.0), axis=-1)


def _last_lines(texts: tf.Tensor, count: int) -> tf.Tensor:
    """Returns the last lines of each text that are not empty."""
    lines = tf.strings.strip(tf.strings.split(texts, _TURN_END))
    lines = tf.ragged.boolean_mask(lines, lines != "")[:, -count:]
    return tf.strings.reduce_join(lines, axis=-1, separator=_TURN_END)


def _put_first(first: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Returns [batch, columns] with [batch] before them, and without the last column."""
    return tf.concat([first[:, None], others[:, :-1]], axis=1)


def _map_columns(score: Callable[[tf.Tensor], tf.Tensor], candidates: tf.Tensor) -> tf.Tensor:
    """Scores one candidate of each row at a time: logits of all would not fit into memory.

    Args:
        score: takes [batch, ...] and returns <float32>[batch].
        candidates: [batch, candidates, ...].

    Returns:
        <float32>[batch, candidates].
    """
    columns = tf.map_fn(
        score,
        tf.transpose(candidates, [1, 0, *range(2, len(candidates.shape))]),
        fn_output_signature=tf.TensorSpec([None], tf.float32),
    )
    return tf.transpose(columns)
