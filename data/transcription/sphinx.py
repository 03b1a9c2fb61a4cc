"""PocketSphinx, which carries an English model: small and fast, and often wrong."""

import importlib.util
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from data.errors import UserError
from data.transcription.cues import Cue, Word
from data.transcription.decoding import RATE
from data.transcription.voice import Detector, cut_speech

# Frames a second of the words' times.
_FRAMES = 100
# So much silence ends a cue.
_PAUSE = 0.5
# Silence and noise, and the number of a pronunciation.
_NO_WORD, _VARIANT = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+"), re.compile(r"\(\d+\)$")
# What a folder of a model holds, and the option that takes it.
_PARTS = {"hmm": "*/mdef", "lm": "*.lm.bin", "dict": "*.dict"}


class Sphinx:
    """Recognises speech by PocketSphinx: words without case and punctuation."""

    def __init__(self, model: str):
        """Loads a model.

        Args:
            model: a folder with an acoustic model (a folder with `mdef`), a language model
                (.lm.bin) and a dictionary (.dict); empty for the one in the package.

        Raises:
            UserError: the folder does not hold these.
        """
        import pocketsphinx

        self._decoder = pocketsphinx.Decoder(
            samprate=RATE, loglevel="FATAL", **(_find_parts(Path(model)) if model else {})
        )

    def __call__(self, sound: Iterable[np.ndarray]) -> Iterator[Cue]:
        """Yields what is said, cut where somebody pauses.

        Args:
            sound: blocks of samples, as `decoding.Sound` yields them.
        """
        for speech in cut_speech(sound, _detector()):
            self._decoder.start_utt()
            self._decoder.process_raw(_to_bytes(speech.samples), full_utt=True)
            self._decoder.end_utt()
            yield from self._read_cues(speech.start)

    def _read_cues(self, start: float) -> Iterator[Cue]:
        words: list[Word] = []
        for piece in self._decoder.seg() or ():
            if _NO_WORD.fullmatch(piece.word):
                continue
            begin, end = (
                start + piece.start_frame / _FRAMES,
                start + (piece.end_frame + 1) / _FRAMES,
            )
            if words and begin - words[-1].end >= _PAUSE:
                yield _to_cue(words)
                words = []
            words.append(Word(begin, end, _VARIANT.sub("", piece.word)))
        if words:
            yield _to_cue(words)


class _WebRtcDetector:
    """The detector of voices that PocketSphinx carries; it takes music for voices."""

    frame = 320

    def __init__(self) -> None:
        import pocketsphinx

        self._vad = pocketsphinx.Vad(
            mode=pocketsphinx.Vad.STRICT, sample_rate=RATE, frame_length=self.frame / RATE
        )

    def __call__(self, block: np.ndarray) -> np.ndarray:
        samples = _to_bytes(block)
        size = 2 * self.frame
        return np.array(
            [
                self._vad.is_speech(samples[place : place + size])
                for place in range(0, len(samples), size)
            ],
            float,
        )


def _detector() -> Detector:
    """Returns the better detector, if it is there."""
    if importlib.util.find_spec("faster_whisper"):
        from data.transcription.silero import SileroDetector

        return SileroDetector()
    return _WebRtcDetector()


def _to_cue(words: list[Word]) -> Cue:
    # Its probabilities of words are 1, of wrong ones, too: no confidence.
    text = " ".join(word.text for word in words)
    return Cue(words[0].start, words[-1].end, text, words=tuple(words))


def _to_bytes(samples: np.ndarray) -> bytes:
    return (samples * 32_767).astype("<i2").tobytes()


def _find_parts(folder: Path) -> dict[str, str]:
    found = {name: next(folder.glob(pattern), None) for name, pattern in _PARTS.items()}
    missing = [_PARTS[name] for name, path in found.items() if path is None]
    if missing:
        raise UserError(
            f"{folder} is no model of PocketSphinx: it has no {', '.join(missing)}. Check "
            "--recognizer-model"
        )
    paths = {name: path for name, path in found.items() if path is not None}
    return {n: str(path.parent if n == "hmm" else path) for n, path in paths.items()}
