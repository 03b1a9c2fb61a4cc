"""Writes rows with a start and an end as subtitles (.srt, .vtt), streamed; and reads their times.

Libraries do not serve, for the reasons that stand in `data.formats.transcripts`.
"""

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from data.files.lines import replace_surrogates
from data.files.writing import whole_file
from data.formats.readers import file_format

# The forms in which transcripts write times, without blanks.
_TIME = re.compile(r"(?:(\d+):)?(\d\d?):(\d\d?)(?:[.,](\d{1,9})|:(\d{3}))?", re.ASCII)
# What begins a style, in players for both formats, and in SubRip a tag: it has no escapes.
_STYLE, _STYLE_OR_TAG = re.compile(r"\{(?=\\)"), re.compile(r"\{(?=\\)|<(?=[/\w])")
_ARROW = re.compile(r"--?>")
# A character that takes no room.
_WORD_JOINER = "\u2060"

# Returns the text of a cue for a text and the row with its answer.
Caption = Callable[[str, dict], str]


def to_seconds(time: object) -> float | None:
    """Returns the seconds of a time as transcripts write it, such as `01:02.5` or `00:01:02,500`;
    None for anything else."""
    found = _TIME.fullmatch("".join(time.split())) if isinstance(time, str) else None
    if found is None:
        return None
    hours, minutes, seconds, fraction, thousandths = found.groups()
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return whole + float(f"0.{fraction or thousandths or 0}")


def format_time(seconds: float, point: str = ".") -> str:
    """Returns a time as `01:02:03.456`.

    Args:
        seconds: from the beginning.
        point: between seconds and thousandths.
    """
    rest, thousandths = divmod(round(1000 * seconds), 1000)
    minutes, rest = divmod(rest, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}{point}{thousandths:03}"


@contextmanager
def subtitle_writer(
    path: str, column: str, caption: Caption
) -> Iterator[Callable[[dict[str, Any]], None]]:
    """Yields a function that writes one row with `start` and `end` as a cue.

    The file appears when all rows are written, or not at all. A row without a text, or without
    times that can be read, is no cue.

    Args:
        path: a .srt or .vtt file.
        column: the column with the texts.
        caption: returns what a cue says.

    Raises:
        UserError: the file cannot be written.
    """
    form = SUBTITLES[file_format(path, SUBTITLES)]
    with (
        whole_file(Path(path)) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(form.head)
        number = 0

        def write(row: dict[str, Any]) -> None:
            nonlocal number
            start, end = to_seconds(row.get("start")), to_seconds(row.get("end"))
            text = row.get(column)
            if start is None or end is None or not isinstance(text, str) or not text.strip():
                return
            number += 1
            times = " --> ".join(format_time(each, form.point) for each in (start, end))
            # An empty line would end the cue.
            lines = (" ".join(line.split()) for line in caption(text, row).splitlines())
            shown = form.escape(replace_surrogates("\n".join(filter(None, lines))))
            file.write(f"{number}\n{times}\n{shown}\n\n")

        yield write


class _Form(NamedTuple):
    """What differs between the formats."""

    head: str
    point: str
    escape: Callable[[str], str]


def _escape_vtt(text: str) -> str:
    return html.escape(_part(_STYLE, text), quote=False)


def _escape_srt(text: str) -> str:
    # Another arrow makes no time line.
    return _ARROW.sub("→", _part(_STYLE_OR_TAG, text))


def _part(signs: re.Pattern[str], text: str) -> str:
    """Returns a text in which these signs begin nothing, and look as before."""
    return signs.sub(lambda found: found[0] + _WORD_JOINER, text)


SUBTITLES = {".srt": _Form("", ",", _escape_srt), ".vtt": _Form("WEBVTT\n\n", ".", _escape_vtt)}
