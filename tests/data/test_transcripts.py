import pytest

from data.errors import UserError
from data.record import Record
from data.records import read_records

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> there,
{\\an8}old <font color="#ffffff">friend</font>.

2
00:01:02,000 --> 00:01:03,000 X1:40 X2:600
5 < 6 &amp; I <3 you
"""
VTT = """WEBVTT - A talk
Kind: captions

STYLE
::cue { color: white }

NOTE
not said

intro
01:02.500 --> 01:04.000 align:start position:0%
<v.loud Anna Smith>Salt &amp; <c.red>pepper</c>?</v>

01:00:00.000 --> 01:00:01.000
<v Bob>No</v> <v Eve>Yes,<00:00:01.000> yes</v>

NOTE hidden

REGION
id:one

00:03.000 --> 00:04.000
nobody
"""


def cues(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return list(read_records(str(path)))


SRT_ROWS = [
    Record(1, {"start": "00:00:01,000", "end": "00:00:02,500", "text": "Hello there, old friend."}),
    Record(2, {"start": "00:01:02,000", "end": "00:01:03,000", "text": "5 < 6 &amp; I <3 you"}),
]


def test_cues_of_subrip_are_rows_without_tags(tmp_path):
    assert cues(tmp_path, "a.srt", SRT) == SRT_ROWS


def test_cues_of_webvtt_have_their_speakers_and_nothing_else_is_a_row(tmp_path):
    columns = ("start", "end", "text", "speaker")
    rows = [
        ("01:02.500", "01:04.000", "Salt & pepper?", "Anna Smith"),
        ("01:00:00.000", "01:00:01.000", "No Yes, yes", "Bob, Eve"),
        ("00:03.000", "00:04.000", "nobody", ""),
    ]
    expected = [Record(i, dict(zip(columns, row, strict=True))) for i, row in enumerate(rows, 1)]
    assert cues(tmp_path, "a.VTT", VTT) == expected


def test_without_voice_tags_there_is_no_speaker(tmp_path):
    content = "WEBVTT\n\n00:03.000 --> 00:04.000\nnobody\n"
    (row,) = cues(tmp_path, "a.vtt", content)
    assert list(row.values) == ["start", "end", "text"]


@pytest.mark.parametrize("content", [SRT, SRT.strip(), "\n \n" + SRT + "\n\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path, content, line_end, mark):
    assert cues(tmp_path, "a.srt", mark + content.replace("\n", line_end)) == SRT_ROWS


def test_a_byte_order_mark_before_the_header_does_not_matter(tmp_path):
    assert cues(tmp_path, "a.vtt", "\ufeff" + VTT) == cues(tmp_path, "b.vtt", VTT)


def test_a_missing_blank_line_or_number_does_not_join_cues(tmp_path):
    cue = "00:00:0{}.000 --> 00:00:09.000\ntext {}\n"
    content = "WEBVTT\n" + cue.format(1, "a") + "2\n" + cue.format(2, "b") + cue.format(3, "c")
    rows = cues(tmp_path, "a.vtt", content)
    assert [(row.values["text"], row.problem) for row in rows] == [
        ("text a", ""),
        ("text b", ""),
        ("text c", ""),
    ]


GOOD = "00:00:01,000 --> 00:00:02,000\nham\n\n"


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ("2\n00:00:03,000 -> 00:00:04,000\neggs", "a cue without a time line: '2'"),
        ("2\neggs", "a cue without a time line: '2'"),
        ("eggs", "a cue without a time line: 'eggs'"),
        ("2\n00:00:03 --> 00:00:04\neggs", "a broken time line: '00:00:03 --> 00:00:04'"),
        ("00:00:03,000 -->\neggs", "a broken time line: '00:00:03,000 -->'"),
        ("00:00:73,000 --> 00:00:74,000\neggs", "a broken time line: '00:00:73,000 -->"),
        ("00:00:03,000 --> 00:00:04,0000\neggs", "a broken time line: "),
        ("--> \x1b[31m\neggs", "a broken time line: '--> \\x1b[31m'"),
    ],
)
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_a_broken_cue_is_a_row_with_a_problem_and_those_around_it_are_read(
    tmp_path, suffix, broken, problem
):
    first, row, last = cues(tmp_path, f"a{suffix}", f"1\n{GOOD}{broken}\n\n3\n{GOOD}")
    assert row.number == 2
    assert row.problem.startswith(problem)
    assert row.values["text"].endswith("eggs")
    assert (row.values["start"], row.values["end"]) == ("", "")
    assert first.values == last.values
    assert (first.problem, last.number) == ("", 3)


def test_text_after_a_blank_line_is_told_and_not_lost(tmp_path):
    _, row, _ = cues(tmp_path, "a.srt", f"1\n{GOOD}<b>more</b>\nham\n\n2\n{GOOD}")
    assert (row.values["text"], row.problem[:27]) == ("more ham", "a cue without a time line: ")


def test_a_cue_without_words_keeps_its_place(tmp_path):
    empty = "00:00:03,000 --> 00:00:04,000\n\n"
    rows = cues(tmp_path, "a.srt", f"1\n{GOOD}2\n{empty}3\n{GOOD}")
    assert [row.values["text"] for row in rows] == ["ham", "", "ham"]


def test_bytes_that_are_not_utf8_are_not_lost(tmp_path):
    (row,) = cues(tmp_path, "a.srt", GOOD.encode().replace(b"ham", b"caf\xe9"))
    assert row.values["text"].encode("utf-8", "surrogateescape") == b"caf\xe9"


@pytest.mark.parametrize("content", ["", "\n\n", "WEBVTT\n\nNOTE nothing said\n", "a\n\nb\n"])
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_a_file_without_cues_is_a_user_error(tmp_path, suffix, content):
    with pytest.raises(UserError, match=rf"a\{suffix} has no cue with a time line\. Check"):
        cues(tmp_path, f"a{suffix}", content)


def test_rows_are_read_when_they_are_asked_for(tmp_path):
    path = tmp_path / "a.srt"
    path.write_text("".join(f"{i}\n{GOOD}" for i in range(100_000)))
    rows = read_records(str(path))
    assert next(rows).values["text"] == "ham"
    with path.open("a") as file:
        file.write(GOOD.replace("ham", "last"))
    *_, last = rows
    assert (last.number, last.values["text"]) == (100_001, "last")


def test_a_file_without_blank_lines_is_read_in_parts(tmp_path):
    first, *others = cues(tmp_path, "a.srt", GOOD.strip() + "\nham" * 25_000)
    assert len(first.values["text"].split()) < 10_000
    assert len(others) == 2 and all(row.problem for row in others)
