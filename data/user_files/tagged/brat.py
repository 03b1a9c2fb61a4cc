"""Standoff annotations of brat: a text in a .txt file, its spans in an .ann file of that name."""

import re
from bisect import bisect_left
from pathlib import Path

from data.errors import UserError
from data.examples.tagged import TaggedText, TaggedTexts
from data.examples.tags import Span
from data.files.lines import is_utf8, read_lines
from data.user_files.tagged.span_shapes import BadRow, read_row_spans

# T1<tab>Person 0 4<tab>Anna; semicolons separate the pieces of a span in several.
_SPAN = re.compile(
    r"T\S*\t(?P<type>\S+) (?P<places>\d{1,9} \d{1,9}(?:;\d{1,9} \d{1,9})*)\t(?P<said>.*)"
)


def is_brat(path: str) -> bool:
    """Returns whether a file is an .ann file, or a .txt file with an .ann file of the same name."""
    suffix = Path(path).suffix.lower()
    return suffix == ".ann" or (suffix == ".txt" and Path(path).with_suffix(".ann").is_file())


def read_brat(path: str) -> tuple[TaggedTexts, tuple[str, ...]]:
    """Reads a text and its spans in the format of brat.

    Each line becomes a text of its own, unless a span continues across its end. Relations, events,
    attributes and notes are skipped.

    Args:
        path: the .ann or the .txt file.

    Returns:
        The lines, and notes for the user of what was recognised.

    Raises:
        UserError: a file is missing or damaged, or a span overlaps another or has several pieces.
    """
    text_path, ann_path = (Path(path).with_suffix(suffix) for suffix in (".txt", ".ann"))
    if not text_path.is_file():
        raise UserError(
            f"{ann_path} has spans as brat writes them, but their text {text_path} is missing. "
            "Put it into the folder of the .ann file"
        )
    # Positions count the characters of the file, including carriage returns.
    text = "".join(read_lines(text_path, keep_ends=True))
    if not is_utf8(text):
        raise UserError(f"{text_path} is not UTF-8. Convert it")
    try:
        spans = read_row_spans(text, _read_cells(ann_path))
    except BadRow as error:
        raise UserError(f"{ann_path}: {error}. Fix or drop it") from None
    rows = _cut_lines(text, spans)
    if not rows:
        raise UserError(f"{text_path} is empty. Expected the text of {ann_path}")
    return TaggedTexts(rows), (
        f"spans of {ann_path.name} read in {text_path.name}, as brat writes",
    )


def _read_cells(path: Path) -> list[dict]:
    cells = []
    for number, line in enumerate(read_lines(path), 1):
        if not line.startswith("T"):
            continue
        match = _SPAN.fullmatch(line)
        if not match:
            raise UserError(
                f"{path}: line {number} is not a span: {line[:40]!r}. Expected: T1<tab>Person 0 4"
                "<tab>Anna"
            )
        # brat cuts a span at line ends. Pieces with other words between them are refused later:
        # the text of the span lacks these words.
        places = re.findall(r"\d+", match["places"])
        start, end = int(places[0]), int(places[-1])
        cells.append({"start": start, "end": end, "type": match["type"], "text": match["said"]})
    return cells


def _cut_lines(text: str, spans: list[Span]) -> list[TaggedText]:
    """Cuts a text into lines that are not empty, each with its own spans."""
    starts, begin = [span.start for span in spans], 0
    rows: list[tuple[int, int]] = []
    for line in re.split(r"(?<=\n)", text):
        end, before = begin + len(line), bisect_left(starts, begin)
        if before and spans[before - 1].end > begin:
            # A span continues across the end of the line before.
            rows[-1] = (rows[-1][0], end)
        else:
            rows.append((begin, end))
        begin = end
    texts = []
    for begin, end in rows:
        line = text[begin:end].rstrip("\r\n")
        inside = spans[bisect_left(starts, begin) : bisect_left(starts, end)]
        moved = [Span(s.start - begin, min(s.end - begin, len(line)), s.type) for s in inside]
        if line.strip():
            texts.append(TaggedText(line, tuple(moved)))
    return texts
