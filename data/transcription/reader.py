"""Rows of recordings: what is said, sentence by sentence, with its place in the file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from data.formats.record import TEXT_COLUMN, Record
from data.formats.subtitles import format_time, subtitle_writer
from data.messages import warn
from data.transcription.cues import Cue, join_cues
from data.transcription.decoding import Sound
from data.transcription.embedded import EmbeddedSubtitles
from data.transcription.options import Transcription
from data.transcription.recognizers import load_recognizer

# How sure the recogniser is, from 0 to 1; empty if it does not tell.
CONFIDENCE_COLUMN = "recognition_confidence"


def read_recording(path: str, transcription: Transcription) -> Iterator[Record]:
    """Streams what is said in a file of sound or video, a row for each sentence.

    The columns are `start`, `end`, `text` and `recognition_confidence`. A video with subtitles is
    not listened to unless it shall be: the subtitles are the texts. What the recogniser has
    probably invented has a problem. A file that breaks off has a last row with a problem.

    Args:
        path: the file.
        transcription: how speech becomes rows.

    Raises:
        UserError: the file cannot be read or has no sound, or something that has to be installed
            is missing.
    """
    source, cues = _listen(path, transcription)
    number = 0
    with _transcript(transcription.transcript) as keep:
        for number, cue in enumerate(join_cues(cues, transcription), 1):
            record = _to_record(number, cue)
            if not record.problem:
                keep(record.values)
            yield record
        if source.problem:
            end = Cue(source.position, source.position, "")
            yield _to_record(number + 1, end)._replace(problem=source.problem)
        elif not number:
            warn(f"{path}: nothing is said in {source.position:.1f} s")


def _listen(
    path: str, transcription: Transcription
) -> tuple[EmbeddedSubtitles | Sound, Iterator[Cue]]:
    """Returns what is read of a file, and what is said in it."""
    subtitles = None if transcription.transcribe else EmbeddedSubtitles.find(path)
    if subtitles is not None:
        # Standard output may be where the answers go.
        warn(f"{path}: its subtitles are read. --transcribe recognises what is said instead")
        return subtitles, subtitles.cues()
    sound = Sound(path, transcription.audio_track)
    return sound, load_recognizer(transcription)(sound.blocks())


def _to_record(number: int, cue: Cue) -> Record:
    values = {
        "start": format_time(cue.start),
        "end": format_time(cue.end),
        TEXT_COLUMN: cue.text,
        CONFIDENCE_COLUMN: None if cue.confidence is None else round(cue.confidence, 3),
    }
    problem = f"probably nothing was said (no speech: {cue.no_speech:.2f})"
    return Record(number, values, problem if cue.is_invented else "")


@contextmanager
def _transcript(path: str) -> Iterator[Callable[[dict[str, Any]], object]]:
    """Yields what keeps a row in a transcript, which appears when the recording is read."""
    if not path:
        yield lambda values: None
        return
    with subtitle_writer(path, TEXT_COLUMN, lambda text, _: text) as write:
        yield write
