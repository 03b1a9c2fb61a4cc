"""A classifier: from texts to labels and scores."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .ngrams import LinearModel
from .rows import label_row
from .session import Network
from .text import Splitter
from .vocabulary import START, Vocabulary, number_words, pad

# How a start token is spelt, whose letters are read as those of all others.
_START_TOKEN = b"<start>"


class Classifier:
    """Answers texts with class names and scores.

    Args:
        folder: with `vocabulary.txt`, `characters.txt` and, where there are linear models,
            `ngrams.npz`.
        settings: of the model.
        network: inputs to logits.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], network: Network) -> None:
        self.class_names = tuple(settings["class_names"])
        self._network = network
        self._splitter = Splitter(settings["steps"])
        self._vocabulary = Vocabulary(folder / "vocabulary.txt")
        self._max_length, self._head = settings["max_length"], settings["head"]
        self._max_word_length = settings["max_word_length"]
        if self._max_word_length:
            self._characters = Vocabulary(folder / "characters.txt")
        self._linear = LinearModel.load(folder / "ngrams.npz") if settings["linear"] else []
        decision = settings["decision"]
        self._multi_label = decision["multi_label"]
        self._temperature = np.float32(decision["temperature"])
        self._thresholds = np.array(decision["thresholds"], np.float32)

    def answer(self, texts: Sequence[bytes], numbers: Sequence[int] = ()) -> list[dict[str, Any]]:
        """Returns `predicted_label`, `predicted_score` and `score_<class>` of each text; all texts
        are one batch."""
        if not texts:
            return []
        scores = self.scores(self.logits(texts))
        ratios = scores / self._thresholds
        order = np.argsort(-ratios, axis=1, kind="stable")
        given = ratios >= 1.0
        if not self._multi_label:
            given = np.arange(ratios.shape[1]) == ratios.argmax(axis=1)[:, None]
        return [
            label_row(
                [self.class_names[i] for i in places],
                row[places].tolist(),
                chosen[places].tolist(),
                self.class_names,
            )
            for places, row, chosen in zip(order, scores, given, strict=True)
        ]

    def logits(self, texts: Sequence[bytes]) -> np.ndarray:
        """Returns <float32>[texts, num_classes]."""
        return self._network.run(self.inputs(texts))

    def inputs(self, texts: Sequence[bytes]) -> dict[str, np.ndarray]:
        """Returns what the network reads of texts."""
        rows = [[_START_TOKEN, *self._cut(self._splitter.split(text))] for text in texts]
        token_ids = [[START, *map(self._vocabulary.find, row[1:])] for row in rows]
        inputs = {"token_ids": pad(token_ids)}
        if self._max_word_length:
            inputs |= number_words(rows, self._characters, self._max_word_length)
        if self._linear:
            inputs["linear"] = np.stack([each.logits(token_ids) for each in self._linear])
        return inputs

    def _cut(self, tokens: list[bytes]) -> list[bytes]:
        """Keeps the head and the tail of a text that is too long."""
        if len(tokens) <= self._max_length:
            return tokens
        tail = self._max_length - self._head
        return tokens[: self._head] + tokens[len(tokens) - tail :]

    def scores(self, logits: np.ndarray) -> np.ndarray:
        """Returns the calibrated probabilities, <float32>[texts, num_classes]."""
        scaled = logits / self._temperature
        if self._multi_label:
            with np.errstate(over="ignore"):
                return 1 / (1 + np.exp(-scaled))
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
