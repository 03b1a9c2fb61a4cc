"""Subtitles that a video carries, which need no recognition."""

from collections.abc import Iterator
from typing import Any

from data.formats.transcripts import join_text
from data.text.characters import unescape
from data.transcription.cues import Cue
from data.transcription.decoding import open_recording

# Subtitles that are texts; others are pictures.
_TEXTS = {"subrip", "srt", "webvtt", "mov_text", "ass", "ssa", "text"}
# The columns of a line of an ASS file before its text.
_COLUMNS = 8


class EmbeddedSubtitles:
    """The first track of a video with subtitles that are texts.

    Attributes:
        position: the end of the last cue, in seconds.
        problem: where the file breaks, once it is read; empty if it is whole.
    """

    def __init__(self, path: str, track: int):
        """Takes a track.

        Args:
            path: the file.
            track: the place of the track among those of subtitles, from 0.
        """
        self.path, self.track = path, track
        self.position, self.problem = 0.0, ""

    @classmethod
    def find(cls, path: str) -> "EmbeddedSubtitles | None":
        """Returns the subtitles of a file, None if it has none.

        Raises:
            UserError: the file cannot be read.
        """
        with open_recording(path) as container:
            for track, stream in enumerate(container.streams.subtitles):
                if stream.codec_context is not None and stream.codec_context.name in _TEXTS:
                    return cls(path, track)
        return None

    def cues(self) -> Iterator[Cue]:
        """Yields the cues, without tags of display."""
        import av

        with open_recording(self.path) as container:
            stream = container.streams.subtitles[self.track]
            begin = (container.start_time or 0) / av.time_base
            try:
                for packet in container.demux(stream):
                    if packet.pts is None or packet.time_base is None:
                        continue
                    start = max(0.0, float(packet.pts * packet.time_base) - begin)
                    end = start + float((packet.duration or 0) * packet.time_base)
                    text = " ".join(filter(None, map(_read_text, packet.decode())))
                    if text:
                        self.position = max(self.position, end)
                        yield Cue(start, end, text)
            except (av.FFmpegError, ValueError) as error:
                self.problem = f"{self.path} breaks off: {error}"


def _read_text(subtitle: Any) -> str:
    line = getattr(subtitle, "ass", b"").decode("utf-8", "replace")
    text = line.split(",", _COLUMNS)[-1].replace("\\N", "\n").replace("\\n", "\n")
    return join_text(text.replace("\\h", " ").splitlines(), unescape)
