"""How well a language model predicts texts: nats, bits, perplexity."""

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from data.batches.streams import Streams
from data.examples.documents import Documents
from data.graphs import graph
from data.text.cleaning import drop_format_characters_from
from data.text.special_tokens import UNKNOWN
from data.text.tokenizer import Tokenizer
from models.language_model.ensemble import LanguageModelEnsemble
from models.language_model.language_model import LanguageModel

# Rows of a batch, each of which begins with the states after so many tokens before its part.
_ROWS, _CONTEXT, _LENGTH = 32, 512, 64
# Tokens of a text whose bits say something of it.
_SHORTEST = 20


class Perplexity:
    """A split, encoded once.

    The states are carried through every text. So that several parts of a long one are read at the
    same time, each but the first begins with the states after the 512 tokens before it.

    Args:
        model: what is measured, at any moment of its training.
        tokenizer: texts to ids.
        documents: the split.
        ends: whether the model has learned where texts end.
        backward: measure its second stack, which predicts each token from those after it.
    """

    def __init__(
        self,
        model: LanguageModel | LanguageModelEnsemble,
        tokenizer: Tokenizer,
        documents: Documents,
        ends: bool,
        backward: bool = False,
    ):
        self._model, self._texts = model, documents.texts
        # An ensemble has no second stack.
        self._direction = {"backward": True} if backward else {}
        self._nats_of = graph(self._batch, reduce_retracing=True)
        self._nats_of_features = graph(self._features, jit_compile=True)
        ids = tokenizer.encode_all(documents.texts)
        self.streams = Streams(
            ids[:, ::-1] if backward else ids,
            _ROWS,
            _LENGTH,
            ends=ends and documents.whole,
            labels=documents.labels,
            context=_CONTEXT // _LENGTH,
        )
        self.unknown = int(np.count_nonzero(ids.flat_values.numpy() == UNKNOWN))
        # Those that are read.
        self.characters = sum(len(drop_format_characters_from(text)) for text in documents.texts)

    def nats_per_token(self) -> float:
        """Returns the mean negative log-likelihood of a token, in nats."""
        return float(self.nats().sum()) / self.streams.num_tokens

    def report(self, nats: np.ndarray | None = None) -> dict[str, float | None]:
        """Returns all metrics. Per character they count the end of a text with its last one.

        Where a token is unknown no metric per character is given: an unknown word of any number of
        characters costs no more than its one token, and the fewer words a vocabulary has, the
        better the metric would be.
        """
        total = float((self.nats() if nats is None else nats).sum())
        per_character = None if self.unknown else total / max(1, self.characters)
        per_token = total / self.streams.num_tokens
        # Stored names: tokens were once called units.
        return {
            "nats_per_unit": per_token,
            "bits_per_unit": per_token / math.log(2),
            # Of words in an early epoch it may be more than a float holds.
            "perplexity": math.exp(min(per_token, 700.0)),
            "nats_per_character": per_character,
            "bits_per_character": None if per_character is None else per_character / math.log(2),
            "log_likelihood": -per_token,
            "units": self.streams.num_tokens,
            "characters": self.characters,
            "unknown_share": self.unknown / self.streams.num_tokens,
        }

    def worst_texts(self, nats: np.ndarray, most: int) -> list[tuple[float, int, str]]:
        """Returns the texts that cost most bits a token, the worst first: bits a token, tokens and
        text. Short texts are left out, and a split that is one text has none.

        Args:
            nats: of `nats`.
            most: the number of texts.
        """
        counts = self.streams.counts
        if len(counts) < 2:
            return []
        of_text = np.zeros(len(counts))
        owners = self.streams.texts_of_windows()
        np.add.at(of_text, owners[owners >= 0], nats[owners >= 0])
        bits = of_text / np.maximum(counts, 1) / math.log(2)
        order = [row for row in np.argsort(-bits, kind="stable") if counts[row] >= _SHORTEST]
        return [(float(bits[row]), int(counts[row]), self._texts[row]) for row in order[:most]]

    def nats(self) -> np.ndarray:
        """Returns the negative log-likelihood of each window, <float64>[steps, rows], in nats."""
        stack, rows = self._model.stack, self.streams.batch_size
        sizes = [size for sizes in stack.state_sizes for size in sizes]
        states = [tf.zeros([rows, size], stack.compute_dtype) for size in sizes]
        found = []
        for inputs, targets in self.streams.dataset():
            nats, states = self._nats_of(inputs, targets, states)
            found.append(nats.numpy().astype(np.float64))
        return np.array(found).reshape(-1, rows)

    def _batch(
        self, inputs: dict[str, tf.Tensor], targets: tf.Tensor, states: list[tf.Tensor]
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the negative log-likelihood of each row of a batch, <float32>[rows], and the
        states after it."""
        fresh = self._model.initial_states(tf.shape(targets)[0], inputs.get("labels"))
        starts = inputs["starts"][:, None]
        states = [tf.where(starts, new, old) for new, old in zip(fresh, states, strict=True)]
        outputs, states = self._model.run_stack(inputs["token_ids"], states, **self._direction)
        return self._nats_of_features(self._model.project(outputs), targets), states

    def _features(self, features: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """Features <float>[rows, time, size] and their targets to the same, <float32>[rows].

        A row at a time, and compiled: the logits of some tens of tokens over a large vocabulary
        stay in the cache, and no more of them are ever there.
        """

        def nats(row: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            logits = self._model.compute_logits(row[0])
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(row[1], logits)
            return tf.reduce_sum(tf.where(row[1] != 0, losses, 0.0))

        return tf.map_fn(nats, (features, targets), fn_output_signature=tf.float32)


def measure(directions: Sequence[Perplexity]) -> dict[str, float]:
    """Returns what an epoch is judged by.

    Args:
        directions: one `Perplexity`, or that of each stack.

    Returns:
        `loss`, nats a token, the mean of the stacks, and `log_likelihood`, its negative, of which
        the highest is the best; with a second stack also its own `backward_loss`.
    """
    nats = [direction.nats_per_token() for direction in directions]
    loss = sum(nats) / len(nats)
    return {"loss": loss, "log_likelihood": -loss} | (
        {"backward_loss": nats[1]} if nats[1:] else {}
    )
