"""Cuts tokens at the ends of spans, so that each span has tokens of its own."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from data.examples.tagged import TaggedText, TaggedTexts
from data.examples.tags import Span
from data.text.characters import drop_invisible
from data.text.word_tokenizer import Tokens


def split_places(places: tf.RaggedTensor) -> list[np.ndarray]:
    """Splits the starts or ends of tokens by text."""
    return np.split(places.flat_values.numpy(), places.row_splits.numpy()[1:-1])


def find_inner_ends(starts: np.ndarray, ends: np.ndarray, spans: Iterable[Span]) -> np.ndarray:
    """Finds the ends of spans inside of tokens.

    Args:
        starts, ends: <int>[tokens], ascending, of the tokens of one text.
        spans: spans of that text.

    Returns:
        <int>[cuts], ascending.
    """
    bounds = np.unique([place for span in spans for place in (span.start, span.end)]).astype(int)
    token = np.searchsorted(starts, bounds) - 1
    inside = token >= 0
    inside[inside] = bounds[inside] < ends[token[inside]]
    return bounds[inside]


def cut_at(starts: np.ndarray, ends: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the starts and ends of tokens after they are cut."""
    return np.sort(np.concatenate([starts, cuts])), np.sort(np.concatenate([ends, cuts]))


def cut_shared_tokens(tokens: Tokens, examples: TaggedTexts) -> tuple[Tokens, list[str]]:
    """Cuts the tokens that several spans share, so that each span gets a tag to learn.

    Args:
        tokens: the tokens of the texts.
        examples: the texts and their spans.

    Returns:
        The tokens, and the words that were cut.
    """
    rows, words = [], []
    columns = (split_places(places) for places in (tokens.starts, tokens.ends))
    for row, starts, ends in zip(examples, *columns, strict=True):
        cuts = _find_shared_cuts(starts, ends, row)
        words += _find_cut_words(row.text, starts, ends, cuts)
        rows.append(cut_at(starts, ends, cuts) if len(cuts) else (starts, ends))
    if not words:
        return tokens, []
    strings = [
        drop_invisible(row.text[start:end]).encode()
        for row, places in zip(examples, rows, strict=True)
        for start, end in zip(*places, strict=True)
    ]
    lengths = [len(starts) for starts, _ in rows]
    flat = (np.concatenate([row[column] for row in rows]).astype(np.int32) for column in (0, 1))
    values = (tf.constant(strings, tf.string), *map(tf.constant, flat))
    return Tokens(*(tf.RaggedTensor.from_row_lengths(value, lengths) for value in values)), words


def _find_shared_cuts(starts: np.ndarray, ends: np.ndarray, row: TaggedText) -> np.ndarray:
    cuts = find_inner_ends(starts, ends, row.spans)
    if len(cuts):
        touched = [np.arange(*_find_touched_tokens(starts, ends, span)) for span in row.spans]
        is_shared = np.bincount(np.concatenate(touched), minlength=len(starts)) > 1
        cuts = cuts[is_shared[np.searchsorted(starts, cuts) - 1]]
    return cuts


def _find_touched_tokens(starts: np.ndarray, ends: np.ndarray, span: Span) -> tuple[int, int]:
    """Finds the first token that a span touches, and the token after the last one."""
    first = np.searchsorted(ends, span.start, "right")
    return int(first), int(np.searchsorted(starts, span.end, "left"))


def _find_cut_words(text: str, starts: np.ndarray, ends: np.ndarray, cuts: np.ndarray) -> list[str]:
    """Finds the words of the tokens that cuts go through."""
    tokens = np.unique(np.searchsorted(starts, cuts) - 1)
    return [text[starts[token] : ends[token]] for token in tokens]


def find_words_with_inner_ends(tokens: Tokens, examples: TaggedTexts) -> list[str]:
    """Finds the words inside of which spans begin or end."""
    columns = (split_places(places) for places in (tokens.starts, tokens.ends))
    return [
        word
        for row, starts, ends in zip(examples, *columns, strict=True)
        if row.tokens is None
        for word in _find_cut_words(
            row.text, starts, ends, find_inner_ends(starts, ends, row.spans)
        )
    ]
