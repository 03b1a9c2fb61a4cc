"""Processes on the machines of a cluster, which load something once and then do one piece of work
after the other, by Ray."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from apps.cluster.connection import connected
from data.errors import UserError
from data.messages import LOGGER, warn

# Processes that end while they do the same piece of work, until it is given up.
_MOST_DEATHS = 3


class Actor:
    """One of the processes.

    Args:
        load: returns what does a piece of work.
        folder: in which relative paths begin.
    """

    def __init__(self, load: Callable[[], Callable[[Any], Any]], folder: str) -> None:
        self._load, self._folder = load, folder
        self._work: Callable[[Any], Any] | None = None

    def do(self, number: int, piece: Any) -> tuple[int, Any, str]:
        """Does a piece of work.

        Args:
            number: of the piece.
            piece: the work.

        Returns:
            The number, what came of it, and a mistake of the user or the empty text.
        """
        try:
            # Not in the constructor, whose errors Ray tells as deaths.
            if self._work is None:
                os.chdir(self._folder)
                # The command says what is to be said.
                LOGGER.propagate = False
                LOGGER.handlers = []
                self._work = self._load()
            return number, self._work(piece), ""
        except UserError as mistake:
            return number, None, str(mistake)


def work_in_actors(
    load: Callable[[], Callable[[Any], Any]], pieces: Iterable[Any], workers: int, address: str
) -> Iterator[Any]:
    """Yields what comes of each piece of work, in the order of the pieces.

    Each process has one piece, and one more waits, so that memory does not grow with their number.
    A process that dies is replaced, and its piece is done again.

    Args:
        load: is called in each process, and returns what does a piece; all machines have it.
        pieces: the work.
        workers: how many processes.
        address: of the cluster.

    Raises:
        UserError: there is no such cluster, a process has raised it, or processes die of a piece.
    """
    with connected(address, workers) as ray:
        from ray.util import ActorPool

        there = ray.cluster_resources()
        if (processors := int(there.get("CPU", 0))) < workers:
            warn(f"the cluster has {processors} processors: {workers} processes wait for more")
        actor = ray.remote(Actor).options(
            num_cpus=1,
            num_gpus=min(1.0, there.get("GPU", 0) / workers),
            max_restarts=-1,
            max_task_retries=_MOST_DEATHS - 1,
        )
        actors = [actor.remote(load, os.getcwd()) for _ in range(workers)]
        pool = ActorPool(actors)
        try:
            yield from _in_order(ray, pool, pieces, workers + 1)
        finally:
            for each in actors:
                with suppress(ray.exceptions.RayError):
                    ray.kill(each)


def _in_order(ray: Any, pool: Any, pieces: Iterable[Any], most: int) -> Iterator[Any]:
    """Yields what comes of the pieces, of which so many are under way."""
    done: dict[int, Any] = {}
    handed = taken = due = 0

    def take() -> None:
        nonlocal taken
        try:
            number, result, mistake = pool.get_next_unordered()
        except ray.exceptions.RayError as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(
                f"{_MOST_DEATHS} processes ended while they did the same work: {reason}. If memory "
                "is short, lower --workers"
            ) from error
        if mistake:
            raise UserError(mistake)
        taken += 1
        done[number] = result

    source = iter(pieces)
    more = True
    while more or taken < handed:
        if more and handed - taken < most:
            try:
                piece = next(source)
            except StopIteration:
                more = False
                continue
            pool.submit(lambda actor, work: actor.do.remote(*work), (handed, piece))
            handed += 1
        else:
            take()
        while due in done:
            yield done.pop(due)
            due += 1
