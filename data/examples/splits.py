"""Seeded, stratified splits that depend on the content of the rows, never on their order."""

import functools
import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence, Sized

from data.examples.corpus import SPLITS
from data.messages import warn
from data.text.characters import drop_invisible, unescape

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}
# Those where the test split stands elsewhere, or there is none.
TWO_SPLITS = {"train": 0.9, "validation": 0.1}
# The names of splits that users' files may have.
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}

_ADDRESSES = re.compile(r"https?://\S+|@\w+|\brt\b")
# Unicode categories of characters that do not make a text different: punctuation, symbols, white
# space and control characters. Marks stay: they are the vowels of many scripts.
_NOT_WORDS = "PSZC"
# No language puts more marks on a letter (UAX 15's stream-safe format), and the time that Python's
# NFC takes grows with the square of their number.
_MOST_MARKS = 30
# No combining mark has a higher code point.
_LAST_MARK = 0x1FFFF
# Strata with fewer groups are split together: one of them alone could not reach every split.
_FEWEST_GROUPS = 10


class _SignsToSpaces(dict):
    """A table for `str.translate`, filled on demand: reviews have millions of characters."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        sign = unicodedata.category(character)[0] in _NOT_WORDS
        return self.setdefault(code, " " if sign else character)


_signs_to_spaces = _SignsToSpaces()


def canonical_form(text: str) -> str:
    """Returns the form that a text shares with its duplicates.

    Case, punctuation, white space, invisible characters, HTML escapes, user names, links and the
    "RT" of a retweet do not make a text different: retweets would otherwise stand on both sides of
    a split.
    """
    # Twitter escaped text that was already escaped.
    plain = _compose(unescape(unescape(drop_invisible(text))).lower())
    words = _ADDRESSES.sub(" ", plain)
    letters = words.translate(_signs_to_spaces)
    # Texts of signs alone (emoji, "!!!") keep their signs: they are not all the same text.
    return " ".join(letters.split()) or " ".join(words.split())


def _compose(text: str) -> str:
    """Returns a text in NFC, in linear time."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _long_runs_of_marks().sub(r"\1", text))


@functools.cache
def _long_runs_of_marks() -> re.Pattern:
    marks = "".join(
        chr(code)
        for code in range(_LAST_MARK)
        # Some decompose into several marks.
        if all(map(unicodedata.combining, unicodedata.normalize("NFD", chr(code))))
    )
    return re.compile(f"([{marks}]{{{_MOST_MARKS}}})[{marks}]+")


def warn_of_replaced(path: str, splits: Mapping[str, Sized], files: Mapping[str, str]) -> None:
    """Says which rows of a file are left out, because their split stands in a file of its own.

    Args:
        path: the file.
        splits: its rows by split.
        files: the other files, by the split that each is.
    """
    for name, file in files.items():
        if count := len(splits.get(name, ())):
            warn(f"{path}: {count} row(s) of {name} left out, since {file} is the {name} split")


def split_by_content(
    texts: list[str],
    strata: Sequence[Hashable],
    seed: int = 0,
    fractions: dict[str, float] = FRACTIONS,
    form: Callable[[str], str] = canonical_form,
) -> dict[str, list[int]]:
    """Assigns each row to a split by a hash of its content.

    Duplicates form one group, which never crosses splits and belongs to its most frequent
    stratum. Within a stratum the groups are ordered by the sha256 of seed and form, and cut at the
    fractions; so the order of the rows, the number of copies and the platform change nothing.
    Where there are at least as many groups as splits, each split gets one.

    Args:
        texts: raw texts, one a row.
        strata: one hashable value a row, usually the label.
        seed: another seed gives another split of the same rows.
        fractions: share of each split; they sum to 1.
        form: makes of a text the form that its duplicates share.

    Returns:
        Ascending row numbers by split name.
    """
    duplicates = defaultdict(list)
    for row, text in enumerate(texts):
        duplicates[form(text)].append(row)
    groups_by_stratum = defaultdict(list)
    for group, rows in duplicates.items():
        counts = Counter(strata[row] for row in rows)
        stratum = min(counts, key=lambda value: (-counts[value], str(value)))
        digest = hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()
        groups_by_stratum[stratum].append((digest, rows))
    splits: dict[str, list[int]] = {name: [] for name in SPLITS}
    for groups in _merge_small_strata(groups_by_stratum):
        for name, part in _cut(sorted(groups), fractions).items():
            splits[name].extend(row for _, rows in part for row in rows)
    return {name: sorted(rows) for name, rows in splits.items()}


def _merge_small_strata(groups_by_stratum: dict) -> list[list]:
    """Returns the groups of each large stratum, and those of all small ones together."""
    small, large = [], []
    for stratum in sorted(groups_by_stratum, key=str):
        groups = groups_by_stratum[stratum]
        if len(groups) < _FEWEST_GROUPS and len(groups_by_stratum) > 1:
            small += groups
        else:
            large.append(groups)
    return [*large, small] if small else large


def _cut(groups: list, fractions: dict[str, float]) -> dict[str, list]:
    """Cuts ordered groups at the fractions; each split gets one if there are enough."""
    cuts, cumulative = [], 0.0
    for fraction in fractions.values():
        cumulative += fraction
        cuts.append(round(len(groups) * cumulative))
    if len(groups) >= len(cuts):
        for i in range(len(cuts) - 1):
            cuts[i] = max(cuts[i], i + 1)
        for i in reversed(range(len(cuts) - 1)):
            cuts[i] = min(cuts[i], cuts[i + 1] - 1)
    starts = [0, *cuts[:-1]]
    return {
        name: groups[start:end] for name, start, end in zip(fractions, starts, cuts, strict=True)
    }
