"""How `predict` understands the speech of recordings, for every application."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

from apps.config.options import Options, option
from data.errors import UserError
from data.transcription.options import RECORDINGS, Transcription

# Each default is that of the package that recognises.
_DEFAULT = Transcription()


@dataclass(frozen=True)
class RecordingOptions(Options):
    """How the speech of a recording becomes texts; see `data.transcription`."""

    title: ClassVar[str] = "recordings"

    recognizer: str = option(
        _DEFAULT.recognizer,
        "what recognises speech: whisper, sphinx, command:CMD (16 kHz WAV in, WebVTT out), or auto",
    )
    recognizer_model: str = option(
        _DEFAULT.recognizer_model,
        "folder of the recogniser's model (default: the one of a package that is installed)",
    )
    segment: str = option(
        _DEFAULT.segment, "what is one row: sentence, cue, or at most so many seconds"
    )
    audio_track: int = option(
        _DEFAULT.audio_track, "number of the audio track that is heard", at_least=1
    )
    transcribe: bool = option(
        _DEFAULT.transcribe, "recognition of speech even where a video has subtitles"
    )
    transcript: str = option(
        _DEFAULT.transcript, "file .vtt that keeps what was understood, for further applications"
    )
    hot_words: tuple[str, ...] = option(
        _DEFAULT.hot_words, "words that the recogniser shall expect, such as names"
    )

    def transcription(self) -> Transcription:
        """Returns the options as the package that recognises takes them.

        Raises:
            UserError: one of them is none that it knows.
        """
        return Transcription(**{each.name: getattr(self, each.name) for each in fields(_DEFAULT)})

    def check_recordings(self, sources: Iterable[str]) -> None:
        """Refuses options of recordings that do not fit, before anything slow happens.

        Args:
            sources: the files that are answered.

        Raises:
            UserError: none of them is a recording, or an option is wrong.
        """
        chosen = self.transcription()
        given = [each.name for each in fields(chosen) if getattr(chosen, each.name) != each.default]
        if given and not any(map(is_recording, sources)):
            raise UserError(
                f"--{given[0].replace('_', '-')} is for recordings ({', '.join(RECORDINGS)}), and "
                "the input is none. Leave it out"
            )


def is_recording(source: str) -> bool:
    """Returns whether a file is one of sound or video, by its name."""
    return Path(source).suffix.lower() in RECORDINGS


def refuse_recording(source: str) -> None:
    """Refuses a recording where a file of texts is needed.

    Raises:
        UserError: it is one.
    """
    if is_recording(source):
        transcript = Path(source).with_suffix(".vtt").name
        raise UserError(
            f"{source} is a recording, and only predict listens to one. Transcribe it first: "
            f"predict --input {source} --transcript {transcript} --output answers.csv"
        )
