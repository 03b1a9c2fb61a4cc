"""A program of the user that recognises speech: WAV on standard input, WebVTT printed."""

import shlex
import subprocess
import tempfile
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from data.errors import UserError
from data.formats.record import TEXT_COLUMN
from data.formats.subtitles import to_seconds
from data.formats.transcripts import read_vtt
from data.messages import printable
from data.transcription.cues import Cue
from data.transcription.decoding import RATE


class Command:
    """Recognises speech by a program, one process for each file."""

    def __init__(self, program: str):
        """Takes a program and its arguments, as a shell would, but without one.

        Raises:
            UserError: quotation marks do not match.
        """
        try:
            self._arguments = shlex.split(program)
        except ValueError as error:
            raise UserError(f"--recognizer command:{program}: {error}. Check the quotes") from None

    def __call__(self, sound: Iterable[np.ndarray]) -> Iterator[Cue]:
        """Yields what the program prints, which has no confidence.

        Args:
            sound: blocks of samples, as `decoding.Sound` yields them.

        Raises:
            UserError: the program fails, or prints something else.
        """
        with tempfile.TemporaryDirectory() as folder:
            heard, printed = Path(folder, "sound.wav"), Path(folder, "printed.vtt")
            _write_wav(heard, sound)
            self._run(heard, printed)
            if not _has_cues(printed):
                if printed.read_bytes().lstrip(b"\xef\xbb\xbf").startswith(b"WEBVTT"):
                    return
                raise UserError(f"the recogniser {self._name()} printed no WebVTT. Try it alone")
            for record in read_vtt(str(printed)):
                start, end = (to_seconds(record.values[name]) for name in ("start", "end"))
                text = record.values[TEXT_COLUMN]
                if record.problem or start is None or end is None:
                    raise UserError(
                        f"the recogniser {self._name()} printed {record.problem or 'no times'}. "
                        "Try it alone"
                    )
                if text:
                    yield Cue(start, end, text)

    def _run(self, heard: Path, printed: Path) -> None:
        try:
            with heard.open("rb") as sound, printed.open("wb") as output:
                ended = subprocess.run(
                    self._arguments, stdin=sound, stdout=output, stderr=subprocess.PIPE, check=False
                )
        except OSError as error:
            raise UserError(
                f"cannot run the recogniser {self._name()}: {error.strerror}. Check --recognizer"
            ) from None
        if ended.returncode:
            lines = ended.stderr.decode("utf-8", "replace").strip().splitlines()
            raise UserError(
                f"the recogniser {self._name()} failed ({ended.returncode}): "
                f"{printable(lines[-1]) if lines else 'it said nothing'}"
            )

    def _name(self) -> str:
        return repr(self._arguments[0])


def _write_wav(path: Path, sound: Iterable[np.ndarray]) -> None:
    """Writes samples as a file, whose header says how long it is, as many programs want it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for block in sound:
            file.writeframes((block * 32_767).astype("<i2").tobytes())


def _has_cues(path: Path) -> bool:
    with path.open("rb") as file:
        return any(b"-->" in line for line in file)
