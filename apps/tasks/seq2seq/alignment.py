"""Which words of a source the words of its translation looked at."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.formats.record import RichCell

_SPACED_SIGN = re.compile(r" ([.,;:!?%)])")
# A word of which less was copied is not marked.
_COPIED = 0.5


@dataclass(frozen=True)
class Alignment(RichCell):
    """The word alignment of one translated text.

    Attributes:
        source, target: words, without white space; the source's end is its last.
        weights: <float>[target, source]; rows sum to 1 where the attention's do.
        copied: <float>[target], how much of each word is copied; None of a model that does not.
    """

    source: list[str]
    target: list[str]
    weights: np.ndarray
    copied: np.ndarray | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """Returns each word of the translation with the word of the source it looked at most."""
        if not self.weights.any():
            return [(word, "") for word in self.target]
        return [
            (word, self.source[place])
            for word, place in zip(self.target, self.weights.argmax(axis=1), strict=True)
        ]

    def copied_words(self) -> "Highlights":
        """Returns how much of each word of the source, but its end, was copied.

        Raises:
            ValueError: the model does not copy.
        """
        if self.copied is None:
            raise ValueError("the model does not copy")
        shares = self.copied @ self.weights
        return Highlights(self.source[:-1], np.minimum(shares[:-1], 1.0))

    def to_cell(self) -> str:
        """Returns the pairs in a line."""
        return " ".join(f"{word}={source}" for word, source in self.pairs())

    def to_json(self) -> dict:
        """Returns the words and the weights, a row a word of the translation."""
        weights = [[round(float(each), 4) for each in row] for row in self.weights]
        found = {"source": self.source, "target": self.target, "weights": weights}
        if self.copied is None:
            return found
        return {**found, "copied": [round(float(share), 4) for share in self.copied]}

    def format(self) -> str:
        """Formats the pairs for the terminal, one a line, with how much of a word is copied."""
        pairs = self.pairs()
        width, second = (max([len(pair[side]) for pair in pairs], default=0) for side in (0, 1))
        if self.copied is None:
            return "\n".join(f"  {word:{width}}  {source}" for word, source in pairs)
        rows = zip(pairs, self.copied, strict=True)
        return "\n".join(
            f"  {word:{width}}  {source:{second}}  copied {share:4.0%}"
            for (word, source), share in rows
        )

    def draw(self, path: Path) -> None:
        """Draws the weights as a heat map into a .png file."""
        from apps.plots.translation import alignment

        alignment(self.source, self.target, self.weights, path)


@dataclass(frozen=True)
class Highlights(RichCell):
    """The words of a source, and how much of each was copied.

    Attributes:
        words: those of the source.
        shares: <float>[words], of the probability of the words that were written, at most 1.
    """

    words: list[str]
    shares: np.ndarray

    def to_cell(self) -> str:
        """Returns the source with the words in brackets that were copied for the most part."""
        marked = self.shares >= _COPIED
        parts = []
        for place, word in enumerate(self.words):
            begins = marked[place] and not (place and marked[place - 1])
            ends = marked[place] and not (place + 1 < len(marked) and marked[place + 1])
            parts.append(f"{'[' if begins else ''}{word}{']' if ends else ''}")
        return _SPACED_SIGN.sub(r"\1", " ".join(parts))

    def to_json(self) -> dict:
        """Returns the words, and the share of each."""
        return {"words": self.words, "copied": [round(float(share), 4) for share in self.shares]}

    def format(self) -> str:
        """Formats the source for the terminal."""
        return f"  {self.to_cell()}"


def align_words(
    source: list[str], target: list[str], weights: np.ndarray, copied: np.ndarray | None = None
) -> Alignment:
    """Joins the tokens of each word: the weights of a source word's tokens are summed, those of a
    word of the translation averaged.

    Args:
        source, target: tokens, a white space before those that begin a word; END is the last of
            either.
        weights: <float>[target, source].
        copied: <float>[target], how much of each token is copied, or None.
    """
    of_source, sources = _group_words(source)
    of_target, targets = _group_words(target[:-1])
    by_source = np.zeros((len(target), len(sources)), np.float32)
    np.add.at(by_source.T, of_source, weights.T)
    found = np.zeros((len(targets), len(sources)), np.float32)
    np.add.at(found, of_target, by_source[: len(of_target)])
    counts = np.bincount(of_target, minlength=len(targets))[:, None]
    counts = np.maximum(counts, 1)
    shares = None
    if copied is not None:
        sums = np.zeros(len(targets), np.float32)
        np.add.at(sums, of_target, copied[: len(of_target)])
        shares = sums / counts[:, 0]
    return Alignment(sources, targets, found / counts, shares)


def _group_words(tokens: list[str]) -> tuple[np.ndarray, list[str]]:
    """Groups tokens into words: returns the word of each token, and the words."""
    numbers: list[int] = []
    words: list[str] = []
    for token in tokens:
        bare = token.strip()
        # Signs are words of their own; END is no part of the word before it.
        begins = not words or token[:1].isspace() or token == "<end>" or not _has_letter(bare[:1])
        # A space that is a token of its own belongs to the word behind it.
        if not words or (words[-1] and (begins or not _has_letter(words[-1][-1:]))):
            words.append("")
        words[-1] += bare
        numbers.append(len(words) - 1)
    return np.array(numbers, np.int64), words


def _has_letter(text: str) -> bool:
    return text.isalnum() or text in ("'", "\u2019", "-", "\ufffd")
