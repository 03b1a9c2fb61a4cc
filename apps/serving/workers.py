"""Processes that answer batches of texts side by side, in the order in which these were given."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, Self

from apps.serving.windows import AnswerBatch, answer_side_by_side
from data.errors import UserError

# Processes that end while they answer the same batch, until the batch is given up.
_MOST_DEATHS = 3
_PATIENCE_SECONDS = 10


class Workers:
    """Processes of which each loads a model and answers one batch at a time:

    with Workers(load, 4) as workers:
        for rows in workers.answer_windows(windows):
            ...

    They divide the cores among them. A process that dies is replaced, and its batch is answered
    again. None outlives the `with`, nor the process that has started it, whatever that dies of: the
    pipe to it ends then.

    Args:
        load: is called in each process, and returns what answers there; it can be pickled.
        count: how many processes.
    """

    def __init__(self, load: Callable[[], AnswerBatch], count: int) -> None:
        self._load, self._count = load, count
        self._threads = max(1, len(os.sched_getaffinity(0)) // count)
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._all: set[_Worker] = set()
        self._changing, self._over = threading.Lock(), False
        # Each hands one batch to one process, and waits for it.
        self._waiting = ThreadPoolExecutor(count, "answers")

    def __enter__(self) -> Self:
        for _ in range(self._count):
            self._idle.put(self._start())
        return self

    def __exit__(self, *exception: object) -> None:
        with self._changing:
            self._over = True
        for worker in self._all:
            worker.end()
        self._waiting.shutdown(cancel_futures=True)

    def answer_windows(self, windows: Iterable[list[str]]) -> Iterator[list[dict]]:
        """Yields the output columns of the texts of each window, in order.

        Windows are read ahead until each process has two batches to answer.

        Args:
            windows: texts, as many at once as memory holds.

        Raises:
            UserError: processes die of a batch, or no process can load the model.
        """

        def begin(texts: list[str]) -> Future:
            return self._waiting.submit(self._answer, texts)

        return answer_side_by_side(begin, lambda rows: rows, 2 * self._count, windows)

    def _answer(self, texts: list[str]) -> list[dict]:
        for _ in range(_MOST_DEATHS):
            worker = self._idle.get()
            try:
                rows = worker.answer(texts)
            except (EOFError, OSError):
                status = worker.end()
                worker = self._start(instead=worker)
                continue
            finally:
                self._idle.put(worker)
            return rows
        raise UserError(
            f"{_MOST_DEATHS} processes ended while they answered the same {len(texts)} text(s), "
            f"the last one with status {status}. If memory is short, lower --workers"
        )

    def _start(self, instead: "_Worker | None" = None) -> "_Worker":
        with self._changing:
            if self._over:
                raise UserError("answers are wanted no more")
            worker = _Worker(self._load, self._threads)
            self._all = (self._all - {instead}) | {worker}
            return worker


class _Worker:
    """A process and the pipe to it."""

    def __init__(self, load: Callable[[], AnswerBatch], threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_main, args=(load, threads, other), daemon=True
        )
        self._process.start()
        # Only the process has it now: when that ends, reading ends.
        other.close()
        self._ending = threading.Lock()

    def answer(self, texts: list[str]) -> list[dict]:
        """Returns the output columns of each text of a batch.

        Raises:
            EOFError, OSError: the process has ended.
            Exception: what was raised there.
        """
        self._pipe.send(texts)
        rows, error = self._pipe.recv()
        if error is not None:
            raise error
        return rows

    def end(self) -> int | None:
        """Ends the process, if it has not ended; returns its status."""
        with self._ending:
            self._process.terminate()
            self._process.join(_PATIENCE_SECONDS)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            return self._process.exitcode


def _main(load: Callable[[], AnswerBatch], threads: int, pipe: Connection) -> None:
    """What a process does."""
    # Ctrl-C goes to all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # TensorFlow reads it when it starts.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    with suppress(EOFError, OSError):
        try:
            answer = load()
        except Exception as error:
            answer = _raise(error)
        while True:
            texts = pipe.recv()
            try:
                reply: tuple[Any, Exception | None] = answer(texts), None
            except Exception as error:
                reply = None, error
            pipe.send(reply)


def _raise(error: Exception) -> AnswerBatch:
    """Returns what answers every batch with an error."""

    def answer(texts: list[str]) -> list[dict]:
        raise error

    return answer
