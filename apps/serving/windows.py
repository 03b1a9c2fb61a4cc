"""Windows of texts: cut into batches of like length, answered side by side, and in order again."""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

# As many texts at once as this, or fewer long ones: memory does not grow with their length.
MOST_AT_ONCE = 256
_CHARACTERS = 2**18
# About the tokens of a text. By characters, a batch is as wide as the text of the shortest words.
_TOKEN = re.compile(r"https?://\S+|&#?\w+;|@\w+|[\w']+|([^\w\s])(?:\1\1+)?")
# Threads that ask a graph, at most: one more than cores, since one of them often waits for Python.
_MOST_THREADS = 8

# Returns the output columns of each text of a batch.
AnswerBatch = Callable[[list[str]], list[dict]]
# Returns the output columns of the texts of each window, in order; it may read some windows ahead.
AnswerWindows = Callable[[Iterable[list[str]]], Iterator[list[dict]]]


def cut_batches(texts: list[str]) -> list[list[int]]:
    """Returns the places of the texts of each batch, texts of like length together."""
    lengths = [(len(_TOKEN.findall(text)), len(text)) for text in texts]
    order = sorted(range(len(texts)), key=lengths.__getitem__, reverse=True)
    batches = []
    while order:
        size = _batch_size(max(len(texts[i]) for i in order[:MOST_AT_ONCE]))
        batch, order = order[:size], order[size:]
        # What is drawn by chance depends on the place in the batch.
        batches.append(sorted(batch, key=lambda i: (-len(texts[i]), i)))
    return batches


def _batch_size(longest: int) -> int:
    """Returns a power of two: graphs that are compiled for each size then meet few of them."""
    return min(MOST_AT_ONCE, 1 << (max(1, _CHARACTERS // max(1, longest)).bit_length() - 1))


def answer_one_by_one(answer_batch: AnswerBatch, texts: list[str]) -> list[dict]:
    """Returns the output columns of the texts of a window, one batch after the other."""
    rows: list[dict] = [{}] * len(texts)
    for places in cut_batches(texts):
        _put_rows(rows, places, answer_batch([texts[i] for i in places]))
    return rows


def answer_in_threads(
    compute: Callable[[list[str]], Any],
    finish: Callable[[Any], list[dict]],
    windows: Iterable[list[str]],
) -> Iterator[list[dict]]:
    """Yields the output columns of the texts of each window, in order; several batches are computed
    at once.

    A graph leaves cores idle between its operations, and while Python reads and writes.

    Args:
        compute: computes a batch; threads call it side by side.
        finish: returns the output columns by what was computed; only this thread calls it, in the
            order of the batches.
        windows: texts, as many at once as memory holds.
    """
    threads = min(len(os.sched_getaffinity(0)) + 1, _MOST_THREADS)
    with ThreadPoolExecutor(threads, "answers") as pool:

        def begin(texts: list[str]) -> Future:
            return pool.submit(compute, texts)

        yield from answer_side_by_side(begin, finish, 4 * threads, windows)


def answer_side_by_side(
    begin: Callable[[list[str]], Future],
    finish: Callable[[Any], list[dict]],
    most: int,
    windows: Iterable[list[str]],
) -> Iterator[list[dict]]:
    """Yields the output columns of the texts of each window, in order.

    One window is read ahead, and more until so many batches wait: memory does not grow with the
    number of windows.

    Args:
        begin: begins to answer a batch.
        finish: returns the output columns by the result of what was begun.
        most: batches that are not finished, from which on no window but the next one is read.
        windows: texts, as many at once as memory holds.
    """
    read: deque[tuple[list[dict], list[tuple[list[int], Future]]]] = deque()
    waiting = 0
    source = iter(windows)
    try:
        while True:
            # What answers has something to do while the rows of a window are written, and others
            # read: there is always a next one.
            while waiting < most or len(read) < 2:
                if (texts := next(source, None)) is None:
                    break
                batches = [
                    (places, begin([texts[i] for i in places])) for places in cut_batches(texts)
                ]
                waiting += len(batches)
                read.append(([{}] * len(texts), batches))
            if not read:
                return
            rows, batches = read.popleft()
            for places, future in batches:
                _put_rows(rows, places, finish(future.result()))
                waiting -= 1
            yield rows
    finally:
        for _, batches in read:
            for _, future in batches:
                future.cancel()


def _put_rows(rows: list[dict], places: list[int], answers: list[dict]) -> None:
    """Puts the answers of a batch in the places of its texts."""
    for i, row in zip(places, answers, strict=True):
        rows[i] = row
