"""A page for whoever has to listen: the scores of a recording's segments on a time line, its
player, and all segments in a table."""

import os
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.pages.page import Page
from apps.pages.parts import LONGEST_TEXT, Markup, Paragraph, Section, format_cell
from data.formats.html_page import escape
from data.formats.subtitles import format_time

# The element that plays a file.
PLAYERS = {
    **dict.fromkeys(
        (".aac", ".flac", ".m4a", ".mka", ".mp3", ".oga", ".ogg", ".opus", ".wav"), "audio"
    ),
    **dict.fromkeys((".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm"), "video"),
}
_SCRIPT = Path(__file__).with_suffix(".js")
# The units of a lane: its whole width is the recording, its height a score of 1.
_WIDTH, _HEIGHT, _NARROWEST = 1000, 40, 2
_TICKS = 5
_STYLE = """#stage { background: #fff; max-height: 70vh; overflow-y: auto; position: sticky; \
top: 0; z-index: 1 }
audio, video { display: block; max-height: 35vh; width: 100% }
.lane { align-items: center; display: grid; gap: .6rem; grid-template-columns: 9rem 1fr; \
margin: .3rem 0 }
.lane svg { background: #f4f4f4; cursor: pointer; height: 3rem; width: 100% }
.ticks { color: #444; font-size: .875rem }
.ticks div { display: flex; justify-content: space-between }
rect { fill: #8a94a0 }
rect.flagged { fill: #b3261e }
rect:hover { fill: #1a4f8a }
.cursor { stroke: #111; stroke-width: 2; vector-effect: non-scaling-stroke }
tr.flagged { background: #fdecea }
tr.flagged td.classes { color: #8c1d18; font-weight: bold }
tr[aria-current] { outline: 2px solid #1a4f8a; outline-offset: -2px }
button { font: inherit; margin-right: .4rem }
td button { font-variant-numeric: tabular-nums; margin: 0 }
"""


@dataclass(frozen=True)
class Segment:
    """A part of a recording, and its answer.

    Attributes:
        start, end: in seconds; None if the file does not say.
        text: what is said.
        classes: that it gets, which may be none of several; None without an answer.
        scores: of each class that has a lane.
        flags: of these, the classes for which somebody should listen.
        confidence: of what recognised the text, or None.
    """

    start: float | None
    end: float | None
    text: str
    classes: str | None
    scores: Mapping[str, float | None]
    flags: Sequence[str]
    confidence: float | None = None


@contextmanager
def recording_report(
    path: str, source: str, lanes: Sequence[str], to_segment: Callable[[dict], Segment]
) -> Iterator[Callable[[dict], None]]:
    """Yields a function that takes one row with its answer; then the page is written.

    Args:
        path: of the page.
        source: the recording, or a transcript of it.
        lanes: the classes whose scores are drawn.
        to_segment: returns what the page shows of a row.

    Raises:
        UserError: it cannot be written.
    """
    segments: list[Segment] = []
    yield lambda row: segments.append(to_segment(row))
    recording_page(path, source, lanes, segments).write(Path(path))


def recording_page(
    path: str, source: str, lanes: Sequence[str], segments: Sequence[Segment]
) -> Page:
    """Returns the page; the arguments are those of `recording_report`."""
    media = find_media(source)
    counts = {name: sum(name in each.flags for each in segments) for name in lanes}
    found = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    flagged = sum(bool(each.flags) for each in segments)
    lead = f"{len(segments):,} segments, {flagged:,} of them flagged{found and f': {found}'}."
    return Page(
        Path(source).name,
        lead,
        [
            Section("time", "Time line", _time_line(path, media, lanes, segments), style=_STYLE),
            Section("segments", "Segments", [Markup(_table(segments, media is not None))]),
        ],
        script=_SCRIPT.read_text(encoding="utf-8"),
        plays=media is not None,
    )


def find_media(source: str) -> str | None:
    """Returns the recording itself, or that which lies beside a transcript under the same name."""
    suffixes = (Path(source).suffix.lower(), *PLAYERS)
    if suffixes[0] in PLAYERS:
        return source
    beside = (str(Path(source).with_suffix(suffix)) for suffix in suffixes[1:])
    return next((each for each in beside if Path(each).is_file()), None)


