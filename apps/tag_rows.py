"""Tagged texts as rows to train on, and the validation split of a tagger."""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from data.pipeline import Batches
from data.tag_preprocessor import TagPreprocessor, row_splits_up_to
from data.tagged import TaggedTexts
from data.tags import Span, bio_names, spans_of_tags, tags_of_spans
from data.tokens import Tokens
from models.entity_metrics import micro_f1
from models.tag_serving import Bio

# Rows at once; always as many, since what compiles does so for each number.
_ROWS = 64
# Of the emission of "O"; beyond them the figures only fall.
_SHIFTS = np.arange(-1.5, 0.51, 0.25)


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
    """The rows of a split.

    Args:
        preprocessor: tokens to ids.
        examples: the split.
        tokens: of its texts, from `data.tag_preprocessor.all_tokens`.
        types: of entities.
        size: tokens of a row, at most.
    """
    starts, ends = (_by_text(each) for each in (tokens.starts, tokens.ends))
    tags = [
        tags_of_spans(*places, row.spans, types)
        for row, *places in zip(examples, starts, ends, strict=True)
    ]
    flat = np.concatenate(tags) if tags else np.zeros(0, np.int32)
    splits = row_splits_up_to(tokens.strings.row_lengths().numpy(), size)
    flat = Bio(bio_names(types)).mended(tf.constant(flat, tf.int32), tf.constant(splits[:-1]))
    ids = {
        name: tf.RaggedTensor.from_row_splits(ids.flat_values, splits)
        for name, ids in preprocessor.ragged(tokens.strings).items()
    }
    return TagRows(tokens, ids, tf.RaggedTensor.from_row_splits(flat + 1, splits))


def _by_text(places: tf.RaggedTensor) -> list[np.ndarray]:
    return np.split(places.flat_values.numpy(), places.row_splits.numpy()[1:-1])


def places_of(examples: TaggedTexts, tokens: Tokens) -> list[list[tuple[int, int]]]:
    """Where the tokens stand that figures count: those of the data, or else `tokens`."""
    columns = (_by_text(each) for each in (tokens.starts, tokens.ends))
    return [
        [*zip(*places, strict=True)] if row.tokens is None else [*row.tokens]
        for row, *places in zip(examples, *columns, strict=True)
    ]


def tags_at(places: list[tuple[int, int]], spans: list[Span], types: tuple[str, ...]) -> list[str]:
    """The BIO tags of tokens at these places."""
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    return [bio_names(types)[tag] for tag in tags_of_spans(starts, ends, spans, types)]


class TagHeldOut:
    """The validation split, tokenised once.

    Args:
        rows: of it.
        examples: the split.
        types: of entities.
    """

    def __init__(self, rows: TagRows, examples: TaggedTexts, types: tuple[str, ...]):
        self.rows, self.types = rows, types
        self.batches = Batches(rows.ids, rows.tags, _ROWS)
        self._starts, self._ends = (
            _by_text(each) for each in (rows.tokens.starts, rows.tokens.ends)
        )
        self._places = places_of(examples, rows.tokens)
        self._truth = [
            tags_at(places, row.spans, types)
            for places, row in zip(self._places, examples, strict=True)
        ]
        self._answer = None

    def figures(self, model: keras.Model) -> dict[str, float]:
        """The mean negative log-likelihood of a text, F1 over all entities, and the accuracy of
        tokens."""
        tags, loss = self._tags(model)
        names = np.array(bio_names(self.types))[tags]
        by_text = np.split(names, self.rows.tokens.strings.row_splits.numpy()[1:-1])
        found = [
            tags_at(places, spans_of_tags(starts, ends, row), self.types)
            for places, starts, ends, row in zip(
                self._places, self._starts, self._ends, by_text, strict=True
            )
        ]
        pairs = [
            a == b
            for true, guess in zip(self._truth, found, strict=True)
            for a, b in zip(true, guess, strict=True)
        ]
        return {
            "loss": loss,
            "f1": micro_f1(self._truth, found),
            "token_accuracy": float(np.mean(pairs)),
        }

    def best_outside_shift(self, model: keras.Model) -> float:
        """What added to the emission of `O` gives the best F1, see `Tagger.shift_outside`.

        Trained likelihoods favour what is frequent, while F1 counts entities alone (as thresholds
        do for classes, Lipton et al. 2014). F1 jumps from shift to shift, so the mean of three
        neighbours decides.
        """
        f1, shifted = [], 0.0
        for shift in _SHIFTS:
            model.shift_outside(shift - shifted)
            shifted = shift
            f1.append(self.figures(model)["f1"])
        model.shift_outside(-shifted)
        smooth = np.convolve(f1, np.ones(3) / 3, mode="valid")
        # The first of equals is the one nearest to none.
        order = np.argsort(np.abs(_SHIFTS[1:-1]), kind="stable")
        return float(_SHIFTS[1:-1][order[np.argmax(smooth[order])]])

    def _tags(self, model: keras.Model) -> tuple[np.ndarray, float]:
        """<int32>[tokens], of all texts, joined; and the loss."""
        dataset, splits = self.batches.dataset(), self.rows.tags.row_splits.numpy()
        tags, loss = np.zeros(splits[-1], np.int32), 0.0
        for numbers, (ids, true, *_) in zip(self.batches.order(0), dataset, strict=True):
            best, losses = self._step(model, dataset.element_spec)(ids, true)
            loss += float(tf.reduce_sum(losses[: len(numbers)]))
            for number, row in zip(numbers, best.numpy(), strict=False):
                begin, end = splits[number : number + 2]
                tags[begin:end] = row[: end - begin]
        mended = Bio(bio_names(self.types)).mended(tf.constant(tags), tf.constant(splits[:-1]))
        return mended.numpy(), loss / max(len(splits) - 1, 1)

    def _step(self, model: keras.Model, spec):
        """Compiled once for all epochs."""
        if self._answer is None:

            def answer(ids, tags):
                emissions = model(ids, training=False)
                best = model.best_tags(emissions, ids["token_ids"] != 0)
                return best, model.negative_log_likelihood(emissions, tags)

            self._answer = tf.function(answer, input_signature=spec[:2])
        return self._answer
