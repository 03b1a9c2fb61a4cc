"""Batches of what different clients ask at the same time."""

import asyncio
import bisect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

# Answers texts of one batch, outside of the event loop.
AnswerBatch = Callable[[list[str]], Awaitable[list[Any]]]


class QueueFull(Exception):
    """More texts wait than may."""


@dataclass(eq=False)
class _Request:
    """The texts of one client, and their answers so far."""

    texts: list[str]
    done: asyncio.Future
    rows: list[Any] = field(default_factory=list)
    missing: int = 0

    def answer(self, place: int, row: Any) -> None:
        self.rows[place] = row
        self.missing -= 1
        if not self.missing and not self.done.done():
            self.done.set_result(self.rows)

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(frozen=True)
class _Waiting:
    request: _Request
    place: int

    @property
    def text(self) -> str:
        return self.request.texts[self.place]


class Batcher:
    """Answers texts in batches: each takes what has queued while the model was busy with the one
    before, so that a lone client waits for nobody, and batches grow with the load.

    Args:
        answer_batch: answers the texts of a batch.
        size: texts in a batch, at most.
        characters: of a batch, at most, padding included; one long text may pass it alone.
        timeout: seconds that a batch waits for more texts.
        queue: texts that wait, at most.
        on_batch: called with the size of each batch.
    """

    def __init__(
        self,
        answer_batch: AnswerBatch,
        *,
        size: int = 64,
        characters: int = 2**18,
        timeout: float = 0.0,
        queue: int = 512,
        on_batch: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._answer_batch, self._on_batch = answer_batch, on_batch
        self._size, self._characters = size, characters
        self._timeout, self._most = timeout, queue
        self._waiting: list[_Waiting] = []
        self._arrival = asyncio.Event()
        self._worker: asyncio.Task | None = None

    @property
    def waiting(self) -> int:
        """How many texts wait."""
        return len(self._waiting)

    async def ask(self, texts: list[str]) -> list[Any]:
        """Returns the answers to texts, in their order.

        Whoever cancels this takes the texts out of the queue.

        Raises:
            QueueFull: there is no room for them.
        """
        if not texts:
            return []
        if len(self._waiting) + len(texts) > self._most:
            self._forget_gone()
            if len(self._waiting) + len(texts) > self._most:
                raise QueueFull
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        done = asyncio.get_running_loop().create_future()
        request = _Request(texts, done, [None] * len(texts), len(texts))
        self._waiting += [_Waiting(request, place) for place in range(len(texts))]
        self._arrival.set()
        return await done

    async def close(self) -> None:
        """Stops; what waits is cancelled."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None
        for each in self._waiting:
            each.request.done.cancel()
        self._waiting = []

    async def _work(self) -> None:
        while True:
            await self._arrival.wait()
            if self._timeout and len(self._waiting) < self._size:
                await asyncio.sleep(self._timeout)
            batch = self._take()
            if not self._waiting:
                self._arrival.clear()
            if batch:
                self._on_batch(len(batch))
                await self._answer(batch)

    def _forget_gone(self) -> None:
        """Drops texts whose clients have gone."""
        self._waiting = [each for each in self._waiting if not each.request.done.done()]

    def _take(self) -> list[_Waiting]:
        """Takes the text that has waited longest, and those whose lengths are nearest to its."""
        self._forget_gone()
        if not self._waiting:
            return []
        order = sorted(range(len(self._waiting)), key=lambda i: len(self._waiting[i].text))
        lengths = [len(self._waiting[i].text) for i in order]
        # The oldest one stands first in the queue; of equal lengths older ones come first.
        low = bisect.bisect_left(lengths, len(self._waiting[0].text))
        high = low + 1
        while high - low < self._size:
            shorter = lengths[low] - lengths[low - 1] if low else None
            longer = lengths[high] - lengths[low] if high < len(order) else None
            if longer is not None and lengths[high] * (high - low + 1) > self._characters:
                longer = None
            if shorter is not None and lengths[high - 1] * (high - low + 1) > self._characters:
                shorter = None
            if shorter is None and longer is None:
                break
            if longer is not None and (shorter is None or longer <= shorter):
                high += 1
            else:
                low -= 1
        chosen = set(order[low:high])
        batch = [each for i, each in enumerate(self._waiting) if i in chosen]
        self._waiting = [each for i, each in enumerate(self._waiting) if i not in chosen]
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            rows = await self._answer_batch([each.text for each in batch])
        except asyncio.CancelledError:
            for each in batch:
                each.request.done.cancel()
            raise
        except Exception as error:
            if len({each.request for each in batch}) == 1:
                batch[0].request.fail(error)
                return
            # What fails for one client is no matter of the others.
            for request in dict.fromkeys(each.request for each in batch):
                await self._answer([each for each in batch if each.request is request])
            return
        for each, row in zip(batch, rows, strict=True):
            each.request.answer(each.place, row)
