"""Seeded, stratified splits that depend on what the rows say, never on where they stand."""

import hashlib
import html
import re
from collections import Counter, defaultdict

from data.examples import SPLITS

FRACTIONS = {"train": 0.8, "validation": 0.1, "test": 0.1}

_ADDRESSES = re.compile(r"https?://\S+|@\w+")
_NOT_WORDS = re.compile(r"\W+")


def canonical(text: str) -> str:
    """The form under which two texts count as duplicates of each other.

    Case, punctuation, white space, HTML escapes, user names and links do not make a text
    different: retweets would otherwise stand on both sides of a split.
    """
    words = _ADDRESSES.sub(" ", html.unescape(text).lower())
    # Texts of signs alone (emoji, "!!!") keep their signs: they are not all the same text.
    return _NOT_WORDS.sub(" ", words).strip() or " ".join(words.split())


def split_by_content(
    texts: list[str], strata: list, seed: int = 0, fractions: dict[str, float] = FRACTIONS
) -> dict[str, list[int]]:
    """Assigns every row to a split by a hash of its canonical text.

    Duplicates form one group, which never crosses splits and belongs to its most frequent
    stratum. Within a stratum groups are ordered by the sha256 of seed and text, and cut at the
    fractions; so the order of the rows, their number of copies and the platform change nothing.

    Args:
        texts: raw texts, one a row.
        strata: one hashable value a row, usually the label.
        seed: another seed gives another split of the same rows.
        fractions: share of each split; they sum to 1.

    Returns:
        Ascending row numbers by split name.
    """
    rows_of = defaultdict(list)
    for row, text in enumerate(texts):
        rows_of[canonical(text)].append(row)
    groups_of = defaultdict(list)
    for group, rows in rows_of.items():
        counts = Counter(strata[row] for row in rows)
        stratum = min(counts, key=lambda value: (-counts[value], str(value)))
        digest = hashlib.sha256(f"{seed}\n{group}".encode("utf-8", "surrogatepass")).digest()
        groups_of[stratum].append((digest, rows))
    splits = {name: [] for name in SPLITS}
    for stratum in sorted(groups_of, key=str):
        for name, groups in _cut(sorted(groups_of[stratum]), fractions).items():
            splits[name].extend(row for _, rows in groups for row in rows)
    return {name: sorted(rows) for name, rows in splits.items()}


def _cut(groups: list, fractions: dict[str, float]) -> dict[str, list]:
    """Cuts ordered groups so that each split gets its share of the rows."""
    total = sum(len(rows) for _, rows in groups)
    names, cuts, cumulated = list(fractions), [], 0.0
    for name in names:
        cumulated += fractions[name]
        cuts.append(round(total * cumulated))
    parts, seen, part = {name: [] for name in names}, 0, 0
    for group in groups:
        while part < len(names) - 1 and seen >= cuts[part]:
            part += 1
        parts[names[part]].append(group)
        seen += len(group[1])
    return parts
