"""Texts of one split that nearly stand in another: MinHash finds them, and a count confirms them.

The rule: of all pairs of neighbouring words that either text has, both have 70 % (Jaccard). Texts
of fewer than six words are left out, since one word decides there. Candidates come from MinHash
signatures in bands (Broder 1997; Leskovec et al., "Mining of Massive Datasets", chapter 3), which
finds 98 % of the pairs at 0.7 and more of those above; each candidate is then counted exactly. Time
and memory grow with the number of words, which is bounded.
"""

import itertools
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from apps.inspection.texts.rows import Rows
from apps.pages.parts import Paragraph, Part, Section, Table
from data.examples.splits import canonical_form

ALIKE = 0.7
FEWEST_WORDS = 6
_BANDS, _ROWS_OF_A_BAND = 16, 4
# Words of all texts that are looked at: beyond them training texts are left out.
_MOST_WORDS = 15_000_000
# Texts of a bucket that are compared with each other: template spam fills one with thousands.
_MOST_IN_A_BUCKET = 40
_SHOWN = 5
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 1], np.uint64)
_PRIME = np.uint64((1 << 31) - 1)


class Pair(NamedTuple):
    """Two texts that are alike.

    Attributes:
        earlier, later: split and number of each text, the splits in their order.
        share: of their pairs of words that both have.
    """

    earlier: tuple[str, int]
    later: tuple[str, int]
    share: float


def find_near_duplicates(rows: Rows, most_words: int = _MOST_WORDS) -> tuple[list[Pair], int]:
    """Finds the most similar text of an earlier split for each text of a later one; copies, whose
    form is the same, are not among them.

    Args:
        rows: the texts.
        most_words: that are looked at; training texts beyond them are left out.

    Returns:
        The pairs, and how many texts were left out for their number.
    """
    # The small splits first: what is left out is a part of the training split.
    order = sorted(rows.texts, key=lambda split: len(rows.texts[split]))
    places: list[tuple[str, int]] = []
    shingles: list[np.ndarray] = []
    forms: list[str] = []
    words, left_out = 0, 0
    for split in order:
        for number, text in enumerate(rows.texts[split]):
            if words > most_words:
                left_out += 1
                continue
            form = canonical_form(text)
            tokens = form.split()
            if len(tokens) < FEWEST_WORDS:
                continue
            words += len(tokens)
            places.append((split, number))
            shingles.append(_hash_pairs(tokens))
            forms.append(form)
    if len({split for split, _ in places}) < 2:
        return [], left_out
    rank = {split: place for place, split in enumerate(rows.texts)}
    best: dict[tuple[str, int], Pair] = {}
    for one, other in _candidates(_signatures(shingles), [split for split, _ in places]):
        if forms[one] == forms[other]:
            continue
        common = len(np.intersect1d(shingles[one], shingles[other], assume_unique=True))
        share = common / (len(shingles[one]) + len(shingles[other]) - common)
        if share < ALIKE:
            continue
        earlier, later = sorted((places[one], places[other]), key=lambda place: rank[place[0]])
        if later not in best or best[later].share < share:
            best[later] = Pair(earlier, later, share)
    return sorted(best.values(), key=lambda pair: -pair.share), left_out


def _hash_pairs(tokens: Sequence[str]) -> np.ndarray:
    """Returns the different pairs of neighbouring words as numbers, <uint64>[pairs]."""
    pairs = {
        zlib.crc32(f"{one} {other}".encode("utf-8", "surrogatepass"))
        for one, other in itertools.pairwise(tokens)
    }
    return np.fromiter(pairs, np.uint64, len(pairs))


def _signatures(shingles: list[np.ndarray]) -> np.ndarray:
    """Returns the MinHash signature of each set, <uint64>[sets, bands * rows]."""
    generator = np.random.default_rng(0)
    size = _BANDS * _ROWS_OF_A_BAND
    # Below 2^31: products of two such numbers fit 64 bits.
    factors = generator.integers(1, int(_PRIME), size).astype(np.uint64)
    shifts = generator.integers(0, int(_PRIME), size).astype(np.uint64)
    found = np.empty((len(shingles), size), np.uint64)
    for row, numbers in enumerate(shingles):
        hashed = (numbers[:, None] % _PRIME * factors + shifts) % _PRIME
        found[row] = hashed.min(axis=0)
    return found


def _candidates(signatures: np.ndarray, splits: list[str]) -> set[tuple[int, int]]:
    """Returns pairs of texts of different splits that share a band of their signatures."""
    found = set()
    for band in np.split(signatures, _BANDS, axis=1):
        # Four numbers in one; two bands that share it by chance are told apart by the count.
        mixed = band @ _MIX
        _, bucket, sizes = np.unique(mixed, return_inverse=True, return_counts=True)
        shared = np.flatnonzero(sizes[bucket] > 1)
        order = shared[np.argsort(bucket[shared], kind="stable")]
        ends = np.flatnonzero(np.diff(bucket[order])) + 1
        for members in np.split(order, ends):
            few = members[:_MOST_IN_A_BUCKET].tolist()
            # In a full bucket each further text is compared with the first of every split.
            firsts = {splits[each]: each for each in reversed(few)}.values()
            for place, one in enumerate(few):
                others = few[place + 1 :]
                found |= {(one, other) for other in others if splits[one] != splits[other]}
            for one in members[_MOST_IN_A_BUCKET:].tolist():
                found |= {(other, one) for other in firsts if splits[one] != splits[other]}
    return found


def describe_near_duplicates(rows: Rows) -> Section:
    """Returns the section on texts of a later split that are nearly in an earlier one."""
    pairs, left_out = find_near_duplicates(rows)
    counts: dict[str, int] = {}
    for pair in pairs:
        counts[pair.later[0]] = counts.get(pair.later[0], 0) + 1
    parts: list[Part] = [
        Paragraph(
            f"Two texts are nearly the same if they have {ALIKE:.0%} of their pairs of "
            f"neighbouring words in common (Jaccard); texts of fewer than {FEWEST_WORDS} words "
            "are left out."
        )
    ]
    if left_out:
        parts.append(Paragraph(f"{left_out:,} training text(s) were left out: there are too many."))
    later = list(rows.texts)[1:]
    table = [
        (
            split,
            counts.get(split, 0),
            f"{counts.get(split, 0) / max(len(rows.texts[split]), 1):.1%}",
        )
        for split in later
    ]
    if table:
        parts.append(Table(("split", "nearly in an earlier split", "share"), table))
    if counts:
        worst = max(counts, key=lambda split: counts[split] / len(rows.texts[split]))
        parts.append(
            Paragraph(
                f"{counts[worst]:,} text(s) of {worst} are nearly known from an earlier split: "
                "metrics there are better than on new texts.",
                "warning" if counts[worst] > 0.01 * len(rows.texts[worst]) else "plain",
            )
        )
        shown = [
            (
                f"{pair.share:.0%}",
                f"{pair.later[0]}: {rows.texts[pair.later[0]][pair.later[1]]}",
                f"{pair.earlier[0]}: {rows.texts[pair.earlier[0]][pair.earlier[1]]}",
            )
            for pair in pairs[:_SHOWN]
        ]
        parts.append(Table(("in common", "text", "nearly the same"), shown))
    facts = {"rule": f"Jaccard of word pairs >= {ALIKE}", "rows": counts, "left_out": left_out}
    return Section("near_duplicates", "Near-duplicates across splits", parts, facts)
