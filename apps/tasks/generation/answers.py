"""The answer of a language model: what follows a text."""

from dataclasses import dataclass

from data.messages import printable


@dataclass(frozen=True)
class Continuation:
    """The answer of a language model to the beginning of a text.

    Attributes:
        text: the beginning.
        continuation: what follows it.
        log_likelihood: of the continuation; with a length penalty, divided by it.
        problem: what kept the text from being answered, or the empty text.
    """

    text: str
    continuation: str = ""
    log_likelihood: float | None = None
    problem: str = ""

    def __str__(self) -> str:
        return printable(self.problem or self.text + self.continuation)
