"""Cuts tokens where spans begin and end, so that each span has tokens of its own."""

import numpy as np
import tensorflow as tf

from data.examples.tagged import TaggedText, TaggedTexts
from data.examples.tags import Span
from data.text.invisible import drop_invisible
from data.text.word_tokenizer import Tokens


def split_places(places: tf.RaggedTensor) -> list[np.ndarray]:
    """The places of the tokens of each text."""
    return np.split(places.flat_values.numpy(), places.row_splits.numpy()[1:-1])


def inner_ends(starts: np.ndarray, ends: np.ndarray, spans) -> np.ndarray:
    """Where spans begin or end inside of tokens.

    Args:
        starts, ends: <int>[tokens], ascending.
        spans: of the same text.

    Returns:
        <int>[cuts], ascending.
    """
    bounds = np.unique([place for span in spans for place in (span.start, span.end)]).astype(int)
    token = np.searchsorted(starts, bounds) - 1
    inside = token >= 0
    inside[inside] = bounds[inside] < ends[token[inside]]
    return bounds[inside]


def cut_at(starts: np.ndarray, ends: np.ndarray, cuts: np.ndarray) -> tuple:
    """The starts and ends of tokens that are cut."""
    return np.sort(np.concatenate([starts, cuts])), np.sort(np.concatenate([ends, cuts]))


def cut_shared_tokens(tokens: Tokens, examples: TaggedTexts) -> tuple[Tokens, list[str]]:
    """Cuts the tokens that several spans share: a tag for each would else not be learned.

    Args:
        tokens: of the texts.
        examples: texts and spans.

    Returns:
        The tokens, and the words that were cut.
    """
    rows, words = [], []
    columns = (split_places(each) for each in (tokens.starts, tokens.ends))
    for row, starts, ends in zip(examples, *columns, strict=True):
        cuts = _shared(starts, ends, row)
        words += _words_at(row.text, starts, ends, cuts)
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
    columns = (tf.constant(strings, tf.string), *map(tf.constant, flat))
    return Tokens(*(tf.RaggedTensor.from_row_lengths(each, lengths) for each in columns)), words


def _shared(starts: np.ndarray, ends: np.ndarray, row: TaggedText) -> np.ndarray:
    cuts = inner_ends(starts, ends, row.spans)
    if len(cuts):
        touched = [np.arange(*_tokens_of(starts, ends, span)) for span in row.spans]
        several = np.bincount(np.concatenate(touched), minlength=len(starts)) > 1
        cuts = cuts[several[np.searchsorted(starts, cuts) - 1]]
    return cuts


def _tokens_of(starts: np.ndarray, ends: np.ndarray, span: Span) -> tuple[int, int]:
    """The first token that a span touches, and the one after the last."""
    return np.searchsorted(ends, span.start, "right"), np.searchsorted(starts, span.end, "left")


def _words_at(text: str, starts: np.ndarray, ends: np.ndarray, cuts: np.ndarray) -> list[str]:
    """The tokens that cuts go through."""
    tokens = np.unique(np.searchsorted(starts, cuts) - 1)
    return [text[starts[token] : ends[token]] for token in tokens]


def words_with_inner_ends(tokens: Tokens, examples: TaggedTexts) -> list[str]:
    """The words inside of which spans begin or end."""
    columns = (split_places(each) for each in (tokens.starts, tokens.ends))
    return [
        word
        for row, *places in zip(examples, *columns, strict=True)
        if row.tokens is None
        for word in _words_at(row.text, *places, inner_ends(*places, row.spans))
    ]
