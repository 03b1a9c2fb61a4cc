"""SIGINT, SIGTERM and SIGHUP as exceptions that wait while something is half done."""

import signal
import threading
from types import FrameType
from typing import Any, Self


class Terminated(BaseException):
    """SIGTERM has come; what `KeyboardInterrupt` is to SIGINT."""

    status = 128 + signal.SIGTERM


class HungUp(Terminated):
    """SIGHUP has come: the terminal was closed."""

    status = 128 + signal.SIGHUP


_EXCEPTIONS: dict[int, type[BaseException]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: Terminated,
    signal.SIGHUP: HungUp,
}


class Signals:
    """Raises the exceptions of signals at once, but those between `hold` and `release` afterwards:

    with Signals() as signals:
        signals.hold()
        ...  # a step of training and what is noted of it
        signals.release()
    """

    def __init__(self) -> None:
        self._held = False
        self._waiting: int | None = None
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Python allows handlers in the main thread alone. What is ignored (nohup) stays so.
        if threading.current_thread() is threading.main_thread():
            for number in _EXCEPTIONS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._former[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        if self._waiting:
            signal.raise_signal(self._waiting)

    def hold(self) -> None:
        """From here on signals wait."""
        self._held = True

    def release(self) -> None:
        """Raises what has come since `hold`."""
        self._held = False
        if self._waiting:
            number, self._waiting = self._waiting, None
            raise _EXCEPTIONS[number]

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if not self._held:
            raise _EXCEPTIONS[number]
        self._waiting = number