def _time_line(
    path: str, media: str | None, lanes: Sequence[str], segments: Sequence[Segment]
) -> list[Markup | Paragraph]:
    duration = max((each.end for each in segments if each.end is not None), default=0.0) or 1.0
    parts: list[Markup | Paragraph] = [
        Paragraph(
            "A bar is a segment, as high as its score; red ones are flagged. Click one to "
            f"{'hear it' if media else 'find it in the table'}. The scores are a model's: listen "
            "before you judge."
        )
    ]
    player = ""
    if media:
        name, tag = escape(Path(media).name), PLAYERS[Path(media).suffix.lower()]
        player = (
            f'<{tag} id=player controls preload=metadata aria-label="{name}" '
            f'src="{escape(_address(media, path))}"></{tag}>\n'
        )
        parts.append(
            Markup(
                f"<p id=unplayable class=warning role=alert hidden>{name} cannot be played here: "
                "it is not where it was when this page was written, or of a format that this "
                "browser does not play.</p>"
            )
        )
    drawn = [_lane(name, segments, duration) for name in lanes]
    ticks = (_clock(duration * tick / (_TICKS - 1)) for tick in range(_TICKS))
    parts.append(
        Markup(
            f"<div id=stage>\n{player}<div id=lanes data-duration={duration:.3f}>\n{''.join(drawn)}"
            "<div class='lane ticks'><span></span><div>"
            f"{''.join(f'<span>{tick}</span>' for tick in ticks)}</div></div>\n</div>\n"
            "<p><button type=button id=previous>Previous flagged</button>"
            "<button type=button id=next>Next flagged</button></p>\n</div>"
        )
    )
    return parts


def _address(media: str, page: str) -> str:
    """Returns the address of a file relative to a page, whatever characters it has."""
    relative = os.path.relpath(media, Path(page).parent)
    return urllib.parse.quote(os.fsencode(relative))


def _lane(name: str, segments: Sequence[Segment], duration: float) -> str:
    bars = []
    for number, each in enumerate(segments):
        score = each.scores.get(name)
        if score is None or each.start is None or each.end is None:
            continue
        left = _WIDTH * each.start / duration
        width = max(_WIDTH * (each.end - each.start) / duration, _NARROWEST)
        height = max(_HEIGHT * score, 0.5)
        kind = " class=flagged" if name in each.flags else ""
        bars.append(
            f'<rect{kind} data-row={number} x="{left:.2f}" y="{_HEIGHT - height:.2f}" '
            f'width="{width:.2f}" height="{height:.2f}"><title>{_clock(each.start)} '
            f"{score:.2f} {escape(each.text[:80])}</title></rect>"
        )
    count = sum(name in each.flags for each in segments)
    label = f"{name}: {count:,} of {len(segments):,} segments flagged; the table has all of them"
    return (
        f'<div class=lane><span>{escape(name)}</span><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio=none role=img aria-label="{escape(label)}">{"".join(bars)}'
        f"<line class=cursor x1=0 x2=0 y1=0 y2={_HEIGHT} /></svg></div>\n"
    )


def _table(segments: Sequence[Segment], plays: bool) -> str:
    heard = any(each.confidence is not None for each in segments)
    head = ["start", "class", "score", *(["recognised"] if heard else []), "text"]
    lines = [
        "<p><label><input type=checkbox id=only> only flagged segments</label></p>\n<table>\n"
        f"<caption>All segments{'; each start plays its own' if plays else ''}</caption>\n"
        f"<thead><tr>{''.join(f'<th scope=col>{name}</th>' for name in head)}</tr></thead>\n<tbody>"
    ]
    lines += [_row(each, heard) for each in segments]
    return "\n".join([*lines, "</tbody>\n</table>"])


def _row(segment: Segment, heard: bool) -> str:
    kind = " class=flagged" if segment.flags else ""
    start, button = "", "-"
    if segment.start is not None:
        start, clock = f"{segment.start:.3f}", _clock(segment.start)
        button = f'<button type=button aria-label="play from {clock}">{clock}</button>'
    classes = "no answer" if segment.classes is None else segment.classes or "none"
    scores = ", ".join(f"{segment.scores[name]:.2f}" for name in segment.flags)
    confidence = f"<td class=number>{format_cell(segment.confidence)}</td>" if heard else ""
    return (
        f'<tr{kind} data-start="{start}"><td class=short>{button}</td>'
        f"<td class=classes>{escape(classes)}</td>"
        f"<td class=number>{scores}</td>{confidence}"
        f"<td>{escape(segment.text, LONGEST_TEXT)}</td></tr>"
    )


def _clock(seconds: float) -> str:
    """Returns a time in whole seconds, with hours where there are any."""
    return format_time(int(seconds)).removesuffix(".000").removeprefix("00:")
