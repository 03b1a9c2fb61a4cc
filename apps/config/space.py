"""What a search may try of an option: a range of numbers, or some values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, whole ones if both ends are.

    Attributes:
        low, high: the ends, both included.
        log: whether each order of magnitude is tried as often as any other, as suits learning
            rates.
        step: between two values; None for any number, 1 for whole ones.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None


# By the name of an option: a range, or the values to choose from.
Space = dict[str, Range | tuple]
