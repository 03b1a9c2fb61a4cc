"""Rows that are likely to be mistakes, or that need an option to be read well."""

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from apps.inspection.texts.rows import Rows
from apps.pages.parts import Paragraph, Part, Section, Table
from data.text.characters import INVISIBLE

# Of a longer text the rest is not looked at.
_MOST_CHARACTERS = 5000
# A text is in another script if more than half of its letters are.
_MOST_SCRIPTS = 3
_INVISIBLE = re.compile(INVISIBLE)


def _matches(pattern: str) -> Callable[[str], bool]:
    found = re.compile(pattern)
    return lambda text: found.search(text) is not None


def _has_no_letter(text: str) -> bool:
    return not any(map(str.isalpha, text))


def _is_all_capitals(text: str) -> bool:
    return text.isupper() and sum(map(str.isalpha, text)) >= 10


def _hides_characters(text: str) -> bool:
    # Emoji of several parts need theirs.
    return _INVISIBLE.search(text.replace("\ufe0f", "").replace("\u200d", "")) is not None


# What a row may have, and how it is found.
CHECKS: dict[str, Callable[[str], bool]] = {
    "control characters": _matches(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"),
    "invisible characters": _hides_characters,
    "lost characters (U+FFFD)": _matches("\ufffd"),
    "UTF-8 that was read as Windows-1252 (Ã©)": _matches("Ã[\x80-\xbf©¨¼¶¤]|â€|Â[\xa0-\xbf]|ðŸ"),
    "HTML tags": _matches(r"</?[a-zA-Z][^<>]{0,99}>"),
    "HTML escapes (&amp;)": _matches(r"&(?:[a-zA-Z]{2,8}|#[0-9]{1,7});"),
    "links": _matches(r"https?://|www\."),
    "user names (@name)": _matches(r"(?<!\w)@\w+"),
    "no letter": _has_no_letter,
    "a single word": lambda text: len(text.split(maxsplit=1)) < 2,
    "capitals alone": _is_all_capitals,
    "a word of more than 50 letters": _matches(r"[^\W\d_]{51,}"),
}


def count_oddities(rows: Rows) -> dict[str, tuple[int, str]]:
    """Counts the rows in which something odd is found; returns their number and the first text by
    what it is, without what no row has."""
    found: dict[str, tuple[int, str]] = {}
    for _, text, _ in rows:
        head = text[:_MOST_CHARACTERS]
        for name, is_odd in CHECKS.items():
            if is_odd(head):
                count, first = found.get(name, (0, text))
                found[name] = (count + 1, first)
    return {name: found[name] for name in CHECKS if name in found}


def find_scripts(rows: Rows) -> dict[str, tuple[int, str]]:
    """Counts the rows by the script of most of their letters, with a text of each, the most
    frequent script first."""
    found: dict[str, tuple[int, str]] = {}
    for _, text, _ in rows:
        script = _script_of_text(text[:_MOST_CHARACTERS])
        if script:
            count, first = found.get(script, (0, text))
            found[script] = (count + 1, first)
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def _script_of_text(text: str) -> str:
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts = Counter(_script(letter) for letter in text if letter.isalpha())
    return counts.most_common(1)[0][0] if counts else ""


@functools.lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Returns the script of a letter, as its name in Unicode begins."""
    return unicodedata.name(letter, "unknown").split()[0].capitalize()


def describe_oddities(rows: Rows) -> Section:
    """Returns the section on odd rows."""
    total = max(len(rows), 1)
    odd, (_, *others) = count_oddities(rows), list(find_scripts(rows).items()) or [("", (0, ""))]
    lines = [(name, count, f"{count / total:.1%}", text) for name, (count, text) in odd.items()]
    for script, (count, text) in others[:_MOST_SCRIPTS]:
        lines.append((f"letters of another script: {script}", count, f"{count / total:.1%}", text))
    parts: list[Part] = [Table(("rows with", "number", "share", "the first one"), lines)]
    if not lines:
        parts = [Paragraph("No row has control characters, HTML, links or another script.")]
    facts = {name: count for name, (count, _) in odd.items()}
    scripts = {script: count for script, (count, _) in others}
    return Section("odd_rows", "Odd rows", parts, {**facts, "other_scripts": scripts})
