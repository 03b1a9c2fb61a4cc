"""A progress bar that leaves nothing behind."""

import time
from typing import Any

# Seconds between two pictures of it.
_PAUSE = 0.1


class Bar:
    """A bar on standard output, drawn by rich, which is imported with the first picture."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._task: Any = None
        self._drawn = 0.0

    def show(self, title: str, done: int, total: int) -> None:
        """Draws how much is done, if the last picture is not of just now."""
        if time.monotonic() - self._drawn < _PAUSE:
            return
        if self._progress is None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            # No thread draws it: signals wait only while a step runs in this one.
            self._progress = Progress(
                "{task.description}",
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                transient=True,
                auto_refresh=False,
            )
            self._task = self._progress.add_task(title, total=total)
            self._progress.start()
        self._progress.update(self._task, completed=done, refresh=True)
        self._drawn = time.monotonic()

    def close(self) -> None:
        """Removes the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
