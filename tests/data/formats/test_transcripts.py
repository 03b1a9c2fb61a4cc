import time

import pytest

from data.errors import UserError
from data.formats.readers import read_records
from data.formats.record import Record

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
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_do_not_matter(tmp_path, content, line_end, mark):
    assert cues(tmp_path, "a.srt", mark + content.replace("\n", line_end)) == SRT_ROWS


def test_a_byte_order_mark_before_the_header_does_not_matter(tmp_path):
    assert cues(tmp_path, "a.vtt", "\ufeff" + VTT) == cues(tmp_path, "b.vtt", VTT)


def test_a_missing_blank_line_or_number_does_not_join_cues(tmp_path):
    cue = "00:00:0{}.000 --> 00:00:09.000\ntext {}\n"
    content = "WEBVTT\n1\n" + cue.format(1, "a") + "2\n" + cue.format(2, "b") + cue.format(3, "c")
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
        ("2\n00:00:03,000 to 00:00:04,000\neggs", "a cue without a time line: '2'"),
        ("2\neggs", "a cue without a time line: '2'"),
        ("eggs", "a cue without a time line: 'eggs'"),
        ("2\n00:00:03 --> 4\neggs", "a broken time line: '00:00:03 --> 4'"),
        ("00:00:03,000 -->\neggs", "a broken time line: '00:00:03,000 -->'"),
        ("00:00:73,000 --> 00:00:74,000\neggs", "a broken time line: '00:00:73,000 -->"),
        ("00:00:03,000 --> 00:00:04,000,1\neggs", "a broken time line: "),
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


def test_text_after_a_blank_line_is_reported_and_not_lost(tmp_path):
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


@pytest.mark.parametrize(
    "times",
    [
        ("0:0.0", "0:0.1"),
        ("00:01", "00:02"),
        ("00:00:01", "00:00:02"),
        ("100:00:01,0", "100:00:02,5"),
        ("00:00:01.000000", "00:00:02.000000"),
        ("00:00:01:000", "00:00:02:500"),
        ("00 : 00 : 01 , 000", "00: 00: 02, 500"),
    ],
)
@pytest.mark.parametrize(
    "arrow", ["-->", " --> ", " -> ", "\t-->\t", " - -> ", " -- > ", " \u2014> "]
)
def test_time_lines_are_read_as_tools_and_hands_write_them(tmp_path, times, arrow):
    first, second = cues(
        tmp_path, "a.srt", f"ham\n{arrow.join(times)}\neggs\n{arrow.join(times)}\n"
    )
    assert (first.problem, first.values["text"]) == ("", "eggs")
    assert (first.values["start"], first.values["end"]) == times
    assert (second.problem, second.values["text"]) == ("", "")


def test_invisible_characters_hide_no_structure(tmp_path):
    content = "1\n{}\nham\n\n\ufeff2\n\u200e{}\u200f\neggs\u200d\n\u202a3\u202c\n{}\nspam\n"
    times = "00:00:01,000 --> 00:00:02,000"
    rows = cues(tmp_path, "a.srt", content.format(times, times, times))
    assert [row.values["text"] for row in rows] == ["ham", "eggs\u200d", "spam"]
    assert {(row.values["end"], row.problem) for row in rows} == {("00:00:02,000", "")}


def test_joined_files_are_read(tmp_path):
    content = "\ufeffWEBVTT\n\n" + GOOD
    assert [row.values["text"] for row in cues(tmp_path, "a.vtt", content * 2)] == ["ham", "ham"]


def test_settings_need_no_space_after_the_times(tmp_path):
    (row,) = cues(tmp_path, "a.srt", "00:00:01,000 --> 00:00:02,000X1:40\nham\n")
    assert row.values == {"start": "00:00:01,000", "end": "00:00:02,000", "text": "ham"}


def texts_and_problems(tmp_path, name, content):
    return [(row.values["text"], row.problem) for row in cues(tmp_path, name, content)]


