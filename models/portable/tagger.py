"""A tagger: from texts to entities and the tags of tokens."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import re2

from .crf import Crf, softmax
from .decoding.tokenizer import find_vocabulary, read_ids
from .rows import entity_row
from .session import Network
from .text import lower
from .vocabulary import START, UNKNOWN, Vocabulary, number_words, pad
from .words import WordSplitter

# Windows that are tagged at once, so that memory does not grow with the texts.
_CHUNK = 128
_OUTSIDE = "O"


class _Window(NamedTuple):
    """A piece of a text that is read at once: the words from `begin` to before `end`, of which it
    answers those from `keep_from` to before `keep_to`."""

    text: int
    begin: int
    end: int
    keep_from: int
    keep_to: int


class Tagger:
    """Answers texts with their entities.

    Args:
        folder: with `vocabulary.txt` and `characters.txt`, and the vocabulary of the language model
            that it reads, if it does.
        settings: of the model.
        network: inputs to emissions.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], network: Network) -> None:
        self._network = network
        self._splitter = WordSplitter(settings["words"])
        self._vocabulary = Vocabulary(folder / "vocabulary.txt")
        self._characters = Vocabulary(folder / "characters.txt")
        self._max_word_length, self._lowercase = settings["max_word_length"], settings["lowercase"]
        self._cases = [re2.compile(pattern) for pattern in settings["cases"]]
        self._digits = re2.compile(settings["words"]["digit"])
        self._language = read_ids(find_vocabulary(folder)) if settings.get("language") else {}
        self._window, self._overlap = settings["window"], settings["overlap"]
        self._tags = tuple(settings["tags"])
        weights = {name: np.array(each, np.float32) for name, each in settings["crf"].items()}
        self._crf = Crf(**weights) if weights else None

    def answer(self, texts: Sequence[bytes], numbers: Sequence[int] = ()) -> list[dict[str, Any]]:
        """Returns `entities` and `tagged_tokens` of each text: lists of dicts with `start` and
        `end`."""
        words = [self._splitter.split(text) for text in texts]
        tags = [np.zeros(len(each.strings), np.int64) for each in words]
        scores = [np.zeros(len(each.strings), np.float32) for each in words]
        windows = [
            window
            for text, each in enumerate(words)
            for window in _cut(text, len(each.strings), self._window, self._overlap)
        ]
        for first in range(0, len(windows), _CHUNK):
            chunk = windows[first : first + _CHUNK]
            rows = [words[each.text].strings[each.begin : each.end] for each in chunk]
            for window, best, shares in zip(chunk, *self.tag(rows), strict=True):
                kept = slice(window.keep_from, window.keep_to)
                here = slice(window.keep_from - window.begin, window.keep_to - window.begin)
                tags[window.text][kept], scores[window.text][kept] = best[here], shares[here]
        return [
            entity_row(
                [word.decode() for word in each.strings],
                _repair([self._tags[tag] for tag in best]),
                each.starts,
                each.ends,
                shares,
            )
            for each, best, shares in zip(words, tags, scores, strict=True)
        ]

    def tag(self, rows: Sequence[Sequence[bytes]]) -> tuple[np.ndarray, np.ndarray]:
        """Returns the tags of words and their probabilities, both [rows, longest], 0 where padded;
        no row may be empty."""
        emissions = self._network.run(self.inputs(rows))
        lengths = np.array([len(row) for row in rows])
        real = np.arange(emissions.shape[1]) < lengths[:, None]
        if self._crf is not None:
            best = self._crf.best_paths(emissions, real)
            shares = self._crf.marginals(emissions, real)
        else:
            best = np.where(real, emissions.argmax(axis=-1), 0)
            shares = np.where(real[:, :, None], softmax(emissions), np.float32(0))
        return best, np.take_along_axis(shares, best[:, :, None], axis=2)[:, :, 0]

    def inputs(self, rows: Sequence[Sequence[bytes]]) -> dict[str, np.ndarray]:
        """Returns what the network reads of words."""
        # Few words make up most of a text.
        words = {word for row in rows for word in row}
        ids = {word: self._find(word) for word in words}
        inputs = {"token_ids": pad([[ids[word] for word in row] for row in rows])}
        if self._cases:
            cases = {word: self._find_case(word) for word in words}
            inputs["case_ids"] = pad([[cases[word] for word in row] for row in rows])
        if self._max_word_length:
            inputs |= number_words(rows, self._characters, self._max_word_length)
        if self._language:
            forms = {word: self._digits.sub(b"0", lower(word)).decode() for word in words}
            read = {word: self._language.get(form, UNKNOWN) for word, form in forms.items()}
            inputs["language_ids"] = pad([[START, *(read[word] for word in row)] for row in rows])
        return inputs

    def _find(self, word: bytes) -> int:
        """Returns the id of a word, else of its small letters, else of these with zeros for its
        digits."""
        small = lower(word)
        forms = [small, self._digits.sub(b"0", small)]
        ids = map(self._vocabulary.find, forms if self._lowercase else [word, *forms])
        return next((found for found in ids if found != UNKNOWN), UNKNOWN)

    def _find_case(self, word: bytes) -> int:
        matches = (number for number, each in enumerate(self._cases, 1) if each.fullmatch(word))
        return next(matches, len(self._cases))


def _cut(text: int, length: int, size: int, overlap: int) -> Iterator[_Window]:
    """Yields the windows of a text, as few as possible; see `data.batches.windows`."""
    stride = size - 2 * overlap
    count = 1 + max(0, -(-(length - size) // stride)) if length else 0
    for number in range(count):
        # The last window is moved back until it is full: it reads more of what is left of it.
        begin = min(number * stride, max(length - size, 0))
        inner = number * stride + overlap
        yield _Window(
            text,
            begin,
            min(begin + size, length),
            inner if number else 0,
            length if number == count - 1 else inner + stride,
        )


def _repair(tags: list[str]) -> list[str]:
    """Turns every `I-X` that follows neither `B-X` nor `I-X` into a `B-X`."""
    before = [_OUTSIDE, *tags]
    return [
        f"B{tag[1:]}" if tag[0] == "I" and tag[1:] != former[1:] else tag
        for tag, former in zip(tags, before, strict=False)
    ]
