"""The interfaces of what answers texts: a trained task, or something built upon one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:  # a command that only prints its help must not wait for TensorFlow
    import tensorflow as tf


class ServingModel(Protocol):
    """A graph from raw strings to answers."""

    def serve(self, texts: "tf.Tensor") -> "dict[str, tf.Tensor]":
        """Answers <string>[batch]; each tensor of the answer has a row a text."""


class Shown(Protocol):
    """Has answers that can be written and shown."""

    def empty_row(self) -> dict:
        """Returns the output columns of a row that could not be answered."""

    def format_answer(self, text: str, row: dict) -> str:
        """Formats a text and its output columns for the terminal, without side effects."""


@runtime_checkable
class Answering(Shown, Protocol):
    """Answers texts by a graph of TensorFlow: what `predict`, a server and workers need."""

    def serving(self) -> ServingModel:
        """Returns the model that takes raw strings."""

    def output_rows(self, answer: "dict[str, tf.Tensor]") -> list[dict]:
        """Returns the output columns of each text of a batch that the serving model answered."""


@runtime_checkable
class Direct(Shown, Protocol):
    """Answers texts without a graph, such as `apps.tasks.portable.OnnxEngine`."""

    def answer(self, texts: Sequence[str]) -> list[dict]:
        """Returns the output columns of each text."""


@runtime_checkable
class Typed(Protocol):
    """Has a type of its own for an answer, for Python."""

    def to_result(self, text: str, row: dict, problem: str) -> Any:
        """Returns the answer to a text as an object that prints well.

        Args:
            text: what was answered.
            row: its output columns.
            problem: what kept it from being answered, or the empty text.
        """


@dataclass(frozen=True)
class Answer:
    """The answer to a text, of a task that has no type of its own for it.

    Attributes:
        text: what was answered.
        columns: of the answer, by name.
        problem: what kept the text from being answered, or the empty text.
    """

    text: str
    columns: dict[str, Any]
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.text}\n    {self.problem or self.columns}"


@runtime_checkable
class Illustrating(Protocol):
    """Has pictures of its answers."""

    def draw_answer(self, row: dict, number: int) -> Path | None:
        """Draws an answer; returns the path of the picture, or None if there is nothing to draw.

        Args:
            row: its output columns.
            number: of the answer within the command, from 1.
        """


@runtime_checkable
class Summarizing(Protocol):
    """Tells something of all that it has answered."""

    def summary(self) -> str:
        """Returns a line on all answers so far."""
