"""The memory of a chatbot: what was answered in the training to the turns that are most alike."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data.graphs import graph

# N-grams of a larger share of the turns tell nothing, and their lists are long.
_MOST_FREQUENT = 0.02
_FEWEST = 20
_HASHES = 2**62
# Texts that are read at once while it learns.
_ROWS = 4096


class Index(NamedTuple):
    """The n-grams of all known turns, and where each occurs.

    Attributes:
        ngrams: <int64>[ngrams], their hashes in ascending order.
        weights: <float32>[ngrams], `log((1 + N) / (1 + n)) + 1` of an n-gram of `n` out of `N`
            turns; 0 of one that is too frequent.
        starts: <int32>[ngrams + 1], where the list of each begins in `places`.
        places: <int32>[occurrences], the turns that have it; none of one that is too frequent.
        norms: <float32>[turns], the lengths of the vectors of the weights of their n-grams.
        answers: <string>[turns], what followed.
    """

    ngrams: np.ndarray
    weights: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    norms: np.ndarray
    answers: np.ndarray


class TurnMemory(tf.Module):
    """Finds what was answered to the most similar turns, in stock TensorFlow ops.

    Turns are vectors of the words and pairs of words of all turns that an answer reads, and once
    more of the last turn, each weighted by how few turns have it. Similarity is the cosine.

    Args:
        index: of what is known.
    """

    def __init__(self, index: Index) -> None:
        super().__init__()
        self.index = index
        self._constants = Index(*map(tf.constant, index))

    @classmethod
    def learn(cls, texts: Sequence[str], answers: Sequence[str]) -> "TurnMemory":
        """Returns a memory of turns, one line each, and of what was answered to them."""
        pairs = []
        for start in range(0, len(texts), _ROWS):
            rows, ngrams = hash_ngrams(tf.constant(texts[start : start + _ROWS], tf.string))
            pairs.append(np.stack([ngrams.numpy(), rows.numpy() + start]))
        occurrences = np.concatenate(pairs, axis=1) if pairs else np.zeros([2, 0], np.int64)
        order = np.argsort(occurrences[0], kind="stable")
        found, places = occurrences[0][order], occurrences[1][order]
        ngrams, counts = np.unique(found, return_counts=True)
        weights = np.log((1 + len(texts)) / (1 + counts)) + 1
        weights[counts > max(_MOST_FREQUENT * len(texts), _FEWEST)] = 0.0
        numbers = np.repeat(np.arange(len(ngrams)), counts)
        kept = weights[numbers] > 0
        squares = np.bincount(places[kept], weights[numbers[kept]] ** 2, len(texts))
        index = Index(
            ngrams,
            weights.astype(np.float32),
            np.concatenate([[0], np.cumsum(np.where(weights > 0, counts, 0))]).astype(np.int32),
            places[kept].astype(np.int32),
            np.sqrt(squares).astype(np.float32),
            _to_strings(answers),
        )
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "TurnMemory":
        """Reads a memory from a file of `save`.

        Raises:
            ValueError: it is none.
        """
        try:
            with np.load(path) as arrays:
                found = {name: arrays[name] for name in Index._fields}
        except (EOFError, KeyError, OSError, zipfile.BadZipFile) as error:
            raise ValueError(f"no memory: {error}") from error
        answers = json.loads(found.pop("answers").tobytes())
        return cls(Index(**found, answers=_to_strings(answers)))

    def save(self, path: Path) -> None:
        """Writes the memory as a file of arrays (`.npz`)."""
        answers = json.dumps([answer.decode("utf-8") for answer in self.index.answers])
        arrays = {**self.index._asdict(), "answers": np.frombuffer(answers.encode(), np.uint8)}
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)

    def nearest(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds the answer to the most similar turns.

        Args:
            texts: <string>[batch], the turns of each, one line each.

        Returns:
            The answers <string>[batch], and the similarities <float32>[batch] from 0 to 1.
        """
        known, batch = self._constants, tf.size(texts, tf.int64)
        rows, ngrams = hash_ngrams(texts)
        numbers = tf.minimum(tf.searchsorted(known.ngrams, ngrams), len(self.index.ngrams) - 1)
        is_known = tf.gather(known.ngrams, numbers) == ngrams
        # What no turn has makes a text less similar to all.
        total = len(self.index.answers)
        weights = tf.where(is_known, tf.gather(known.weights, numbers), np.log(1.0 + total) + 1.0)
        squares = tf.math.unsorted_segment_sum(weights**2, rows, batch)
        starts, ends = (tf.gather(known.starts, numbers + place) for place in (0, 1))
        lists = tf.ragged.range(starts, tf.where(is_known, ends, starts))
        owners = lists.value_rowids()
        places = tf.cast(tf.gather(known.places, lists.flat_values), tf.int64)
        products = tf.math.unsorted_segment_sum(
            tf.gather(weights, owners) ** 2,
            tf.gather(rows, owners) * total + places,
            batch * total,
        )
        norms = tf.sqrt(squares)[:, None] * known.norms
        cosines = tf.math.divide_no_nan(tf.reshape(products, [batch, total]), norms)
        best = tf.argmax(cosines, axis=1)
        return tf.gather(known.answers, best), tf.gather(cosines, best, batch_dims=1)


def _to_strings(texts: Sequence[str]) -> np.ndarray:
    return np.array([text.encode("utf-8") for text in texts], object)


@graph
def hash_ngrams(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the words and the pairs of words of texts, those of the last line once more.

    Args:
        texts: <string>[batch].

    Returns:
        The text <int64>[n-grams] that has it and the hash <int64>[n-grams] of each n-gram, each
        once a text.
    """
    texts = tf.strings.lower(texts, encoding="utf-8")
    last = tf.strings.regex_replace(texts, r"(?s)^.*\n", "")
    found = [
        part for prefix, lines in (("", texts), ("\n", last)) for part in _hash_words(lines, prefix)
    ]
    rows, hashes = (tf.concat(parts, 0) for parts in zip(*found, strict=True))
    # Each n-gram of a text once: both as one string, for there is no `unique` of pairs of numbers.
    keys = tf.strings.join([tf.strings.as_string(rows), tf.strings.as_string(hashes)], " ")
    _, first = tf.unique(keys, tf.int64)
    kept = tf.math.unsorted_segment_min(
        tf.range(tf.size(first, tf.int64)), first, tf.reduce_max(tf.pad(first, [[1, 0]])) + 1
    )
    kept = kept[: tf.where(tf.size(first) > 0, tf.size(kept), 0)]
    return tf.gather(rows, kept), tf.gather(hashes, kept)


def _hash_words(texts: tf.Tensor, prefix: str) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Returns rows and hashes of the words of texts, and those of the pairs."""
    spaced = tf.strings.regex_replace(texts, r"([^\pL\pN\s'])", r" \1 ")
    words = tf.strings.split(spaced)
    pairs = tf.strings.join([words[:, :-1].flat_values, words[:, 1:].flat_values], " ")
    found = [(words.value_rowids(), words.flat_values), (words[:, :-1].value_rowids(), pairs)]
    return [
        (rows, tf.strings.to_hash_bucket_fast(tf.strings.join([prefix, ngrams]), _HASHES))
        for rows, ngrams in found
    ]
