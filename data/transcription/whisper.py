"""Whisper (Radford et al. 2022), run by CTranslate2 in 8-bit integers on the CPU."""

import math
import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from data.transcription.cues import Cue, Word
from data.transcription.model_packages import Model
from data.transcription.silero import SileroDetector
from data.transcription.voice import cut_speech

_BEAM = 5


class Whisper:
    """Recognises speech by a model of Whisper."""

    def __init__(self, model: Model, hot_words: tuple[str, ...]):
        """Loads a model.

        Args:
            model: where it lies, in the format of CTranslate2.
            hot_words: words that the model shall expect.

        Raises:
            UserError: it is not whole, or not the one that was tried.
        """
        import ctranslate2
        import faster_whisper

        name, files = model.load()
        self._model = faster_whisper.WhisperModel(
            name,
            device="cpu",
            compute_type="int8",
            cpu_threads=len(os.sched_getaffinity(0)),
            local_files_only=True,
            files=files,
        )
        self._hot_words = ", ".join(hot_words) or None
        self._set_seed = ctranslate2.set_random_seed

    def __call__(self, sound: Iterable[np.ndarray]) -> Iterator[Cue]:
        """Yields what is said; a model of many languages takes the first one that it hears.

        Args:
            sound: blocks of samples, as `decoding.Sound` yields them.
        """
        # What is hard to understand is drawn at random, the same each time.
        self._set_seed(1)
        language = None if self._model.model.is_multilingual else "en"
        for speech in cut_speech(sound, SileroDetector()):
            segments, heard = self._model.transcribe(
                speech.samples,
                language=language,
                beam_size=_BEAM,
                condition_on_previous_text=False,
                word_timestamps=True,
                hotwords=self._hot_words,
            )
            language = heard.language
            found = [(segment, _join_pieces(segment)) for segment in segments]
            places = speech.fit([place for _, words in found for place, _ in words])
            for segment, words in found:
                own, places = places[: len(words)], places[len(words) :]
                cue = _to_cue(segment, speech.start, own, [text for _, text in words])
                if cue.text:
                    yield cue


def _join_pieces(segment: Any) -> list[tuple[tuple[float, float], str]]:
    """Returns the words of a segment, each with its start and end, in seconds of the stretch."""
    words: list[tuple[tuple[float, float], str]] = []
    for piece in segment.words or ():
        text = piece.word.strip()
        # Only what begins with a blank is a new word.
        if words and not piece.word.startswith(" "):
            (start, _), begun = words[-1]
            words[-1] = (start, piece.end), begun + text
        elif text:
            words.append(((piece.start, piece.end), text))
    return words


def _to_cue(
    segment: Any, offset: float, places: list[tuple[float, float]], texts: list[str]
) -> Cue:
    words = [
        Word(offset + start, offset + end, text)
        for (start, end), text in zip(places, texts, strict=True)
    ]
    return Cue(
        words[0].start if words else offset + segment.start,
        words[-1].end if words else offset + segment.end,
        " ".join(segment.text.split()),
        min(1.0, math.exp(segment.avg_logprob)),
        segment.no_speech_prob,
        tuple(words),
    )
