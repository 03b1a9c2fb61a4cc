"""Voice activity: the stretches of a recording in which somebody speaks."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from data.transcription.decoding import RATE

# Speech begins at the first probability, and goes on down to the second one.
_BEGIN, _GO_ON = 0.5, 0.35
# So many seconds of silence end a stretch.
_PAUSE = 2.0
# Seconds around a stretch: a detector hears the first sound late.
_PAD = 0.2
# A silence of so many seconds between two words is where one ends and the other begins.
_GAP = 0.1
# Seconds; what is shorter is a click.
_SHORTEST = 0.1
# Seconds that Whisper looks at; the other recognisers have no limit.
_LONGEST = 30.0


class Detector(Protocol):
    """Says how probable speech is.

    Attributes:
        frame: samples of a frame, a divisor of `decoding.BLOCK`.
    """

    frame: int

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Returns a probability for each frame.

        Args:
            block: the samples that follow the last block, of shape [frames * `frame`].
        """
        ...


class Speech(NamedTuple):
    """A stretch of speech.

    Attributes:
        start: in seconds of the file.
        samples: of shape [samples], at most 30 s.
        voiced: of shape [frames], whether somebody speaks in each frame.
    """

    start: float
    samples: np.ndarray
    voiced: np.ndarray

    def fit(self, words: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Returns where words begin and end by the voice: recognisers count silence to the words
        beside it, and find the first sound behind a silence late.

        Args:
            words: the start and end of each word, in seconds of the stretch.
        """
        frame = len(self.samples) / RATE / max(1, len(self.voiced))
        fitted = [self._trim(start, end, frame) for start, end in words]
        middles = [round((start + end) / 2 / frame) for start, end in fitted]
        for number, (first, last) in enumerate(pairwise([0, *middles, len(self.voiced)])):
            silences = [
                each for each in _silences(self.voiced[first:last]) if each[1] * frame >= _GAP
            ]
            if not silences:
                continue
            if number == 0:
                place, length = silences[-1]
            elif number == len(middles):
                place, length = silences[0]
            else:
                place, length = max(silences, key=lambda silence: silence[1])
            # Detectors hear the first sound a frame late. Of a word in silence nothing is known.
            if number > 0 and place > 0:
                fitted[number - 1] = fitted[number - 1][0], (first + place + 1) * frame
            if number < len(middles) and first + place + length < last:
                fitted[number] = (first + place + length - 1) * frame, fitted[number][1]
        return fitted

    def _trim(self, start: float, end: float, frame: float) -> tuple[float, float]:
        first, last = int(start / frame), int(np.ceil(end / frame))
        places = np.flatnonzero(self.voiced[first:last]) + first
        if not len(places):
            return start, end
        return max(start, (places[0] - 1) * frame), min(end, (places[-1] + 2) * frame)


def cut_speech(sound: Iterable[np.ndarray], detector: Detector) -> Iterator[Speech]:
    """Yields the stretches in which somebody speaks; no sample is in two of them.

    Args:
        sound: blocks of samples, as `decoding.Sound` yields them.
        detector: a new one.
    """
    frame = detector.frame
    finder = SpeechFinder(frame / RATE)
    kept, voiced, first = np.empty((0, frame), np.float32), np.empty(0, bool), 0

    def take(start: int, end: int) -> Speech:
        frames = slice(start - first, end - first)
        return Speech(start * frame / RATE, kept[frames].reshape(-1), voiced[frames])

    for block in sound:
        frames = np.pad(block, (0, -len(block) % frame)).reshape(-1, frame)
        probabilities = detector(frames.reshape(-1))
        kept = np.concatenate([kept, frames])
        voiced = np.concatenate([voiced, probabilities >= _GO_ON])
        for probability in probabilities:
            span = finder.add(float(probability))
            if span:
                yield take(*span)
        used = finder.needed - first
        kept, voiced, first = kept[used:], voiced[used:], finder.needed
    span = finder.end()
    if span:
        yield take(*span)


class SpeechFinder:
    """Finds spans of speech in probabilities, one after the other.

    A span of 30 s is cut at the longest pause of its second half.

    Attributes:
        needed: the first frame that a further span may hold.
    """

    def __init__(self, seconds: float):
        """Takes the length of a frame in seconds."""
        self._pause, self._pad, self._shortest, self._longest = (
            round(each / seconds) for each in (_PAUSE, _PAD, _SHORTEST, _LONGEST)
        )
        self.count = 0
        # Where the last span ended.
        self._free = 0
        # The frames of the span that is open, from its padding on.
        self._span: list[float] = []
        self._voiced = self._last = 0

    @property
    def needed(self) -> int:
        return (
            self.count - len(self._span) if self._span else max(self._free, self.count - self._pad)
        )

    def add(self, probability: float) -> tuple[int, int] | None:
        """Takes the probability of the next frame; returns the span that is known by it, as its
        first frame and the one behind its last, or None."""
        place, self.count = self.count, self.count + 1
        if not self._span:
            if probability < _BEGIN:
                return None
            pad = min(self._pad, place - self._free)
            self._span, self._voiced = [0.0] * pad, 0
        self._span.append(probability)
        if probability >= _GO_ON:
            self._last = place
            self._voiced += 1
        if place - self._last >= self._pause:
            return self._close()
        if len(self._span) >= self._longest:
            return self._cut()
        return None

    def end(self) -> tuple[int, int] | None:
        """Returns the span that is still open at the end, or None."""
        return self._close() if self._span else None

    def _close(self) -> tuple[int, int] | None:
        start = self.count - len(self._span)
        end = min(self._last + 1 + self._pad, self.count)
        long_enough = self._voiced >= self._shortest
        self._span = []
        if not long_enough:
            return None
        self._free = end
        return start, end

    def _cut(self) -> tuple[int, int]:
        start = self.count - len(self._span)
        place = _best_cut(self._span)
        self._span = self._span[place:]
        self._voiced = sum(each >= _GO_ON for each in self._span)
        self._free = start + place
        return start, start + place


def _best_cut(probabilities: list[float]) -> int:
    """Returns the middle of the longest pause in the second half, or its least probable frame."""
    half = len(probabilities) // 2
    best, begin = (0, 0), None
    for place in range(half, len(probabilities) + 1):
        silent = place < len(probabilities) and probabilities[place] < _GO_ON
        if silent and begin is None:
            begin = place
        elif not silent and begin is not None:
            best = max(best, (place - begin, (begin + place) // 2))
            begin = None
    return best[1] if best[0] else half + int(np.argmin(probabilities[half:]))


def _silences(voiced: np.ndarray) -> list[tuple[int, int]]:
    """Returns the first frame and the number of frames of each silence."""
    edges = np.flatnonzero(np.diff(np.pad(~voiced, 1).astype(np.int8)))
    return [(int(start), int(end - start)) for start, end in edges.reshape(-1, 2)]
