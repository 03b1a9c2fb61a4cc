"""The serving model of a translator: raw strings to translations."""

import tensorflow as tf

from data.batches.parallel import append_end
from data.graphs import graph
from data.text.special_tokens import END, PADDING, START, UNKNOWN
from data.text.tokenizer import Tokenizer
from models.compilation import stock_operations
from models.seq2seq.encoder_decoder import Translator
from models.seq2seq.search import TranslationSearch

_STRINGS = [tf.TensorSpec([None], tf.string, name="texts")]


class ServingTranslator(tf.Module):
    """Strings to strings, in stock TensorFlow ops.

    Args:
        source_tokenizer, target_tokenizer: texts to ids and back.
        model: the trained `models.seq2seq.encoder_decoder.Translator`.
        search: how it looks for translations.
        replace_unknown: whether an unknown word of a translation becomes the source's that it
            looked at most.
        attention: whether `serve` tells where words looked.
    """

    def __init__(
        self,
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        model: Translator,
        search: TranslationSearch,
        replace_unknown: bool = False,
        attention: bool = False,
    ):
        super().__init__()
        self.preprocessor, self.target_tokenizer = source_tokenizer, target_tokenizer
        self.model, self.search = model, search
        self.replace_unknown = replace_unknown and model.decoder.attention is not None
        several = self.n_best if search.n_best > 1 else self.answer
        self.serve = graph(self.with_attention if attention else several, input_signature=_STRINGS)

    def endpoints(self) -> dict:
        """What a SavedModel answers: functions and their input signatures, by name."""
        functions = {"serving_default": self.answer, "with_attention": self.with_attention}
        return {name: (function, _STRINGS) for name, function in functions.items()}

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translates a batch.

        Args:
            texts: <string>[batch], any bytes; read up to the search's `max_length` tokens.

        Returns:
            `translations` <string>[batch], empty for empty texts, and `scores` <float32>[batch],
            log-probabilities with the penalties of the search.
        """
        answer = self.n_best(texts)
        return {name: values[:, 0] for name, values in answer.items()}

    def n_best(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `answer`, the best translations of each text: <string>[batch, n_best] and
        <float32>[batch, n_best], -inf where there are fewer."""
        token_ids, pieces = self._read(texts)
        ids, scores = self._found(token_ids)
        batch, several, length = tf.unstack(tf.shape(ids))
        sources = tf.repeat(tf.range(batch), several)
        flat = tf.reshape(ids, [-1, length])
        strings = self.target_tokenizer.decode(flat)
        if self.replace_unknown:
            strings = tf.cond(
                tf.reduce_any(flat == UNKNOWN),
                lambda: self._copied(
                    tf.gather(token_ids, sources), tf.gather(pieces, sources), flat
                )[0],
                lambda: strings,
            )
        strings = tf.where(tf.gather(_empty(token_ids), sources), "", strings)
        return {"translations": tf.reshape(strings, [batch, several]), "scores": scores}

    def with_attention(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """As `answer`, and where each token of the translation looked.

        Returns:
            Beside what `answer` does, `source_tokens` <string>[batch, time] and `target_tokens`
            <string>[batch, length], END included and empty where padded, and `attention`
            <float32>[batch, length, time], 0 where padded; all zeros without attention.
        """
        token_ids, pieces = self._read(texts)
        ids, scores = self._found(token_ids)
        ids = ids[:, 0]
        copied, weights = self._copied(token_ids, pieces, ids)
        strings = copied if self.replace_unknown else self.target_tokenizer.decode(ids)
        return {
            "translations": tf.where(_empty(token_ids), "", strings),
            "scores": scores[:, 0],
            "source_tokens": pieces,
            "target_tokens": self.target_tokenizer.tokens(ids),
            "attention": tf.where((ids != PADDING)[:, :, None], weights, 0.0),
        }

    def _read(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Source ids <int32>[batch, time] and what they say <string>[batch, time], END included."""
        length = self.search.max_length
        # A token has at most 40 letters of at most 4 bytes; what follows is not split.
        texts = tf.strings.substr(texts, 0, 160 * length)
        ids = append_end(self.preprocessor.encode(texts)[:, :length])
        pieces = self.preprocessor.split(texts)[:, :length]
        end = tf.fill([pieces.nrows(), 1], self.preprocessor.tokens(tf.constant(END)))
        pieces = tf.concat([pieces, tf.RaggedTensor.from_tensor(end)], axis=1)
        # A batch of no texts has no longest one, but a recurrent layer needs a step.
        missing = [[0, 0], [0, 1 - tf.minimum(tf.size(texts), 1)]]
        return tf.pad(ids.to_tensor(), missing), tf.pad(pieces.to_tensor(), missing)

    def _found(self, token_ids) -> tuple[tf.Tensor, tf.Tensor]:
        """What the search finds, as wide as the longest translation."""
        # Outside of a training too: what XLA compiles, it does for each shape, and the few texts
        # of a prediction have many.
        with stock_operations():
            ids, scores = self.search(self.model, token_ids)
        lengths = tf.math.count_nonzero(ids, axis=-1, dtype=tf.int32)
        return ids[..., : tf.maximum(tf.reduce_max(lengths), 1)], scores

    def _copied(self, token_ids, pieces, ids) -> tuple[tf.Tensor, tf.Tensor]:
        """Translations <string>[rows] with copies for unknown words, and the attention
        <float32>[rows, length, time]; arguments as `n_best` has them, a row for each."""
        before = tf.concat([tf.fill([tf.shape(ids)[0], 1], START), ids[:, :-1]], axis=1)
        with stock_operations():
            weights = self.model.attention_weights(token_ids, before)
        word = (token_ids != PADDING) & (token_ids != END)
        place = tf.argmax(tf.where(word[:, None, :], weights, -1.0), axis=-1)
        copies = tf.gather(pieces, place, batch_dims=1)
        if self.target_tokenizer.kind == "words":
            # A word of the middle stands behind a space, wherever the source had it.
            copies = " " + tf.strings.strip(copies)
        shown = self.target_tokenizer.tokens(ids)
        silent = (ids == PADDING) | (ids == START) | (ids == END)
        shown = tf.where(silent, "", tf.where(ids == UNKNOWN, copies, shown))
        joined = tf.strings.reduce_join(shown, axis=-1)
        return tf.strings.regex_replace(joined, "^ ", ""), weights


def _empty(token_ids) -> tf.Tensor:
    """<bool>[batch], true where END is all that there is."""
    return token_ids[:, 0] == END
