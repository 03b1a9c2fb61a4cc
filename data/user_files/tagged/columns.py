"""Which columns of a user's file of tagged texts hold what."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TaggedColumns:
    """Which columns hold what.

    Attributes:
        token, tag: numbers of columns in a file of tokens, from 0; negative ones from the right.
        text, spans, split: names of columns in a file of texts.
    """

    token: int = 0
    tag: int = -1
    text: str = "text"
    spans: str = "spans"
    split: str = "split"
