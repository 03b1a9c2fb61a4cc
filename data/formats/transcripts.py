"""Cues of SubRip (.srt) and WebVTT (.vtt) transcripts, streamed, one a row.

Libraries do not serve: pysubs2 adds a cue with a broken time line to the text of the cue before it,
webvtt-py drops it, srt drops it or stops there, and all three hold the whole file in memory. Here
every block of lines is a cue or a row with a problem.
"""

import re
from collections.abc import Callable, Iterator

from data.errors import UserError
from data.files.lines import read_lines
from data.formats.record import TEXT_COLUMN, Record
from data.text.characters import drop_invisible, unescape

_ARROW = "-->"
# Tools write times without hours, without fractions, with blanks, and commas and dots as they like.
_TIME = r"((?:\d+\s?:\s?)?[0-5]?\d\s?:\s?[0-5]?\d(?:\s?[.,]\s?\d{1,9}|:\d{3})?)"
# Settings of the display may follow the times.
_TIMES = re.compile(rf"{_TIME}\s*(?:-\s?-?\s?>|[\u2013\u2014]>)\s*{_TIME}(?![\d:.,]).*", re.ASCII)
_BEGINS_WITH_A_TIME = re.compile(r"\d+\s?:\s?\d", re.ASCII)
# Only a known name makes a tag: "a < b", "<3", "a <b and c> d" and "<laughs>" are text. The tags of
# the second line may have attributes (<v Anna>, <font color="red">).
_TAGS = re.compile(
    r"</?(?:[bcisu]|rt|ruby|em|strong|big|small|sub|sup)(?:\.[^\s<>]*)?\s*/?>"
    r"|</?(?:v|lang|font|span|p|div)(?:[.\s][^<>]*)?>"
    r"|</>|<(?:\d+:)?\d+:[\d.,]+>|\{\\[^{}]*\}",
    re.IGNORECASE,
)
_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^\s<>][^<>]*)>")
# Joined files have a header for each part.
_NO_CUES = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s.*)?")
# No transcript has a longer cue. The limit keeps memory small, whatever the file is.
_MOST_LINES = 10_000
_MOST_CHARACTERS = 2**20


def read_srt(path: str) -> Iterator[Record]:
    """Yields the cues of a SubRip file: `start` and `end` as the file writes them, and `text`.

    Lines of a cue are joined by a space, without their tags. If the file has voice tags
    (`<v Anna>`) all rows have a column `speaker` too.

    Args:
        path: the file, which is read twice.

    Raises:
        UserError: it cannot be read, or has no cue with a time line.
    """
    return _read_cues(path, _join_blocks(_split_blocks(path)), str)


def read_vtt(path: str) -> Iterator[Record]:
    """Yields the cues of a WebVTT file, with the columns of `read_srt`.

    The header and blocks of notes, styles and regions are skipped, and character references
    (`&amp;`) are decoded.

    Args:
        path: the file, which is read twice.

    Raises:
        UserError: it cannot be read, or has no cue with a time line.
    """
    blocks = _join_blocks(_drop_comments(_split_blocks(path, numbers_follow=True)))
    return _read_cues(path, blocks, unescape)


def _read_cues(path: str, blocks: Iterator[list[str]], decode: Callable) -> Iterator[Record]:
    # All rows must have the columns of the first one.
    has_speakers = any(_VOICE.search(line) for line in read_lines(path))
    readable = False
    for number, block in enumerate(blocks, 1):
        values, problem = _read_cue(block, decode)
        if has_speakers:
            speakers = dict.fromkeys(_VOICE.findall(" ".join(block)))
            values["speaker"] = ", ".join(" ".join(decode(name).split()) for name in speakers)
        readable = readable or not problem
        yield Record(number, values, problem)
    if not readable:
        raise UserError(f"{path} has no cue with a time line. Check that it is a transcript")


