"""Cues of SubRip (.srt) and WebVTT (.vtt) transcripts, streamed, one a row.

Not by a library: pysubs2 adds a cue with a broken time line to the text of the cue before it,
webvtt-py drops it, srt drops it or stops there, and all three hold the whole file in memory. Here
every block of lines is a cue or a row with a problem.
"""

import html
import re
from collections.abc import Iterator

from data.errors import UserError
from data.record import TEXT_COLUMN, Record

_ARROW = "-->"
_TIME = r"((?:\d+:)?[0-5]?\d:[0-5]?\d[.,]\d{1,3})"
# What follows the times are settings of the display. Commas and dots are taken in both formats.
_TIMES = re.compile(rf"{_TIME}\s*{_ARROW}\s*{_TIME}(?:\s.*)?", re.ASCII)
# <i>, </c.yellow>, <v Anna>, <00:01:02.500>, {\an8}; but neither "a < b" nor "<3".
_TAGS = re.compile(r"</?[a-zA-Z][^<>]*>|</>|<[\d:.]+>|\{\\[^{}]*\}")
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]+)>")
# Joined files have a header for each part.
_NO_CUES = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s.*)?")
# A longer cue is no transcript's: memory does not grow with the file, whatever it is.
_MOST_LINES = 10_000


def read_srt(file) -> Iterator[Record]:
    """Yields a row a cue: `start` and `end` as the file writes them, and the text in `text`.

    Lines of a cue are joined by a space, without their tags. If the file has voice tags
    (`<v Anna>`) all rows have a column `speaker` too.

    Args:
        file: a text file that can be read twice.

    Raises:
        UserError: it has no cue with a time line.
    """
    return _read_cues(file, _blocks(file), str)


def read_vtt(file) -> Iterator[Record]:
    """Likewise; the header and blocks of notes, styles and regions are passed over, and character
    references (`&amp;`) are decoded."""
    return _read_cues(file, _without_comments(_blocks(file)), html.unescape)


def _read_cues(file, blocks: Iterator[list[str]], decode) -> Iterator[Record]:
    # The columns of the first row are those of all rows.
    has_speakers = any(_VOICE.search(line) for line in file)
    file.seek(0)
    readable = False
    for number, block in enumerate(blocks, 1):
        values, problem = _cue(block, decode)
        if has_speakers:
            speakers = dict.fromkeys(_VOICE.findall(" ".join(block)))
            values["speaker"] = ", ".join(decode(name.strip()) for name in speakers)
        readable = readable or not problem
        yield Record(number, values, problem)
    if not readable:
        raise UserError(f"{file.name} has no cue with a time line. Check that it is a transcript")


def _blocks(lines) -> Iterator[list[str]]:
    """Lines between blank ones; a time line, with the number above it, begins a block as well."""
    block, timed = [], False
    for line in map(str.strip, lines):
        starts_cue = _ARROW in line and (timed or len(block) > 1)
        if block and (not line or starts_cue or len(block) == _MOST_LINES):
            numbered = starts_cue and len(block) > 1 and block[-1].isdecimal()
            number = [block.pop()] if numbered else []
            yield block
            block, timed = number, False
        if line:
            block.append(line)
            timed = timed or _ARROW in line
    if block:
        yield block


def _without_comments(blocks: Iterator[list[str]]) -> Iterator[list[str]]:
    for block in blocks:
        # As in browsers, one that has a time line is a cue of that name.
        timed = any(_ARROW in line for line in block[:2])
        if timed or not _NO_CUES.fullmatch(block[0]):
            yield block


def _cue(block: list[str], decode) -> tuple[dict, str]:
    """The columns of a cue, and what is wrong with it."""
    # Above the time line there is a number or a name, at most.
    place = next((i for i, line in enumerate(block[:2]) if _ARROW in line), None)
    if place is None:
        times, lines = None, block[int(block[0].isdecimal()) :]
        problem = f"a cue without a time line: {block[0][:60]!r}"
    else:
        times, lines = _TIMES.fullmatch(block[place]), block[place + 1 :]
        problem = "" if times else f"a broken time line: {block[place][:60]!r}"
    start, end = times.groups() if times else ("", "")
    return {"start": start, "end": end, TEXT_COLUMN: _text(lines, decode)}, problem


def _text(lines: list[str], decode) -> str:
    """The lines joined, without tags and repeated white space."""
    text = _TAGS.sub("", _LINE_BREAK.sub(" ", " ".join(lines)))
    return " ".join(decode(text).split())
