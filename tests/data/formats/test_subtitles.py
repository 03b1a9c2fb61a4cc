"""Subtitles hold the times and captions of rows, and a caption stays text."""

import pytest

from data.errors import UserError
from data.formats.readers import read_records
from data.formats.subtitles import SUBTITLES, format_time, subtitle_writer, to_seconds
from data.formats.suffixes import SUBTITLE_SUFFIXES

ROWS = [
    {"start": "0:01", "end": "0:02.5", "text": "Fish & chips", "mark": "<i>food</i>"},
    {"start": "01:00:00,250", "end": "1:00:01:500", "text": "--> no", "mark": "{\\an8}"},
]
EVIL = [
    "a <b>bold</b> move",
    "4 < 5",
    "{\\an8} up",
    "1:00 -> 2:00",
    "one\n\n2\n00:09 --> 00:10\ntwo",
]
# SubRip has no sign for an arrow within a text.
READ = {".vtt": ["->", "-->"], ".srt": ["→", "→"]}


def write(path, rows, caption):
    with subtitle_writer(str(path), "text", caption) as write_row:
        for row in rows:
            write_row(row)
    return path.read_text(encoding="utf-8")


def mark(text, row):
    return f"[{row['mark']}] {text}"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("0:01", 1),
        ("01:02.5", 62.5),
        ("00:00:01,050", 1.05),
        ("100 : 00 : 00", 360_000),
        ("0:01:500", 1.5),
        ("", None),
        (None, None),
        ("soon", None),
        ("1", None),
        ("1:2:3:4", None),
    ],
)
def test_the_times_of_transcripts_are_seconds(time, seconds):
    assert to_seconds(time) == seconds


@pytest.mark.parametrize(
    ("seconds", "time"),
    [
        (0, "00:00:00.000"),
        (59.9996, "00:01:00.000"),
        (3661.5, "01:01:01.500"),
        (4e5, "111:06:40.000"),
    ],
)
def test_seconds_are_times_that_round_to_thousandths(seconds, time):
    assert format_time(seconds) == time


def test_cues_of_webvtt_are_numbered_and_escaped(tmp_path):
    assert write(tmp_path / "a.vtt", ROWS, mark) == (
        "WEBVTT\n\n"
        "1\n00:00:01.000 --> 00:00:02.500\n[&lt;i&gt;food&lt;/i&gt;] Fish &amp; chips\n\n"
        "2\n01:00:00.250 --> 01:00:01.500\n[{\u2060\\an8}] --&gt; no\n\n"
    )


def test_cues_of_subrip_have_commas_and_parted_signs(tmp_path):
    assert write(tmp_path / "a.SRT", ROWS, mark) == (
        "1\n00:00:01,000 --> 00:00:02,500\n[<\u2060i>food<\u2060/i>] Fish & chips\n\n"
        "2\n01:00:00,250 --> 01:00:01,500\n[{\u2060\\an8}] → no\n\n"
    )


@pytest.mark.parametrize("suffix", SUBTITLE_SUFFIXES)
def test_what_is_written_is_read_again(tmp_path, suffix):
    rows = [{"start": f"0:0{i}", "end": f"0:0{i + 1}", "text": text} for i, text in enumerate(EVIL)]
    write(tmp_path / f"a{suffix}", rows, lambda text, row: text)
    read = [record.values for record in read_records(str(tmp_path / f"a{suffix}"))]
    assert [to_seconds(row["start"]) for row in read] == [0, 1, 2, 3, 4]
    short, long = READ[suffix]
    assert [row["text"].replace("\u2060", "") for row in read] == [
        *EVIL[:3],
        f"1:00 {short} 2:00",
        f"one 2 00:09 {long} 00:10 two",
    ]


def test_a_row_without_text_or_times_is_no_cue_and_lost_bytes_are_marked(tmp_path):
    rows = [
        {"start": "0:01", "end": "0:02", "text": " "},
        {"start": "", "end": "", "text": "when?"},
        {"start": "0:03", "end": "0:04", "text": b"caf\xe9".decode("utf-8", "surrogateescape")},
    ]
    written = write(tmp_path / "a.vtt", rows, lambda text, row: text)
    assert written == "WEBVTT\n\n1\n00:00:03.000 --> 00:00:04.000\ncaf\ufffd\n\n"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    def fail(text, row):
        raise UserError("stop")

    with pytest.raises(UserError, match="stop"):
        write(tmp_path / "a.vtt", ROWS, fail)
    assert list(tmp_path.iterdir()) == []


def test_the_formats_are_those_that_the_command_line_names():
    assert tuple(SUBTITLES) == SUBTITLE_SUFFIXES