def _split_blocks(path: str, numbers_follow: bool = False) -> Iterator[list[str]]:
    """Splits a file at its empty lines and before the time line of each further cue.

    A line of blanks is not empty: captions that grow word by word begin with one.

    Args:
        path: the file.
        numbers_follow: whether a line of digits right above the time line of a further cue is the
            cue's number only if it follows the number of the cue before; otherwise it is text.
            False: such a line is a number if the cue before has one.
    """
    block: list[str] = []
    size, timed = 0, False
    for line in read_lines(path):
        text = line.strip()
        # Marks of direction may stand around times and numbers.
        shown = drop_invisible(text)
        if not shown or _is_time_line(shown) or _read_number(shown) is not None:
            text = shown
        # Text may hold an arrow as well.
        begins = (timed or len(block) > 1) and _is_time_line(text)
        if block and (not line or begins or len(block) == _MOST_LINES or size > _MOST_CHARACTERS):
            number = []
            if begins and len(block) > 1 and _is_number(block, numbers_follow):
                number = [block.pop()]
            yield block
            block, size, timed = number, 0, False
        if text:
            block.append(text)
            size += len(text)
            timed = timed or (len(block) < 3 and _find_time_line(block) is not None)
    if block:
        yield block


def _is_number(block: list[str], numbers_follow: bool) -> bool:
    """Returns whether the last line of a block is the number of the next block."""
    number, before = _read_number(block[-1]), _read_number(block[0])
    if number is None or _find_time_line(block) is None:
        return number is not None
    return before is not None and (not numbers_follow or number == before + 1)


def _join_blocks(blocks: Iterator[list[str]]) -> Iterator[list[str]]:
    """Joins a time line and its text, or a number and its time line, across an empty line."""
    cue: list[str] = []
    number: list[str] = []
    expected: int | None = None
    for block in blocks:
        place = _find_time_line(block)
        if number:
            if place == 0:
                block, place = number + block, 1
            elif cue:
                cue += number
            else:
                yield number
            number = []
        if place is None:
            first = _read_number(block[0])
            follows = first is not None and expected in (None, first)
            if follows and len(block) == 1:
                number = block
                continue
            if cue and not follows:
                cue += block
                continue
        if cue:
            yield cue
            cue = []
        if place is not None:
            before = _read_number(block[0]) if place else None
            # No number follows none.
            expected = -1 if before is None else before + 1
        if place is None or len(block) > place + 1:
            yield block
        else:
            cue = block
    yield from filter(None, (cue, number))


def _drop_comments(blocks: Iterator[list[str]]) -> Iterator[list[str]]:
    for block in blocks:
        # As in browsers, one that has a time line is a cue of that name.
        if _find_time_line(block) is not None or not _NO_CUES.fullmatch(drop_invisible(block[0])):
            yield block


def _is_time_line(line: str) -> bool:
    """Returns whether a line is the time line of a cue, intact or broken."""
    if ">" not in line:
        return False
    if _TIMES.fullmatch(line):
        return True
    return _ARROW in line and _BEGINS_WITH_A_TIME.match(line) is not None


def _find_time_line(block: list[str]) -> int | None:
    """Finds the time line of a block, above which there is at most a number or a name."""
    for place, line in enumerate(block[:2]):
        if _ARROW in line or _is_time_line(line):
            return place
    return None


def _read_number(line: str) -> int | None:
    return int(line) if len(line) < 10 and line.isdecimal() else None


def _read_cue(block: list[str], decode: Callable) -> tuple[dict, str]:
    """Returns the columns of a cue, and what is wrong with it."""
    place = _find_time_line(block)
    if place is None:
        lines = block[1:] if _read_number(block[0]) is not None and len(block) > 1 else block
        times, problem = None, f"a cue without a time line: {block[0][:60]!r}"
    else:
        times, lines = _TIMES.fullmatch(block[place]), block[place + 1 :]
        problem = "" if times else f"a broken time line: {block[place][:60]!r}"
    start, end = times.groups() if times else ("", "")
    return {"start": start, "end": end, TEXT_COLUMN: join_text(lines, decode)}, problem


def join_text(lines: list[str], decode: Callable) -> str:
    """Joins lines, without tags and repeated white space."""
    text = _TAGS.sub("", _LINE_BREAK.sub(" ", " ".join(lines)))
    # Escaped signs make no tag, so they are decoded after the tags are removed.
    return " ".join(decode(text).split())
