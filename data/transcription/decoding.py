"""The sound of recordings: 16,000 samples a second, streamed, whatever FFmpeg has to decode.

PyAV carries FFmpeg in its wheel. The formats and protocols are limited: a playlist that is named
`talk.wav` would open other files, and addresses.
"""

import importlib.util
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import UserError
from data.formats.subtitles import format_time

if TYPE_CHECKING:
    import av

# Samples a second, as recognisers take them.
RATE = 16_000
# Samples of a block: 10.24 s, whole frames of 160, 320 and 512 samples.
BLOCK = 163_840
_LIMITS = {
    "protocol_whitelist": "file",
    "format_whitelist": "wav,mp3,aac,mov,matroska,webm,ogg,flac,avi",
}
# Others estimate how long they are.
_DECLARE_DURATION = {"flac", "mov", "matroska"}
# Programs that write into a pipe declare this size of a WAV file, or more.
_UNKNOWN = 0x7FFF_0000
# Encoders pad the end of a file, and decoders the beginning, by less.
_TOLERANCE, _GAP = 0.5, 0.1
# No recording pauses for longer; such a time stamp is damaged.
_LONGEST_GAP = 3600.0


@contextmanager
def open_recording(path: str) -> Iterator["av.container.InputContainer"]:
    """Yields a file of sound or video, opened by FFmpeg.

    Raises:
        UserError: PyAV is not installed, or the file is none of the formats that are read.
    """
    if importlib.util.find_spec("av") is None:
        raise UserError("recordings need the package av. Install it with: pip install '.[audio]'")
    import av

    try:
        container = av.open(f"file:{path}", options=dict(_LIMITS), metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise UserError(
            f"cannot read {path} as sound or video: {_reason(error)}. Check that it is whole, and "
            "what its name says"
        ) from None
    with container:
        yield container


class Sound:
    """The sound of one audio track of a file.

    Attributes:
        path: the file.
        position: how many seconds are decoded.
        problem: where the file breaks, once it is decoded; empty if it is whole.
    """

    def __init__(self, path: str, track: int):
        """Looks at a file.

        Args:
            path: the file.
            track: the number of the audio track, from 1.

        Raises:
            UserError: it cannot be read, or has no such track.
        """
        self.path, self.track = path, track
        self.position, self.problem = 0.0, ""
        with open_recording(path) as container:
            count = len(container.streams.audio)
        if not count:
            raise UserError(f"{path} has no sound. Check the file")
        if track > count:
            raise UserError(f"{path} has {count} audio track(s). Received: --audio-track {track}")

    def blocks(self) -> Iterator[np.ndarray]:
        """Yields the samples from the beginning of the file on, pauses between time stamps as
        silence: float arrays from -1 to 1 of shape [`BLOCK`], the last one shorter.

        Raises:
            UserError: nothing can be decoded.
        """
        samples = 0
        for block in _regroup(self._arrays()):
            samples += len(block)
            self.position = samples / RATE
            yield block
        if not samples:
            raise UserError(f"{self.path} has no sound: {self.problem or 'it is 0 s long'}")

    def _arrays(self) -> Iterator[np.ndarray]:
        """Yields the samples as they come, and finds out whether the file is whole."""
        import av

        with open_recording(self.path) as container:
            stream = container.streams.audio[self.track - 1]
            begin = (container.start_time or 0) / av.time_base
            declared = _declared_seconds(container, stream)
            resampling, samples = _Resampling(), 0
            for packet in self._packets(container, stream):
                try:
                    frames = packet.decode()
                except (av.FFmpegError, ValueError) as error:
                    self._note(samples / RATE, f"cannot be decoded ({_reason(error)})")
                    continue
                for frame in frames:
                    # What the resampler still holds is less than the tolerance.
                    gap = 0.0 if frame.time is None else frame.time - begin - samples / RATE
                    if gap > _LONGEST_GAP:
                        self._note(samples / RATE, f"jumps by {gap:,.0f} s")
                        return
                    if gap > _GAP:
                        for silence in _silence(round(gap * RATE)):
                            samples += len(silence)
                            yield silence
                    for array in resampling.resample(frame):
                        samples += len(array)
                        yield array
            for array in resampling.resample(None):
                samples += len(array)
                yield array
            if declared and samples / RATE < declared - _TOLERANCE:
                self.problem = ""
                self._note(samples / RATE, f"breaks off, of {format_time(declared)},")
            elif _is_cut(self.path):
                self.problem = ""
                self._note(samples / RATE, "breaks off")

    def _packets(self, container: Any, stream: Any) -> Iterator["av.Packet"]:
        import av

        try:
            yield from container.demux(stream)
        except (av.FFmpegError, ValueError) as error:
            self._note(self.position, f"breaks off ({_reason(error)})")

    def _note(self, seconds: float, what: str) -> None:
        """Keeps the first thing that is wrong with the file."""
        self.problem = self.problem or f"{self.path} {what} at {format_time(seconds)}"


class _Resampling:
    """Resamples frames whose format may change in the middle of a file."""

    def __init__(self) -> None:
        self.resampler: Any = None
        self.form: tuple | None = None

    def resample(self, frame: "av.AudioFrame | None") -> Iterator[np.ndarray]:
        """Yields arrays of shape [samples]; None for what is left at the end."""
        import av

        form = frame and (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self.form and self.resampler is not None:
            yield from map(_samples, self.resampler.resample(None))
            self.resampler = None
        self.form = form
        if frame is None:
            return
        if self.resampler is None:
            self.resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        # Time stamps are minded above; damaged ones would stop the resampler.
        frame.pts = None
        yield from map(_samples, self.resampler.resample(frame))


def _samples(frame: Any) -> np.ndarray:
    return np.nan_to_num(frame.to_ndarray()[0], nan=0.0, posinf=1.0, neginf=-1.0).clip(-1, 1)


def _silence(samples: int) -> Iterator[np.ndarray]:
    for start in range(0, samples, BLOCK):
        yield np.zeros(min(BLOCK, samples - start), np.float32)


def _regroup(arrays: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yields the samples of arrays in blocks of `BLOCK`, the last one shorter."""
    waiting: list[np.ndarray] = []
    size = 0
    for array in arrays:
        waiting.append(array)
        size += len(array)
        if size >= BLOCK:
            joined = np.concatenate(waiting)
            whole = size - size % BLOCK
            yield from np.split(joined[:whole], whole // BLOCK)
            waiting, size = [joined[whole:]], size - whole
    if size:
        yield np.concatenate(waiting)


def _declared_seconds(container: Any, stream: Any) -> float | None:
    """Returns how long a file says that its track is, if its format says that."""
    import av

    if not _DECLARE_DURATION & set(container.format.name.split(",")):
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # Other tracks of a video may be longer.
    if container.duration is None or container.streams.video:
        return None
    return container.duration / av.time_base


def _is_cut(path: str) -> bool:
    """Returns whether a WAV file or an AVI is shorter than its header says; FFmpeg believes the
    length of the file."""
    with open(path, "rb") as file:
        head = file.read(8)
        size = file.seek(0, os.SEEK_END)
    declared = int.from_bytes(head[4:], "little")
    return head[:4] == b"RIFF" and declared < _UNKNOWN and size < declared + 8


def _reason(error: Exception) -> str:
    """Returns why FFmpeg refuses, without its number and the path."""
    return getattr(error, "strerror", None) or str(error).splitlines()[0]
