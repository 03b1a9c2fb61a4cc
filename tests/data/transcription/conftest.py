"""Sounds that the tests make: tones, and files that PyAV encodes."""

from pathlib import Path

import numpy as np
import pytest


def tone(seconds, rate=16_000, channels=1):
    """A quiet tone of 440 Hz, of shape [channels, samples]."""
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    return np.tile(wave.astype(np.float32), (channels, 1))


@pytest.fixture
def write_sound(tmp_path):
    """Returns a function that encodes samples in a file, and returns its path."""
    av = pytest.importorskip("av")

    def write(name, samples, rate=16_000, layout="mono", codec=None, form=None, **options):
        codecs = {".wav": "pcm_s16le", ".mp3": "libmp3lame", ".flac": "flac", ".ogg": "libopus"}
        path = Path(tmp_path, name)
        with av.open(str(path), "w", format=form, options=options) as container:
            stream = container.add_stream(codec or codecs.get(path.suffix, "aac"), rate=rate)
            stream.layout = layout
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return str(path)

    return write
