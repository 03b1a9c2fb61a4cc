"""Explained answers for a person: words in colours on the terminal, a page of HTML; and for JSON.

Colour never says alone what a word does: the strongest words are listed with their signs.
"""

import html
import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from data.errors import UserError
from data.files.writing import whole_file
from data.formats.html_page import END, begin_page
from data.formats.suffixes import STANDARD_STREAM
from data.formats.writers import record_writer
from data.messages import printable

# Opens an output, and yields what writes one row into it.
OpenOutput = Callable[[str], AbstractContextManager[Callable[[dict], object]]]

# Rows in memory at once: each holds its words and their weights.
ROWS = 256
# Words that are listed by weight; the others can hardly be told apart.
_LISTED = 6
_TOLD = 0.02
# Shades of the terminal's 256 colours, for and against the class, from faint to strong.
_FOR, _AGAINST = (224, 217, 210, 203, 196), (189, 153, 117, 75, 33)
_BLACK = 16
_RGB_FOR, _RGB_AGAINST = "224,49,49", "34,110,225"


def check_output(output: str | None) -> None:
    """Refuses outputs that cannot hold explanations.

    Raises:
        UserError: of another format.
    """
    if output and output != STANDARD_STREAM and Path(output).suffix.lower() not in OUTPUTS:
        raise UserError(
            f"--explain writes {' or '.join(OUTPUTS)}, to standard output JSON lines. "
            f"Received: --output {output}"
        )