CAPTIONS = """WEBVTT
Kind: captions
Language: en

00:00:00.480 --> 00:00:02.389 align:start position:0%
\x20
we<00:00:00.880><c> baked</c><00:00:01.200><c> plum</c><00:00:01.500><c> cake</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
we baked plum cake
\x20

00:00:04.070 --> 00:00:04.080 align:start position:0%
for the neighbours
\x20

00:00:09.000 --> 00:00:11.000 align:start position:0%
\x20
they<00:00:09.500><c> liked</c><00:00:10.000><c> it</c>
"""


@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_a_line_with_a_space_ends_no_cue(tmp_path, name):
    captions = CAPTIONS if name == "a.vtt" else CAPTIONS.split("\n\n", 1)[1].replace(".", ",")
    assert texts_and_problems(tmp_path, name, captions) == [
        ("we baked plum cake", ""),
        ("we baked plum cake", ""),
        ("for the neighbours", ""),
        ("they liked it", ""),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.srt", "1\n{}\n\nham\n\n2\n{}\n\neggs\n\n3\n{}\nspam\n"),
        ("a.vtt", "WEBVTT\n\n{}\n\nham\n\n{}\n\neggs\n\nNOTE no\n\n{}\nspam\n"),
        ("a.srt", "1\n\n{}\n\nham\n\n2\n\n{}\n\neggs\n\n3\n\n{}\n\nspam\n"),
    ],
    ids=["in SubRip", "in WebVTT", "everywhere"],
)
def test_a_blank_line_after_the_time_line_does_not_part_text_and_times(tmp_path, name, content):
    times = [f"00:00:0{i},000 --> 00:00:0{i},500" for i in range(3)]
    rows = cues(tmp_path, name, content.format(*times))
    assert [row.problem for row in rows] == ["", "", ""]
    assert [row.values["text"] for row in rows] == ["ham", "eggs", "spam"]
    assert [row.values["start"] for row in rows] == [time[:12] for time in times]


def test_a_cue_without_a_time_line_is_not_text_of_an_empty_one_before_it(tmp_path):
    content = "1\n00:00:01,000 --> 00:00:02,000\n\n2\neggs\n\n3\n" + GOOD
    assert texts_and_problems(tmp_path, "a.srt", content) == [
        ("", ""),
        ("eggs", "a cue without a time line: '2'"),
        ("ham", ""),
    ]


NUMBERS = {
    "WebVTT": ("a.vtt", "WEBVTT\n\n{}\nyear\n1984\n{}\nyes\n", ["year 1984", "yes"]),
    "WebVTT, names": ("a.vtt", "WEBVTT\n\n1\n{}\nyear\n1984\n{}\nyes\n", ["year 1984", "yes"]),
    "SubRip, no numbers": ("a.srt", "{}\nyear\n1984\n{}\nyes\n", ["year 1984", "yes"]),
    "above the number": ("a.srt", "1\n{}\nyear\n1984\n2\n{}\nyes\n", ["year 1984", "yes"]),
    "alone": ("a.srt", "1\n{}\n3\n\n2\n{}\n2\n", ["3", "2"]),
    "behind a blank line": ("a.srt", "1\n{}\n\n1984\n\n2\n{}\nyes\n", ["1984", "yes"]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "texts"), NUMBERS.values(), ids=NUMBERS)
def test_a_number_that_is_text_stays(tmp_path, name, content, texts):
    times = "00:00:01.000 --> 00:00:02.000"
    found = texts_and_problems(tmp_path, name, content.format(times, times))
    assert found == [(text, "") for text in texts]


def test_numbers_alone_are_rows_texts_or_names_by_what_is_around_them(tmp_path):
    times = "00:00:01,000 --> 00:00:02,000"
    lone = "a cue without a time line: "
    assert texts_and_problems(tmp_path, "a.srt", f"{times}\nham\n\n1984\n\n{times}\neggs\n") == [
        ("ham", ""),
        ("1984", f"{lone}'1984'"),
        ("eggs", ""),
    ]
    assert texts_and_problems(
        tmp_path, "a.srt", f"1\n{times}\n\n2\n\nmore\n\n2\n{times}\neggs"
    ) == [
        ("2 more", ""),
        ("eggs", ""),
    ]
    assert texts_and_problems(tmp_path, "a.srt", f"1\n{times}\nham\n\n2\n") == [
        ("ham", ""),
        ("2", f"{lone}'2'"),
    ]


