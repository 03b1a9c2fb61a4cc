"""Seeded, stratified splits that depend on what the rows say, never on where they stand."""

import functools
import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable

from data.examples.corpus import SPLITS
from data.text.characters import unescape
from data.text.invisible import drop_invisible

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}

_ADDRESSES = re.compile(r"https?://\S+|@\w+|\brt\b")
# Unicode categories of signs that do not make another text: punctuation, symbols, white space and
# control characters. Marks stay: they are the vowels of many scripts.
_NOT_WORDS = "PSZC"
# No language puts more marks on a letter (UAX 15's stream-safe format), and the time that Python's
# NFC takes grows with the square of their number.
_MOST_MARKS = 30
# Beyond it there are no marks that combine.
_LAST_MARK = 0x1FFFF
# Strata with fewer groups are split together: alone they could not reach every split.
_FEWEST_GROUPS = 10


class _SignsToSpaces(dict):
    """A table for `str.translate`, filled as characters are met: reviews have millions of them."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        sign = unicodedata.category(character)[0] in _NOT_WORDS
        return self.setdefault(code, " " if sign else character)


_signs_to_spaces = _SignsToSpaces()


def canonical(text: str) -> str:
    """The form under which two texts count as duplicates of each other.

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
    """NFC in linear time."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _long_runs_of_marks().sub(r"\1", text))


@functools.cache
def _long_runs_of_marks() -> re.Pattern:
    marks = "".join(
        chr(code)
        for code in range(_LAST_MARK)
        # A few are marks of marks: they combine once they are decomposed.
        if all(map(unicodedata.combining, unicodedata.normalize("NFD", chr(code))))
    )
    return re.compile(f"([{marks}]{{{_MOST_MARKS}}})[{marks}]+")


def split_by_content(
    texts: list[str],
    strata: list,
    seed: int = 0,
    fractions: dict[str, float] = FRACTIONS,
    form: Callable[[str], str] = canonical,
) -> dict[str, list[int]]:
    """Assigns every row to a split by a hash of its form, the canonical text.

    Duplicates form one group, which never crosses splits and belongs to its most frequent
    stratum. Within a stratum groups are ordered by the sha256 of seed and text, and cut at the
    fractions; so the order of the rows, their number of copies and the platform change nothing.
    Where there are as many groups as splits, each split gets one at least.

    Args:
        texts: raw texts, one a row.
        strata: one hashable value a row, usually the label.
        seed: another seed gives another split of the same rows.
        fractions: share of each split; they sum to 1.
        form: what duplicates have in common.

    Returns:
        Ascending row numbers by split name.
    """
    rows_of = defaultdict(list)
    for row, text in enumerate(texts):
        rows_of[form(text)].append(row)
    groups_of = defaultdict(list)
    for group, rows in rows_of.items():
        counts = Counter(strata[row] for row in rows)
        stratum = min(counts, key=lambda value: (-counts[value], str(value)))
        digest = hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()
        groups_of[stratum].append((digest, rows))
    splits = {name: [] for name in SPLITS}
    for groups in _large_enough(groups_of):
        for name, part in _cut(sorted(groups), fractions).items():
            splits[name].extend(row for _, rows in part for row in rows)
    return {name: sorted(rows) for name, rows in splits.items()}


def _large_enough(groups_of: dict) -> list[list]:
    """The groups of each stratum; those of small strata together."""
    small, large = [], []
    for stratum in sorted(groups_of, key=str):
        groups = groups_of[stratum]
        if len(groups) < _FEWEST_GROUPS and len(groups_of) > 1:
            small += groups
        else:
            large.append(groups)
    return [*large, small] if small else large


def _cut(groups: list, fractions: dict[str, float]) -> dict[str, list]:
    """Cuts ordered groups at the fractions; as far as they last, each split gets one."""
    cuts, cumulated = [], 0.0
    for fraction in fractions.values():
        cumulated += fraction
        cuts.append(round(len(groups) * cumulated))
    if len(groups) >= len(cuts):
        for i in range(len(cuts) - 1):
            cuts[i] = max(cuts[i], i + 1)
        for i in reversed(range(len(cuts) - 1)):
            cuts[i] = min(cuts[i], cuts[i + 1] - 1)
    starts = [0, *cuts[:-1]]
    return {
        name: groups[start:end] for name, start, end in zip(fractions, starts, cuts, strict=True)
    }
