"""The serving model of a language model: beginnings of texts to texts, in one graph."""

import tensorflow as tf

from data.graphs import graph
from data.text.special_tokens import END, PADDING, START, UNKNOWN
from data.text.tokenizer import Tokenizer
from models.compilation import compiled_loops, stock_operations
from models.decoding.beam_search import beam_search
from models.decoding.constraints import Constraints
from models.decoding.decode import decode
from models.decoding.options import DecodingOptions
from models.decoding.sampling import Sampling, greedy
from models.decoding.stop_strings import StopStrings
from models.language_model.language_model import LanguageModel

# Of a longer prompt the last tokens are read: a recurrent state remembers no more, and a megabyte
# of characters would take minutes.
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
    """Goes on with texts, in stock TensorFlow ops.

    Prompts are read in one pass, whatever their lengths, but no more than their last
    `LONGEST_PROMPT` tokens; from there a loop in the graph carries the states and ends when every
    text has.

    Args:
        tokenizer: texts to ids and back.
        model: a trained language model.
        options: how texts are continued.
        ends: whether the model has learned where texts end.
        label: the class of what is generated, of a model with classes.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        model: LanguageModel,
        options: DecodingOptions,
        ends: bool = True,
        label: int = 0,
    ):
        super().__init__()
        self.preprocessor, self.model = tokenizer, model
        self.options, self.label = options, label
        self.end = END if ends else -1
        never = (PADDING, UNKNOWN, START) if ends else (PADDING, UNKNOWN, START, END)
        self.constraints = Constraints(
            banned_ids=never,
            repetition_penalty=options.repetition_penalty,
            no_repeat_ngram=options.no_repeat_ngram,
        )
        self._compiled_step = graph(model.step, jit_compile=True)
        self.stop = StopStrings(tokenizer.decode, options.stop) if options.stop else None
        self.serve = graph(self.answer, input_signature=[_STRINGS])

    def endpoints(self) -> dict:
        """The signatures of a SavedModel: functions and what they take."""
        scalars = [tf.TensorSpec([], dtype, name=name) for name, dtype in _SCALARS.items()]
        return {
            "serving_default": (self.answer, [_STRINGS]),
            "generate": (self.generate, [_PROMPTS, *scalars]),
            "score": (self.score, [_STRINGS]),
        }

    def answer(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """Goes on with texts as the options say.

        Args:
            texts: <string>[batch], beginnings, which may be empty.

        Returns:
            `texts` <string>[batch], the beginnings with what follows, `continuations`
            <string>[batch], what follows alone, and `log_likelihoods` <float32>[batch] of that;
            with a length penalty, divided by it.
        """
        return self.follow(texts, self.options.seed)

    def follow(self, texts: tf.Tensor, seed, watch=None) -> dict[str, tf.Tensor]:
        """As `answer`.

        Args:
            texts: <string>[batch].
            seed: as `models.decoding.decode.decode`.
            watch: called after each step like its `stopped`, if nothing is searched with beams.
        """
        options = self.options
        if options.beam_width:
            return self._searched(texts)
        sampling = Sampling(options.temperature, options.top_k, options.top_p, options.min_p)
        choose = greedy if options.greedy else sampling
        return self._continued(texts, choose, options.max_length, seed, watch)

    def generate(self, prompts, max_length, temperature, top_k, top_p, seed):
        """As `answer`, with scalar tensors for what the options say; never with beams."""
        choose = Sampling(temperature, top_k, top_p, self.options.min_p)
        return self._continued(prompts, choose, max_length, seed)

    def score(self, texts: tf.Tensor) -> dict[str, tf.Tensor]:
        """How probable it is that a text begins with these.

        Args:
            texts: <string>[batch].

        Returns:
            `log_likelihoods` <float32>[batch], the natural logarithm, and `tokens` <int32>[batch],
            how many each has.
        """
        outputs, _, ids = self._read(texts)
        targets = tf.pad(ids, [[0, 0], [0, 1]])[:, 1:]
        logits = self.model.logits(self.model.features(outputs))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        real = targets != PADDING
        return {
            "log_likelihoods": -tf.reduce_sum(tf.where(real, losses, 0.0), axis=1),
            "tokens": tf.reduce_sum(tf.cast(real, tf.int32), axis=1),
        }

    def next_tokens(self, texts: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The likeliest tokens that may follow.

        Args:
            texts: <string>[batch].
            count: how many, at most as many as there are.

        Returns:
            Ids <int32>[batch, count], the likeliest first, and their probabilities <float32>.
        """
        logits, _, ids = self._begun(texts)
        length = tf.shape(ids)[1]
        allowed = self.constraints(logits, ids, length, tf.constant(0), self.end)
        shares, ids = tf.math.top_k(tf.nn.softmax(allowed), min(count, logits.shape[-1]))
        return ids, shares

    def _continued(self, texts, choose, max_length, seed, watch=None):
        logits, states, ids = self._begun(texts)
        found = decode(
            self._step(),
            logits,
            states,
            max_length=max_length,
            choose=choose,
            end_id=self.end,
            seed=seed,
            previous_ids=ids,
            constraints=self.constraints,
            stopped=self._stopped(watch),
        )
        return self._texts(texts, found.ids, found.log_probabilities)

    def _searched(self, texts):
        logits, states, ids = self._begun(texts)
        found = beam_search(
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
        return self._texts(texts, found.ids[:, 0], found.scores[:, 0])

    def _step(self):
        """The model's step; compiled, it is one operation of the loop instead of dozens."""
        return self._compiled_step if compiled_loops() else self.model.step

    def _stopped(self, watch):
        hooks = [hook for hook in (self.stop, watch) if hook is not None]
        if not hooks:
            return None

        def stopped(ids, lengths):
            each = [hook(ids, lengths) for hook in hooks]
            return each[0] if len(each) == 1 else each[0] | each[1]

        return stopped

    def _texts(self, texts, ids, log_likelihoods):
        added = self.preprocessor.decode(ids)
        if self.stop is not None:
            added = self.stop.cut(added)
        return {
            "texts": tf.strings.join([texts, added]),
            "continuations": added,
            "log_likelihoods": log_likelihoods,
        }

    def _begun(self, texts):
        """The logits and states behind texts, and their ids."""
        outputs, states, ids = self._read(texts, LONGEST_PROMPT)
        last = tf.reduce_sum(tf.cast(ids != PADDING, tf.int32), axis=1) - 1
        last = tf.gather(outputs, last, batch_dims=1)
        return self.model.logits(self.model.features(last)), states, ids

    def _read(self, texts, longest: int | None = None):
        """The stack's outputs at each token of texts, the states after them, and their ids
        <int32>[batch, 1 + longest], START first, PADDING behind them. Of texts of more than
        `longest` tokens the last ones."""
        rows = tf.shape(texts)[0]
        tokens = self.preprocessor.encode(texts)
        if longest:
            tokens = tokens[:, -longest:]
        ids = tf.concat([tf.fill([rows, 1], START), tokens.to_tensor()], axis=1)
        states = self.model.initial_states(rows, tf.fill([rows], self.label))
        # A loop that is compiled for every length of a prompt would make the first answer wait.
        with stock_operations():
            outputs, states = self.model.run_stack(ids, states)
        return outputs, states, ids
