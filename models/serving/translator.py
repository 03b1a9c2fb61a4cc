"""The serving model of a translator, or of another model that writes texts: strings to strings."""

from dataclasses import replace

import tensorflow as tf

from data.batches.parallel import append_end
from data.graphs import graph
from data.text.special_tokens import END, PADDING, START, UNKNOWN
from data.text.tokenizer import Tokenizer
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.ensemble import TranslatorEnsemble
from models.seq2seq.search import TranslationSearch, prepend_start
from models.serving.export import Endpoints

_STRINGS = [tf.TensorSpec([None], tf.string, name="texts")]
_SCALARS = {
    "min_length": tf.int32,
    "max_length": tf.int32,
    "no_repeat_ngram": tf.int32,
    "length_penalty": tf.float32,
}


class ServingTranslator(tf.Module):
    """Translates strings, in stock TensorFlow ops.

    Args:
        source_tokenizer, target_tokenizer: texts to ids and back.
        model: the trained model.
        search: how translations are searched.
        replace_unknown: whether an unknown word of a translation is replaced by the source's word
            with the highest attention.
        attention: whether `serve` returns the attention, too.
        answers: the name of the tensor of the answers.
        column: the name of one answer, as tables and models without TensorFlow have it.
        keeps_end: whether the end of a text is read that is too long, instead of its beginning.
    """

    def __init__(
        self,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        model: Translator | TranslatorEnsemble,
        search: TranslationSearch,
        replace_unknown: bool = False,
        attention: bool = False,
        answers: str = "translations",
        column: str = "translation",
        keeps_end: bool = False,
    ) -> None:
        super().__init__()
        self.column, self.keeps_end = column, keeps_end
        self.preprocessor, self.target_tokenizer = source_tokenizer, target_tokenizer
        self.model, self.search, self.answers = model, search, answers
        self.replace_unknown = replace_unknown and model.decoder.attention is not None
        answer = self.answer_n_best if search.n_best > 1 else self.answer
        answer = self.answer_with_attention if attention else answer
        self.serve = graph(answer, input_signature=_STRINGS)

    def endpoints(self) -> Endpoints:
        """Returns what a SavedModel answers: functions and their input signatures, by name."""
        scalars = [tf.TensorSpec([], dtype, name=name) for name, dtype in _SCALARS.items()]
        return {
            "serving_default": (self.answer, _STRINGS),
            "with_attention": (self.answer_with_attention, _STRINGS),
            "with_lengths": (self.answer_with_lengths, [*_STRINGS, *scalars]),
        }

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translates a batch of texts.

        Args:
            texts: <string>[batch], any bytes; only so many tokens are read as the search says.

        Returns:
            `translations`, or what the answers are called, <string>[batch], empty for empty texts,
            and `scores` <float32>[batch], log-probabilities with the penalties of the search.
        """
        return self._best(texts, self.search)

    def answer_with_lengths(
        self,
        texts: tf.Tensor,
        min_length: tf.Tensor,
        max_length: tf.Tensor,
        no_repeat_ngram: tf.Tensor,
        length_penalty: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Answers a batch of texts, as `answer`, with options of the search as scalar tensors.

        Args:
            texts: <string>[batch].
            min_length, max_length: <int32>[], the fewest and the most tokens of an answer.
            no_repeat_ngram: <int32>[], the length of n-grams that occur once at most; 0 for any.
            length_penalty: <float32>[], the power of the length by which scores are divided.
        """
        search = replace(
            self.search,
            source_length=self._source_length,
            min_length=min_length,
            max_length=tf.maximum(max_length, 1),
            no_repeat_ngram=no_repeat_ngram,
            length_penalty=length_penalty,
        )
        return self._best(texts, search)

    @property
    def _source_length(self) -> int:
        return self.search.source_length or int(self.search.max_length)

    def _best(self, texts: tf.Tensor, search: TranslationSearch) -> dict[str, tf.Tensor]:
        answer = self._n_best(texts, search)
        return {name: values[:, 0] for name, values in answer.items()}

    def answer_n_best(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the best translations of each text, the best first; arguments as `answer`.

        Returns:
            `translations` <string>[batch, n_best] and `scores` <float32>[batch, n_best], -inf where
            there are fewer.
        """
        return self._n_best(texts, self.search)

    def _n_best(self, texts: tf.Tensor, search: TranslationSearch) -> dict[str, tf.Tensor]:
        token_ids, words = self._read(texts)
        ids, scores = self._search(token_ids, search)
        batch, n_best, length = tf.unstack(tf.shape(ids))
        sources = tf.repeat(tf.range(batch), n_best)
        flat = tf.reshape(ids, [-1, length])
        strings = self.target_tokenizer.decode(flat)
        if self.replace_unknown:
            lacking = tf.reduce_any(flat == UNKNOWN, axis=1)

            def replace_unknown() -> tf.Tensor:
                rows = tf.gather(token_ids, sources), tf.gather(words, sources)
                # The others stay as they are, whatever stands beside them.
                return tf.where(lacking, self._copy_words(*rows, flat)[0], strings)

            strings = tf.cond(tf.reduce_any(lacking), replace_unknown, lambda: strings)
        strings = tf.where(tf.gather(_is_empty(token_ids), sources), "", strings)
        return {self.answers: tf.reshape(strings, [batch, n_best]), "scores": scores}

    def answer_with_attention(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translates a batch of texts, and returns the attention of each token, too.

        Returns:
            As `answer`, and `source_tokens` <string>[batch, time] and `target_tokens`
            <string>[batch, length], END included and empty where padded, and `attention`
            <float32>[batch, length, time], 0 where padded; all zeros without attention. A model
            that copies also returns `copied` <float32>[batch, length], the share of each token's
            probability that comes from copying.
        """
        token_ids, words = self._read(texts)
        ids, scores = self._search(token_ids, self.search)
        ids = ids[:, 0]
        replaced, weights = self._copy_words(token_ids, words, ids)
        strings = self.target_tokenizer.decode(ids)
        if self.replace_unknown:
            strings = tf.where(tf.reduce_any(ids == UNKNOWN, axis=1), replaced, strings)
        copied = {}
        if self.model.decoder.copying is not None:
            with for_seldom_shapes():
                shares = self.model.copied_shares(token_ids, prepend_start(ids), ids)
            copied = {"copied": tf.where(ids != PADDING, shares, 0.0)}
        return {
            **copied,
            self.answers: tf.where(_is_empty(token_ids), "", strings),
            "scores": scores[:, 0],
            "source_tokens": words,
            "target_tokens": self.target_tokenizer.tokens(ids),
            "attention": tf.where((ids != PADDING)[:, :, None], weights, 0.0),
        }

    def _read(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns source ids <int32>[batch, time] and their tokens <string>, END included."""
        length = self._source_length
        # A token has at most 40 letters of at most 4 bytes: nothing after that can be read.
        begin, most = tf.zeros(tf.shape(texts), tf.int32), 160 * length
        if self.keeps_end:
            begin = tf.maximum(tf.strings.length(texts) - most, 0)
        texts = tf.strings.substr(texts, begin, tf.fill(tf.shape(texts), most))
        read = slice(-length, None) if self.keeps_end else slice(length)
        ids = append_end(self.preprocessor.encode(texts)[:, read])
        words = self.preprocessor.split(texts)[:, read]
        end = tf.fill([words.nrows(), 1], self.preprocessor.tokens(tf.constant(END)))
        words = tf.concat([words, tf.RaggedTensor.from_tensor(end)], axis=1)
        # A recurrent layer needs at least one step, even in an empty batch.
        missing = [[0, 0], [0, 1 - tf.minimum(tf.size(texts), 1)]]
        return tf.pad(ids.to_tensor(), missing), tf.pad(words.to_tensor(), missing)

    def _search(
        self, token_ids: tf.Tensor, search: TranslationSearch
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Searches for translations, and cuts them to the length of the longest one."""
        # XLA compiles anew for each shape, and the few texts of a prediction have many shapes.
        with for_seldom_shapes():
            ids, scores = search(self.model, token_ids)
        lengths = tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32)
        return ids[..., : tf.maximum(tf.reduce_max(lengths), 1)], scores

    def _copy_words(
        self, token_ids: tf.Tensor, words: tf.Tensor, ids: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Decodes translations, with words of the source in place of unknown ones.

        Args:
            token_ids, words: the sources, from `_read`, one per row.
            ids: <int32>[rows, length], the translations.

        Returns:
            Translations <string>[rows], and the attention <float32>[rows, length, time].
        """
        with for_seldom_shapes():
            weights = self.model.attention_weights(token_ids, prepend_start(ids))
        is_word = (token_ids != PADDING) & (token_ids != END)
        positions = tf.argmax(tf.where(is_word[:, None, :], weights, -1.0), axis=-1)
        copies = tf.gather(words, positions, batch_dims=1)
        if self.target_tokenizer.kind == "words":
            # Words in the middle of a text begin with a space, wherever the source had them.
            copies = " " + tf.strings.strip(copies)
        tokens = self.target_tokenizer.tokens(ids)
        is_special = (ids == PADDING) | (ids == START) | (ids == END)
        tokens = tf.where(is_special, "", tf.where(ids == UNKNOWN, copies, tokens))
        joined = tf.strings.reduce_join(tokens, axis=-1)
        return tf.strings.regex_replace(joined, "^ ", ""), weights


def _is_empty(token_ids: tf.Tensor) -> tf.Tensor:
    """Returns <bool>[batch], true where a text has no token but END."""
    return token_ids[:, 0] == END