def test_a_line_that_nobody_sees_is_not_text(tmp_path):
    content = "00:00:01,000 --> 00:00:02,000\n\u200b\n\nham\n"
    assert texts_and_problems(tmp_path, "a.srt", content) == [("ham", "")]


def test_numbers_with_gaps_are_numbers_in_subrip(tmp_path):
    content = "1\n" + GOOD.strip() + "\n7\n" + GOOD.strip() + "\n9\n" + GOOD
    assert texts_and_problems(tmp_path, "a.srt", content) == [("ham", "")] * 3


def test_an_arrow_in_a_text_begins_no_cue(tmp_path):
    content = "00:00:01,000 --> 00:00:02,000\npress\nFile --> Open\n\n" + GOOD
    assert texts_and_problems(tmp_path, "a.srt", content) == [
        ("press File --> Open", ""),
        ("ham", ""),
    ]


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "I <3 you",
        "a <b and c> d",
        "<laughs> no",
        "x <y> z",
        "1 <2> 3",
        "<- here ->",
        "a << b",
    ],
)
def test_what_is_no_tag_is_text(tmp_path, suffix, text):
    assert texts_and_problems(tmp_path, f"a{suffix}", GOOD.replace("ham", text)) == [(text, "")]


@pytest.mark.parametrize(
    "text",
    [
        "<i>ham</i>",
        "<B>ham</B >",
        "<c.yellow.bg_blue>ham</c>",
        "<00:01.000>ham<01:02:03.500>",
        "<lang en-GB>ham</lang>",
        '<font color="#fff" size=2>ham</font>',
        "<ruby>ham<rt></rt></ruby>",
        "{\\an8}{\\i1}ham{\\i0}",
        "<v.loud Anna Smith>ham</v>",
        "ham<br/><br>",
    ],
)
def test_tags_are_no_text(tmp_path, text):
    assert texts_and_problems(tmp_path, "a.vtt", GOOD.replace("ham", text)) == [("ham", "")]


def test_an_escaped_tag_is_text(tmp_path):
    content = "WEBVTT\n\n" + GOOD.replace("ham", "a &lt;b&gt; c &#60;i&#62; d")
    assert texts_and_problems(tmp_path, "a.vtt", content) == [("a <b> c <i> d", "")]


def test_a_character_reference_of_any_length_is_read(tmp_path):
    content = GOOD.replace(
        "ham", f"&#{'1' * 4301}; &#{'0' * 4301}65; &#x{'F' * 9000}; &#x{'0' * 9}42; ham"
    )
    assert texts_and_problems(tmp_path, "a.vtt", content) == [("\ufffd A \ufffd B ham", "")]


@pytest.mark.parametrize(
    "hostile",
    [
        "<v" + " " * 10**6,
        "<v x" * 250_000,
        "<" * 10**6,
        "<1" * 500_000,
        "<br" + " " * 10**6,
        "{\\" * 500_000,
        "&#" * 500_000,
        "00:00:01 " + "-" * 10**6 + ">",
        "1" * 10**6,
    ],
    ids=lambda text: text[:6],
)
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_a_megabyte_of_anything_is_read_in_linear_time(tmp_path, suffix, hostile):
    begun = time.process_time()
    *_, last = cues(tmp_path, f"a{suffix}", GOOD.replace("ham", hostile) + "\n" + GOOD)
    assert last.values["text"] == "ham"
    assert time.process_time() - begun < 10


def test_a_cue_of_many_long_lines_is_read_in_parts(tmp_path):
    first, *others = cues(tmp_path, "a.srt", GOOD.strip() + ("\n" + "ham " * 50_000) * 30)
    assert len(first.values["text"]) < 2 * 2**20
    assert len(others) >= 3 and all(row.problem for row in others)