def wants_colours() -> bool:
    """Returns whether standard output is a terminal, and NO_COLOR is not set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def format_explanation(explanation: Any, colours: bool) -> str:
    """Formats the answer, the words and what they add, in indented lines.

    Args:
        explanation: of one text, an `apps.tasks.classification.explanation.Explanation`.
        colours: whether words have backgrounds.
    """
    words = [printable(word) for word in explanation.words]
    if colours:
        words = [
            _shade(word, s) for word, s in zip(words, _relative_strengths(explanation), strict=True)
        ]
    if explanation.cut:
        words.insert(explanation.cut_at, _format_cut(explanation))
    notes = [printable(note) for note in _notes(explanation)]
    lines = [printable(explanation.answer), " ".join(words), *notes]
    return "\n    ".join(filter(None, lines))


def _shade(word: str, strength: float) -> str:
    shades = _FOR if strength > 0 else _AGAINST
    level = round(abs(strength) * len(shades))
    return f"\x1b[38;5;{_BLACK};48;5;{shades[level - 1]}m{word}\x1b[0m" if level else word


def _relative_strengths(explanation: Any) -> list[float]:
    """Returns the weights as shares of the strongest one, with their signs."""
    strongest = max(map(abs, explanation.weights), default=0.0) or 1.0
    return [float(weight / strongest) for weight in explanation.weights]


def _format_cut(explanation: Any) -> str:
    return f"[... {explanation.cut} more words, not read ...]"


def _notes(explanation: Any) -> list[str]:
    """Lists the strongest words, the log-odds, the agreement of occlusion, and a gap if any."""
    strengths = _relative_strengths(explanation)
    order = sorted(range(len(strengths)), key=lambda i: -abs(strengths[i]))[:_LISTED]
    listed = [i for i in order if abs(strengths[i]) >= _TOLD]
    notes = []
    for sign, title in ((1, f"for {explanation.class_name}"), (-1, "against it")):
        some = [
            f'"{explanation.words[i]}" {explanation.weights[i]:+.2f}'
            for i in listed
            if strengths[i] * sign > 0
        ]
        if some:
            notes.append(f"{title}: {', '.join(some)}")
    notes.append(
        f"log-odds of {explanation.class_name} {explanation.figure:+.2f}, "
        f"with every word unknown {explanation.baseline:+.2f}"
    )
    if explanation.correlation is not None:
        top = "the same" if explanation.same_top_word else "another"
        notes.append(f"occlusion: rank correlation {explanation.correlation:.2f}, {top} top word")
    if explanation.gap_matters:
        notes.append(f"the weights miss {explanation.gap:+.2f} of the difference in log-odds")
    return notes


def explanation_writer(column: str, answered: Collection[str]) -> OpenOutput:
    """Returns what opens an output for explained rows, like `data.formats.writers.record_writer`.

    Args:
        column: the rows' column with the texts.
        answered: the columns that the answer adds, `explanation` among them.
    """

    def open_output(path: str) -> AbstractContextManager[Callable[[dict], object]]:
        # Standard output takes JSON lines.
        return OUTPUTS.get(Path(path).suffix.lower(), _records)(path, column, answered)

    return open_output


@contextmanager
def _records(
    path: str, column: str, answered: Collection[str]
) -> Iterator[Callable[[dict], object]]:
    with record_writer(path) as write:
        yield write


@contextmanager
def _page(path: str, column: str, answered: Collection[str]) -> Iterator[Callable[[dict], object]]:
    """One file of HTML without scripts and without anything from outside, written row by row."""
    # Bytes that were not UTF-8 cannot stand in a page.
    with (
        whole_file(Path(path)) as partial,
        partial.open("w", encoding="utf-8", errors="replace") as file,
    ):
        file.write(_HEAD)
        yield lambda row: file.write(_article(row, column, answered))
        file.write(END)


def _article(row: dict, column: str, answered: Collection[str]) -> str:
    """Returns a text as a section of the page."""
    explanation = row["explanation"]
    others = [name for name in row if name != column and name not in answered]
    cells = "; ".join(f"{name}: {row[name]}" for name in others if row[name] not in (None, ""))
    text = "" if row[column] is None else str(row[column])
    parts = [f"<p class=row>{html.escape(cells)}</p>"] if cells else []
    parts.append(f"<blockquote>{html.escape(text)}</blockquote>")
    if explanation is None:
        parts.append("<p>no answer</p>")
    else:
        parts.append(format_as_html(explanation))
    return "<article>\n" + "\n".join(parts) + "\n</article>\n"


def format_as_html(explanation: Any) -> str:
    """Formats an explanation as HTML: the answer, the coloured words, and the notes on them.

    Args:
        explanation: of one text, an `apps.tasks.classification.explanation.Explanation`.
    """
    notes = [f"<p class=note>{html.escape(note)}</p>" for note in _notes(explanation)]
    return "\n".join(
        [
            f"<h2>{html.escape(explanation.answer)}</h2>",
            f"<p class=words>{_mark_words(explanation)}</p>",
            *notes,
        ]
    )


def _mark_words(explanation: Any) -> str:
    """Formats the words as HTML, each with its colour; its title has both methods' weights."""
    values = zip(
        explanation.words,
        explanation.weights,
        explanation.drops,
        _relative_strengths(explanation),
        strict=True,
    )
    words = []
    for word, weight, drop, strength in values:
        colour = _RGB_FOR if strength > 0 else _RGB_AGAINST
        words.append(
            f'<mark style="background:rgba({colour},{0.75 * abs(strength):.2f})" '
            f'title="weight {weight:+.3f}, occlusion {drop:+.3f}">{html.escape(word)}</mark>'
        )
    if explanation.cut:
        words.insert(explanation.cut_at, _format_cut(explanation))
    return "\n".join(words)


OUTPUTS = {".html": _page, ".jsonl": _records}

STYLE = """article { border-top: 1px solid #bbb }
blockquote { color: #444; margin: 1rem 0; white-space: pre-wrap }
article h2 { border: 0; font-size: 1rem; margin: 1rem 0 0; padding: 0 }
.row, .note { color: #444; font-size: .875rem; margin: 0 }
"""
# How to read the coloured words.
LEGEND = """<p>Words on <mark style="background:rgba(224,49,49,0.75)">red</mark> speak for the
class that is named below them, words on
<mark style="background:rgba(34,110,225,0.75)">blue</mark> against it. Point at a word to see its
weight in log-odds (integrated gradients) and by how much the log-odds fall where it is unknown
(occlusion).</p>
"""
_HEAD = f"{begin_page('Why these answers', STYLE)}<h1>Why these answers</h1>\n{LEGEND}"
