"""Which columns of a user's file hold what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Which columns hold what.

    Attributes:
        text: the column with the texts.
        label: the column with the class; several, separated by commas, are one 0/1 column a class
            (multi-label).
        split: the column with the split; it is used if the file has it.
        label_separator: splits a label cell into any number of classes (multi-label); empty: one.
    """

    text: str = "text"
    label: str = "label"
    split: str = "split"
    label_separator: str = ""

    @property
    def labels(self) -> list[str]:
        """The names of the label columns."""
        return [name.strip() for name in self.label.split(",")]
