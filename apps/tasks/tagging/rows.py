"""Tagged texts as rows to train on, and the validation split of a tagger."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data.batches.padded import Batches
from data.examples.tagged import TaggedTexts
from data.examples.tags import Span, bio_names, spans_to_tags, tags_to_spans
from data.graphs import graph
from data.text.tag_preprocessor import TagPreprocessor, split_rows
from data.text.word_tokenizer import Tokens
from data.user_files.tagged.span_cuts import cut_at, find_inner_ends, split_places
from models.evaluation.entities import micro_f1
from models.tagging.bio import Bio

# Rows at once; always as many, since what compiles does so for each number.
ROWS_AT_ONCE = 64
# Added to the emission of "O"; beyond this range F1 only falls.
_SHIFTS = np.arange(-1.5, 0.51, 0.25)
# What a shift may cost of the F1 on texts that the model has learned.
_HARMLESS = 0.05


@dataclass(frozen=True)
class TagRows:
    """Texts as rows of at most so many tokens; longer texts are several.

    Attributes:
        tokens: of the texts.
        ids: from `TagPreprocessor.ragged`, by row.
        tags: <int32>[rows, (tokens)], from 1.
    """

    tokens: Tokens
    ids: dict[str, tf.RaggedTensor]
    tags: tf.RaggedTensor


def tag_rows(
    preprocessor: TagPreprocessor,
    examples: TaggedTexts,
    tokens: Tokens,
    types: tuple[str, ...],
    size: int,
) -> TagRows:
    """Cuts a split into rows of at most `size` tokens.

    Args:
        preprocessor: tokens to ids.
        examples: the split.
        tokens: of its texts, by `data.text.tag_preprocessor.tokenize_all`.
        types: of entities.
        size: tokens of a row, at most.
    """
    starts, ends = (split_places(each) for each in (tokens.starts, tokens.ends))
    tags = [
        spans_to_tags(begin, end, row.spans, types)
        for row, begin, end in zip(examples, starts, ends, strict=True)
    ]
    flat = np.concatenate(tags) if tags else np.zeros(0, np.int32)
    splits = split_rows(tokens.strings.row_lengths().numpy(), size)
    flat = Bio(bio_names(types)).repair(tf.constant(flat, tf.int32), tf.constant(splits[:-1]))
    ids = {
        name: tf.RaggedTensor.from_row_splits(ids.flat_values, splits)
        for name, ids in preprocessor.ragged(tokens.strings).items()
    }
    return TagRows(tokens, ids, tf.RaggedTensor.from_row_splits(flat + 1, splits))


def find_token_places(examples: TaggedTexts, tokens: Tokens) -> list[list[tuple[int, int]]]:
    """Returns the begin and end of each token that metrics count, by text.

    These are the tokens of the data, or else `tokens`, cut where spans begin and end, so that every
    span counts.
    """
    columns = (split_places(each) for each in (tokens.starts, tokens.ends))
    return [
        [*zip(*cut_at(begin, end, find_inner_ends(begin, end, row.spans)), strict=True)]
        if row.tokens is None
        else [*row.tokens]
        for row, begin, end in zip(examples, *columns, strict=True)
    ]


def label_tokens(
    places: list[tuple[int, int]], spans: Iterable[Span], types: tuple[str, ...]
) -> list[str]:
    """Returns the BIO tags of the tokens at these places."""
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    return [bio_names(types)[tag] for tag in spans_to_tags(starts, ends, spans, types)]


class TaggerValidation:
    """The validation split, tokenised once.

    Args:
        rows: of it.
        examples: the split.
        types: of entities.
        shifted: whether the score of no entity may be shifted, see `outside_shift`.
    """

    def __init__(
        self, rows: TagRows, examples: TaggedTexts, types: tuple[str, ...], shifted: bool = True
    ):
        self.rows, self.types = rows, types
        self.shifts = _SHIFTS if shifted else np.zeros(1)
        self.batches = Batches(rows.ids, rows.tags, ROWS_AT_ONCE)
        self._starts, self._ends = (
            split_places(each) for each in (rows.tokens.starts, rows.tokens.ends)
        )
        self._places = find_token_places(examples, rows.tokens)
        self._truth = [
            label_tokens(places, row.spans, types)
            for places, row in zip(self._places, examples, strict=True)
        ]
        self._answer: Callable[..., tuple[tf.Tensor, tf.Tensor]] | None = None

    def measure(self, model: keras.Model) -> dict[str, float]:
        """Returns the mean negative log-likelihood of a text, the F1 over all entities and the
        accuracy of tokens, the last two with the shift that suits this state of the model."""
        return self._choose_shift(model)[1]

    def outside_shift(self, model: keras.Model) -> float:
        """Returns what to add to the emission of `O` for the best F1, see `Tagger.shift_outside`.

        Trained likelihoods favour what is frequent, while F1 counts entities alone (as thresholds
        do for classes, Lipton et al. 2014).
        """
        return self._choose_shift(model)[0]

    def harmless_shift(self, model: keras.Model, wanted: float) -> float:
        """Returns the shift that is nearest to a wanted one and does no harm on these texts.

        A second training starts anew, and its model may need less of a shift than that of which it
        was chosen; one that is too large tags every other token of a long text.

        Args:
            model: the tagger, which has learned these texts.
            wanted: one of those that may be chosen.
        """
        f1 = [micro_f1(self._truth, self._name_tags(row)) for row in self._predict(model)[0]]
        return float(self.shifts[nearest_harmless(self.shifts, f1, wanted)])

    def _choose_shift(self, model: keras.Model) -> tuple[float, dict[str, float]]:
        tags, loss = self._predict(model)
        found = [self._name_tags(row) for row in tags]
        f1 = [micro_f1(self._truth, each) for each in found]
        best = best_shift(self.shifts, f1)
        pairs = [
            a == b
            for true, guess in zip(self._truth, found[best], strict=True)
            for a, b in zip(true, guess, strict=True)
        ]
        metrics = {"loss": loss, "f1": f1[best], "token_accuracy": float(np.mean(pairs))}
        return float(self.shifts[best]), metrics

    def _name_tags(self, tags: np.ndarray) -> list[list[str]]:
        """Names the tags of the tokens that metrics count, from <int32>[tokens] of our own."""
        splits = self.rows.tags.row_splits.numpy()
        repaired = Bio(bio_names(self.types)).repair(tf.constant(tags), tf.constant(splits[:-1]))
        names = np.array(bio_names(self.types))[repaired.numpy()]
        by_text = np.split(names, self.rows.tokens.strings.row_splits.numpy()[1:-1])
        return [
            label_tokens(places, tags_to_spans(starts, ends, row.tolist()), self.types)
            for places, starts, ends, row in zip(
                self._places, self._starts, self._ends, by_text, strict=True
            )
        ]

    def _predict(self, model: keras.Model) -> tuple[np.ndarray, float]:
        """<int32>[shifts, tokens], of all texts, joined; and the loss."""
        dataset, splits = self.batches.dataset(), self.rows.tags.row_splits.numpy()
        tags, loss = np.zeros((len(self.shifts), splits[-1]), np.int32), 0.0
        for numbers, (ids, true, *_) in zip(self.batches.order(0), dataset, strict=True):
            best, losses = self._step(model, dataset.element_spec)(ids, true)
            best = best.numpy()
            loss += float(tf.reduce_sum(losses[: len(numbers)]))
            for place, number in enumerate(numbers):
                begin, end = splits[number : number + 2]
                tags[:, begin:end] = best[:, place, : end - begin]
        return tags, loss / max(len(splits) - 1, 1)

    def _step(self, model: keras.Model, spec: Any) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
        """Compiled once for all epochs."""
        if self._answer is None:
            outside = tf.one_hot(bio_names(self.types).index("O"), len(bio_names(self.types)))
            added = tf.constant(self.shifts, tf.float32)[:, None] * outside

            def answer(ids: dict[str, tf.Tensor], tags: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                emissions = model(ids, training=False)
                losses = model.negative_log_likelihood(emissions, tags)
                # One path is sought for each text and shift.
                shape = tf.concat([[-1], tf.shape(emissions)[1:]], axis=0)
                shifted = tf.reshape(emissions + added[:, None, None], shape)
                real = tf.tile(ids["token_ids"] != 0, [len(added), 1])
                best = model.best_tags(shifted, real)
                return tf.reshape(best, tf.concat([[len(added)], tf.shape(tags)], axis=0)), losses

            self._answer = graph(answer, input_signature=spec[:2])
        return self._answer


def best_shift(shifts: np.ndarray, f1: list[float]) -> int:
    """Returns the index of the shift with the best F1.

    F1 jumps from shift to shift, so the mean of three
    neighbours decides; of equals the one nearest to 0 does.
    """
    smooth = np.convolve(np.pad(f1, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    order = np.argsort(np.abs(shifts), kind="stable")
    return int(order[np.argmax(smooth[order])])


def nearest_harmless(shifts: np.ndarray, f1: list[float], wanted: float) -> int:
    """Returns the index of the shift nearest to a wanted one whose F1 is close to the best."""
    harmless = np.flatnonzero(np.array(f1) >= max(f1) - _HARMLESS)
    return int(harmless[np.argmin(np.abs(shifts[harmless] - wanted))])
