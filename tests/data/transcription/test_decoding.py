import importlib.util
import wave
from pathlib import Path

import numpy as np
import pytest

from data.errors import UserError
from data.transcription.decoding import BLOCK, RATE, Sound
from tests.data.transcription.conftest import tone


def decode(path, track=1):
    sound = Sound(path, track)
    return sound, np.concatenate(list(sound.blocks()))


def refusal(path, track=1):
    with pytest.raises(UserError) as caught:
        decode(path, track)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "rate", "layout"),
    [
        ("a.wav", 8_000, "mono"),
        ("a.wav", 48_000, "5.1"),
        ("a.mp3", 44_100, "stereo"),
        ("a.flac", 44_100, "stereo"),
        ("a.ogg", 48_000, "mono"),
        ("a.m4a", 44_100, "mono"),
        ("a.mp4", 48_000, "5.1"),
        ("a.mkv", 48_000, "stereo"),
    ],
)
def test_every_format_becomes_sixteen_thousand_samples_a_second(write_sound, name, rate, layout):
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[layout]
    path = write_sound(name, tone(1.5, rate, channels), rate, layout)
    sound, samples = decode(path)
    assert samples.dtype == np.float32
    assert len(samples) / RATE == pytest.approx(1.5, abs=0.1)
    assert sound.position == len(samples) / RATE
    assert not sound.problem
    # The tone is still one of 440 Hz.
    spectrum = np.abs(np.fft.rfft(samples[4000:20_000]))
    assert spectrum.argmax() == 440


def test_blocks_have_one_size_and_the_last_one_the_rest(write_sound):
    path = write_sound("a.wav", tone(25, 8_000), 8_000)
    lengths = [len(block) for block in Sound(path, 1).blocks()]
    assert lengths[:2] == [BLOCK, BLOCK]
    assert sum(lengths) == pytest.approx(25 * RATE, abs=100)


def test_what_a_file_is_its_content_says(write_sound, tmp_path):
    path = Path(write_sound("a.mp3", tone(1)))
    path = path.rename(tmp_path / "b.wav")
    _, samples = decode(str(path))
    assert len(samples) / RATE == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp3", b"This is not a sound.\n" * 100),
        ("empty.wav", b""),
        ("broken.mp4", b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 20),
        # A playlist would open another file.
        ("list.wav", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        ("list.mp3", b"ffconcat version 1.0\nfile other.wav\n"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_line(tmp_path, name, content):
    pytest.importorskip("av")
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(str(path)).startswith(f"cannot read {path} as sound or video: ")


def test_a_sound_of_no_length_is_refused(tmp_path):
    pytest.importorskip("av")
    path = str(tmp_path / "a.wav")
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
    assert refusal(path) == f"{path} has no sound: it is 0 s long"


def test_a_video_without_sound_is_refused(tmp_path):
    av = pytest.importorskip("av")
    path = str(tmp_path / "silent.mp4")
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert refusal(path) == f"{path} has no sound. Check the file"


def test_a_track_that_is_not_there_is_refused(write_sound):
    path = write_sound("a.wav", tone(1))
    assert refusal(path, 2) == f"{path} has 1 audio track(s). Received: --audio-track 2"


def test_a_file_that_breaks_off_gives_what_it_has_and_says_where(write_sound):
    # The table of an mp4 stands at its end, unless it is told otherwise.
    path = Path(write_sound("a.mp4", tone(10), movflags="faststart"))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    sound, samples = decode(str(path))
    assert 4 < len(samples) / RATE < 8
    assert "breaks off" in sound.problem
    assert str(path) in sound.problem


def test_a_video_whose_table_is_cut_off_is_refused(write_sound):
    path = Path(write_sound("a.mp4", tone(3)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    assert refusal(str(path)).startswith(f"cannot read {path}")


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_sound_that_is_cut_off_says_where(write_sound, name):
    path = Path(write_sound(name, tone(10)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    sound, samples = decode(str(path))
    assert 3 < len(samples) / RATE < 7
    assert "breaks off" in sound.problem


def test_a_sound_from_a_pipe_whose_length_is_unknown_is_whole(write_sound):
    path = Path(write_sound("a.wav", tone(1)))
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\xff" * 4 + content[8:])
    sound, _ = decode(str(path))
    assert not sound.problem


def test_damage_in_the_middle_loses_nothing_behind_it(write_sound):
    path = Path(write_sound("a.flac", tone(10)))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = b"\x5a" * 400
    path.write_bytes(content)
    _, samples = decode(str(path))
    assert len(samples) / RATE == pytest.approx(10, abs=0.5)


def test_a_pause_between_time_stamps_is_silence(tmp_path):
    av = pytest.importorskip("av")
    path = str(tmp_path / "a.mkv")
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000)
        stream.layout = "mono"
        for start in (0, 3):
            frame = av.AudioFrame.from_ndarray(tone(1), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start * 16_000
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    _, samples = decode(path)
    assert len(samples) / RATE == pytest.approx(4, abs=0.1)
    assert np.abs(samples[round(1.2 * RATE) : round(2.8 * RATE)]).max() == 0
    assert np.abs(samples[round(3.2 * RATE) :]).max() > 0.2


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert refusal("talk.mp3") == (
        "recordings need the package av. Install it with: pip install '.[audio]'"
    )
