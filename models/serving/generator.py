"""The serving model of a language model: prompts to texts, in one graph."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from data.graphs import graph
from data.text.special_tokens import END, PADDING, START, UNKNOWN
from data.text.tokenizer import Tokenizer
from models.compilation import compiled_loops
from models.decoding.beam_search import beam_search
from models.decoding.constraints import Constraints
from models.decoding.decode import decode
from models.decoding.options import DecodingOptions
from models.decoding.sampling import Sampling, greedy
from models.decoding.stop_strings import StopStrings
from models.language_model.ensemble import LanguageModelEnsemble
from models.language_model.language_model import LanguageModel
from models.recurrent.seldom_shapes import for_seldom_shapes
from models.serving.export import Endpoints

# Only the last tokens of a longer prompt are read: a recurrent state remembers no more, and a
# megabyte of characters would take minutes.
LONGEST_PROMPT = 10_000
_STRINGS = tf.TensorSpec([None], tf.string, name="texts")
_PROMPTS = tf.TensorSpec([None], tf.string, name="prompts")
_SCALARS = {
    "max_length": tf.int32,
    "temperature": tf.float32,
    "top_k": tf.int32,
    "top_p": tf.float32,
    "seed": tf.int32,
}


class TextGenerator(tf.Module):
    """Continues texts, in stock TensorFlow ops.

    Prompts of any lengths are read in one pass, though of long ones only the last `LONGEST_PROMPT`
    tokens. A loop in the graph continues them until every text has ended.

    Args:
        tokenizer: texts to ids and back.
        model: a trained language model.
        options: how texts are continued.
        ends: whether the model was trained to end texts.
        label: the class of the generated texts, for a model with classes.
        compiled: whether XLA compiles the model's step where it may, which it cannot with rounded
            weights.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        model: LanguageModel | LanguageModelEnsemble,
        options: DecodingOptions,
        ends: bool = True,
        label: int = 0,
        compiled: bool = True,
    ) -> None:
        super().__init__()
        self.preprocessor, self.model = tokenizer, model
        self.options, self.label = options, label
        self.end = END if ends else -1
        banned = (PADDING, UNKNOWN, START) if ends else (PADDING, UNKNOWN, START, END)
        self.constraints = Constraints(
            banned_ids=banned,
            repetition_penalty=options.repetition_penalty,
            no_repeat_ngram=options.no_repeat_ngram,
        )
        self._fast_step = graph(model.step, jit_compile=True) if compiled else model.step
        self.stop = StopStrings(tokenizer.decode, options.stop) if options.stop else None
        self.serve = graph(self.answer, input_signature=[_STRINGS])

    def endpoints(self) -> Endpoints:
        """Returns what a SavedModel answers: functions and their input signatures, by name."""
        scalars = [tf.TensorSpec([], dtype, name=name) for name, dtype in _SCALARS.items()]
        return {
            "serving_default": (self.answer, [_STRINGS]),
            "generate": (self.generate, [_PROMPTS, *scalars]),
            "score": (self.score, [_STRINGS]),
        }

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Continues a batch of texts with the options' seed.

        Args:
            texts: <string>[batch], prompts, which may be empty.

        Returns:
            `texts` <string>[batch], the prompts with their continuations, `continuations`
            <string>[batch], and `log_likelihoods` <float32>[batch] of the continuations; with a
            length penalty, divided by it.
        """
        return self.continue_texts(texts, self.options.seed)

    def continue_texts(
        self, texts: tf.Tensor, seed: int | tf.Tensor, watch: Callable | None = None
    ) -> dict[str, tf.Tensor]:
        """Continues a batch of texts.

        Args:
            texts: <string>[batch].
            seed: see `models.decoding.decode.decode`.
            watch: called after each step, but not in a beam search; see the argument `stopped` of
                `models.decoding.decode.decode`.

        Returns:
            As `answer`.
        """
        options = self.options
        if options.beam_width:
            return self._search(texts)
        sampling = Sampling(options.temperature, options.top_k, options.top_p, options.min_p)
        choose = greedy if options.greedy else sampling
        return self._decode(texts, choose, options.max_length, seed, watch)

    def generate(
        self,
        prompts: tf.Tensor,
        max_length: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Continues a batch of texts by sampling, as `answer`, with options as scalar tensors."""
        return self.follow(prompts, (max_length, temperature, top_k, top_p, seed), None)

    def follow(
        self, prompts: tf.Tensor, scalars: Sequence[tf.Tensor], watch: Callable | None
    ) -> dict[str, tf.Tensor]:
        """Continues a batch of texts by sampling, while something watches.

        Args:
            prompts: <string>[batch].
            scalars: `max_length`, `temperature`, `top_k`, `top_p` and `seed`.
            watch: see `continue_texts`.

        Returns:
            As `answer`.
        """
        max_length, temperature, top_k, top_p, seed = scalars
        choose = Sampling(temperature, top_k, top_p, self.options.min_p)
        return self._decode(prompts, choose, max_length, seed, watch)

    def score(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Computes how probable it is that a text begins with these.

        Args:
            texts: <string>[batch].

        Returns:
            `log_likelihoods` <float32>[batch], natural logarithms of probabilities, and `tokens`
            <int32>[batch], the number of tokens of each text.
        """
        outputs, _, ids = self._read(texts)
        targets = tf.pad(ids, [[0, 0], [0, 1]])[:, 1:]
        logits = self.model.compute_logits(self.model.project(outputs))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        real = targets != PADDING
        return {
            "log_likelihoods": -tf.reduce_sum(tf.where(real, losses, 0.0), axis=1),
            "tokens": tf.reduce_sum(tf.cast(real, tf.int32), axis=1),
        }

    def next_tokens(self, texts: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the most probable next tokens.

        Args:
            texts: <string>[batch].
            count: number of tokens, at most the size of the vocabulary.

        Returns:
            Ids <int32>[batch, count], the most probable first, and their probabilities
            <float32>[batch, count].
        """
        logits, _, ids = self._read_prompts(texts)
        length = tf.shape(ids)[1]
        allowed = self.constraints(logits, ids, length, tf.constant(0), self.end)
        probabilities, ids = tf.math.top_k(tf.nn.softmax(allowed), min(count, logits.shape[-1]))
        return ids, probabilities

    def _decode(
        self,
        texts: tf.Tensor,
        choose: Callable,
        max_length: int | tf.Tensor,
        seed: int | tf.Tensor,
        watch: Callable | None = None,
    ) -> dict[str, tf.Tensor]:
        logits, states, ids = self._read_prompts(texts)
        decoded = decode(
            self._step(),
            logits,
            states,
            max_length=max_length,
            choose=choose,
            end_id=self.end,
            seed=seed,
            previous_ids=ids,
            constraints=self.constraints,
            stopped=self._stop_condition(watch),
        )
        return self._to_texts(texts, decoded.ids, decoded.log_probabilities)

    def _search(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, states, ids = self._read_prompts(texts)
        hypotheses = beam_search(
            self._step(),
            logits,
            states,
            beam_width=self.options.beam_width,
            max_length=self.options.max_length,
            end_id=self.end,
            length_penalty=self.options.length_penalty,
            previous_ids=ids,
            constraints=self.constraints,
        )
        return self._to_texts(texts, hypotheses.ids[:, 0], hypotheses.scores[:, 0])

    def _step(self) -> Callable:
        """Returns the model's step; compiled, it is one operation of the loop instead of dozens."""
        return self._fast_step if compiled_loops() else self.model.step

    def _stop_condition(self, watch: Callable | None) -> Callable | None:
        hooks = [hook for hook in (self.stop, watch) if hook is not None]
        if not hooks:
            return None

        def is_stopped(ids: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
            answers = [hook(ids, lengths) for hook in hooks]
            return answers[0] if len(answers) == 1 else answers[0] | answers[1]

        return is_stopped

    def _to_texts(
        self, texts: tf.Tensor, ids: tf.Tensor, log_likelihoods: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        added = self.preprocessor.decode(ids)
        if self.stop is not None:
            added = self.stop.cut(added)
        return {
            "texts": tf.strings.join([texts, added]),
            "continuations": added,
            "log_likelihoods": log_likelihoods,
        }

    def _read_prompts(self, texts: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Returns the logits and states after texts, and the texts' ids."""
        outputs, states, ids = self._read(texts, LONGEST_PROMPT)
        last = tf.reduce_sum(tf.cast(ids != PADDING, tf.int32), axis=1) - 1
        last = tf.gather(outputs, last, batch_dims=1)
        return self.model.compute_logits(self.model.project(last)), states, ids

    def _read(
        self, texts: tf.Tensor, longest: int | None = None
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Reads texts, or their last `longest` tokens.

        Returns:
            The stack's outputs at each token, the states after the texts, and their ids
            <int32>[batch, 1 + longest], START first, 0 where padded.
        """
        rows = tf.shape(texts)[0]
        tokens = self.preprocessor.encode(texts)
        if longest:
            tokens = tokens[:, -longest:]
        ids = tf.concat([tf.fill([rows, 1], START), tokens.to_tensor()], axis=1)
        states = self.model.initial_states(rows, tf.fill([rows], self.label))
        # Compiling a loop for every length of a prompt would delay the first answer.
        with for_seldom_shapes():
            outputs, states = self.model.run_stack(ids, states)
        return outputs, states, ids
