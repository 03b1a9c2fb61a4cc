"""How the speech of recordings becomes rows, and which files are recordings.

The command line shows these names in its help, for which nothing that decodes has to be imported.
"""

import math
from dataclasses import dataclass

from data.errors import UserError, did_you_mean

# Sound and video, by the suffix of the name. What a file is, its content says.
RECORDINGS = (
    *(".wav", ".mp3", ".m4a", ".aac", ".ogg", ".oga", ".opus", ".flac"),
    *(".mp4", ".m4v", ".mov", ".mkv", ".mka", ".webm", ".avi"),
)
# The recogniser that is the best of those that are installed.
AUTO = "auto"
RECOGNIZERS = (AUTO, "whisper", "sphinx")
# What begins a recogniser that is a program.
COMMAND = "command:"
# What is one row, unless it is a number of seconds.
SENTENCE, CUE = "sentence", "cue"


@dataclass(frozen=True)
class Transcription:
    """How the speech of a recording becomes rows.

    Attributes:
        recognizer: one of `RECOGNIZERS`, or `command:` and a program that reads a WAV file (16 kHz,
            mono) from standard input and prints WebVTT.
        recognizer_model: a folder with the model of the recogniser; empty for the one of a package.
        segment: what is one row: `sentence`, `cue`, or at most so many seconds.
        audio_track: the number of the audio track, from 1.
        transcribe: whether speech is recognised even where a video has subtitles.
        transcript: a .vtt file that keeps what was understood; empty for none.
        hot_words: words that the recogniser shall expect, such as names.

    Raises:
        UserError: one of them is not possible.
    """

    recognizer: str = AUTO
    recognizer_model: str = ""
    segment: str = SENTENCE
    audio_track: int = 1
    transcribe: bool = False
    transcript: str = ""
    hot_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.recognizer not in RECOGNIZERS and not self.program():
            meant = did_you_mean(self.recognizer, RECOGNIZERS)
            raise UserError(
                f"unknown recogniser {self.recognizer!r}. Pass --recognizer "
                f"{', '.join(RECOGNIZERS)} or {COMMAND}CMD{meant}"
            )
        self.most_seconds()
        if self.audio_track < 1:
            raise UserError(f"--audio-track counts from 1. Received: {self.audio_track}")
        if self.transcript and not self.transcript.lower().endswith(".vtt"):
            raise UserError(f"--transcript writes FILE.vtt. Received: {self.transcript}")

    def program(self) -> str:
        """Returns the program that recognises, or the empty text if a package does."""
        found = self.recognizer.startswith(COMMAND)
        return self.recognizer.removeprefix(COMMAND).strip() if found else ""

    def most_seconds(self) -> float | None:
        """Returns how long a row is at most, None if `segment` names no number.

        Raises:
            UserError: it is neither a name nor a positive number.
        """
        if self.segment in (SENTENCE, CUE):
            return None
        try:
            seconds = float(self.segment)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            raise UserError(
                f"--segment is {SENTENCE}, {CUE} or a number of seconds. Received: {self.segment!r}"
                f"{did_you_mean(self.segment, (SENTENCE, CUE))}"
            )
        return seconds
