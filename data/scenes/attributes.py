"""What a scene shows: one group of equal shapes, or two and where they lie."""

from typing import NamedTuple, Self

NUMBERS = (1, 2, 3)
SIZES = ("small", "large")
COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
SHAPES = ("circle", "square", "triangle", "cross")
# Where the first group lies, seen from the second; the other two relations are these, read from the
# other group.
RELATIONS = ("left of", "above")
REVERSED = {"right of": "left of", "below": "above"}


class Group(NamedTuple):
    """Equal shapes: `Group(2, "small", "red", "circle")` is two small red circles."""

    number: int
    size: str
    colour: str
    shape: str


class Attributes(NamedTuple):
    """All that a caption says of a scene.

    Attributes:
        first: the only group, or the one on the left or above.
        relation: one of `RELATIONS`; empty if there is one group.
        second: the group on the right or below; None if there is one group.
    """

    first: Group
    relation: str = ""
    second: Group | None = None

    @classmethod
    def relate(cls, subject: Group, relation: str, other: Group) -> Self:
        """Returns the scene in which `subject` is, say, `right of` the other group: one way to hold
        what two sentences can say."""
        if relation in REVERSED:
            return cls(other, REVERSED[relation], subject)
        return cls(subject, relation, other)

    @property
    def groups(self) -> tuple[Group, ...]:
        """One group or two."""
        return (self.first,) if self.second is None else (self.first, self.second)
