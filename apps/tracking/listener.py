"""What hears of the epochs of the training that goes on."""

from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path

# It is told each time that a history is written: the path of the file, and its rows.
history_listener: ContextVar[Callable[[Path, list[dict]], None] | None] = ContextVar(
    "history_listener", default=None
)
