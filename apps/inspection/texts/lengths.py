"""How long texts are: quantiles, a histogram, and how many a training would cut."""

import itertools
import re
from collections.abc import Iterable

import numpy as np

from apps.pages.parts import Bars, Cell, Paragraph, Part, Section, Table

# The tokens of the models are cut finer or coarser, each kind by rules of its own.
_WORDS = re.compile(r"https?:\S*|www\.\S+|[@#]?\w+|[^\w\s]")
WORDS_AND_SIGNS = "words and signs"
_QUANTILES = {"shortest": 0.0, "median": 0.5, "90 %": 0.9, "95 %": 0.95, "99 %": 0.99, "longest": 1}
_BINS = 12


def count_words(text: str) -> int:
    """Counts the words and signs of a text: about as many as a model reads tokens."""
    return sum(1 for _ in _WORDS.finditer(text))


def quantiles(lengths: Iterable[int]) -> dict[str, int]:
    """Returns the shortest, the longest and some lengths between them, by name; none of none."""
    values = np.fromiter(lengths, np.int64)
    if not len(values):
        return {}
    return {name: int(np.quantile(values, share)) for name, share in _QUANTILES.items()}


def share_above(lengths: Iterable[int], limit: int) -> float:
    """Returns the share of lengths above a limit; 0 of none."""
    values = np.fromiter(lengths, np.int64)
    return float((values > limit).mean()) if len(values) else 0.0


def describe_lengths(
    lengths: dict[str, list[int]], unit: str, limit: int = 0, what_happens: str = ""
) -> Section:
    """Returns the section on lengths.

    Args:
        lengths: by split.
        unit: what is counted.
        limit: beyond which `what_happens` to a text; 0 for none.
        what_happens: such as "are cut to their head".
    """
    rows: list[list[Cell]] = []
    facts = {}
    for split, values in lengths.items():
        found = quantiles(values)
        longer = share_above(values, limit) if limit else None
        facts[split] = {**found, **({} if longer is None else {"longer": longer})}
        cells: list[Cell] = [split, *found.values()]
        rows.append([*cells, f"{longer:.1%}"] if longer is not None else cells)
    head = ["split", *_QUANTILES, *([f"> {limit}"] if limit else [])]
    parts: list[Part] = [
        Table(head, rows, unit),
        Bars(unit, _histogram([*itertools.chain(*lengths.values())])),
    ]
    if limit and what_happens:
        parts.append(Paragraph(f"Texts of more than {limit} {what_happens}."))
    return Section("lengths", "Lengths", parts, {"unit": unit, "limit": limit, **facts})


def _histogram(values: list[int]) -> list[tuple[str, int]]:
    """Counts lengths in bins of one width up to the 99 % quantile, and those beyond in one."""
    numbers = np.array(values or [0])
    top = max(1, int(np.quantile(numbers, 0.99)))
    width = max(1, -(-top // _BINS))
    bins = []
    for low in range(0, top + 1, width):
        count = int(((numbers >= low) & (numbers < low + width)).sum())
        label = f"{low}" if width == 1 else f"{low} - {low + width - 1}"
        bins.append((label, count))
    beyond = int((numbers >= low + width).sum())
    return [*bins, (f"from {low + width}", beyond)] if beyond else bins
