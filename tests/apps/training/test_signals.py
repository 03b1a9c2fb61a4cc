import signal
import threading

import pytest

from apps.training.signals import HungUp, Signals, Terminated

ALL = pytest.mark.parametrize(
    ("number", "exception"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, Terminated),
        (signal.SIGHUP, HungUp),
    ],
)


@ALL
def test_a_signal_is_raised_at_once(number, exception):
    with pytest.raises(exception), Signals():
        signal.raise_signal(number)


@ALL
def test_a_signal_waits_for_the_release(number, exception):
    done = []
    with Signals() as signals:
        signals.hold()
        signal.raise_signal(number)
        done.append("step")
        with pytest.raises(exception):
            signals.release()
        signals.release()
    assert done == ["step"]


def test_what_still_waits_at_the_end_reaches_the_former_handler():
    with pytest.raises(Terminated), Signals(), Signals() as inner:
        inner.hold()
        signal.raise_signal(signal.SIGTERM)


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Signals():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_is_ignored_stays_so():
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, former)


def test_another_thread_is_left_without_handlers():
    before, found = signal.getsignal(signal.SIGTERM), []

    def look():
        with Signals():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [before]
