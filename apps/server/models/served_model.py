"""One model of a server: its versions, its queue, and its threads."""

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from apps.config.serving import ServeOptions
from apps.runs.contents import CONFIG
from apps.runs.export_folder import last_version
from apps.runs.folder import RunFolder
from apps.server.metrics import Metrics
from apps.server.models.batcher import Batcher
from apps.server.models.engine import Engine
from apps.server.protocols.cells import to_json
from apps.server.protocols.inference import datatype_of
from data.errors import UserError
from data.messages import say, warn

T = TypeVar("T")
LoadEngine = Callable[[Path, ServeOptions], Engine]
# The common shapes: rows and words of texts.
_SHAPES = ((1, 8), (1, 64), (8, 16), (64, 16))
# Continuations that wait for their turn.
_MOST_STREAMS = 16


class Place(NamedTuple):
    """Where a version lies, and what tells it from the one that takes its place."""

    path: Path
    mark: tuple[int, ...]
    number: int | None


def find_place(path: Path) -> Place | None:
    """Returns the newest version in the folder of a run or of an export; None if there is none."""
    try:
        if RunFolder(path).is_there():
            found, config, number = path, path / CONFIG, None
        else:
            version = last_version(path)
            if version is None:
                return None
            found, number = version, int(version.name) if version.name.isdecimal() else None
            config = version
        status = config.stat()
    except OSError:  # it is being replaced
        return None
    return Place(found, (status.st_dev, status.st_ino, status.st_mtime_ns), number)


@dataclass(frozen=True)
class Version:
    """A version that answers.

    Attributes:
        place: where it lies.
        number: of the folder of an export; of a run, how many have been loaded.
        engine: what answers.
        columns: of its answers, with their types, see `apps.server.protocols.inference`.
    """

    place: Place
    number: int
    engine: Engine
    columns: dict[str, str]


class ServedModel:
    """A model under its name: loads it, answers through a queue, and swaps it for a newer version.

    Args:
        name: of the model, in addresses.
        path: the folder of a run, or of an export.
        options: of the server.
        load_engine: returns what answers by a folder.
        metrics: of the server.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        options: ServeOptions,
        load_engine: LoadEngine,
        metrics: Metrics,
    ) -> None:
        self.name, self.path = name, path
        self._options, self._load_engine, self._metrics = options, load_engine, metrics
        self.version: Version | None = None
        self._batchers: dict[str, Batcher] = {}
        self._thread = ThreadPoolExecutor(1, f"{name}-answers")
        self._streams = ThreadPoolExecutor(1, f"{name}-streams")
        self._streaming = 0
        self._refused: tuple[Path, tuple[int, ...]] | None = None

    @property
    def waiting(self) -> int:
        """How many texts wait."""
        return sum(batcher.waiting for batcher in self._batchers.values())

    async def load(self) -> None:
        """Loads the newest version and answers some texts by it, before anybody else's.

        Raises:
            UserError: there is no model, or it cannot be loaded, or it is of another application
                than the one that answers.
        """
        place = find_place(self.path)
        if place is None:
            raise UserError(f"no run and no export in {self.path}. Check the path")
        engine, columns = await _in_thread(self._load_warm, place)
        former = self.version
        if former and former.engine.application != engine.application:
            raise UserError(
                f"{place.path} is a model of {engine.application!r}, not of "
                f"{former.engine.application!r}. Serve it under a name of its own"
            )
        number = place.number or (former.number + 1 if former else 1)
        self.version = Version(place, number, engine, columns)
        self._metrics.version.labels(self.name).set(number)
        say(f"{self.name}: version {number} of {self.path} answers by {engine.name}")

    async def refresh(self) -> None:
        """Loads a version that has come since; one that cannot be loaded is refused once, and the
        former one goes on."""
        place = await asyncio.to_thread(find_place, self.path)
        if place is None or self.version is None:
            return
        found = (place.path, place.mark)
        current = self.version.place
        if found == (current.path, current.mark) or found == self._refused:
            return
        try:
            await self.load()
        except Exception as error:
            self._refused = found
            line = str(error) if isinstance(error, UserError) else type(error).__name__
            warn(f"{self.name}: the new version is refused, the former one goes on: {line}")

    async def answer(self, texts: list[str], mode: str = "") -> list[dict[str, Any]]:
        """Returns the output columns of texts.

        Raises:
            QueueFull: too many texts wait.
        """
        if mode not in self._batchers:
            self._batchers[mode] = Batcher(
                lambda batch: self._answer_batch(batch, mode),
                size=self._options.batch_size,
                timeout=self._options.batch_timeout / 1000,
                queue=self._options.queue,
                on_batch=self._metrics.batch_texts.labels(self.name).observe,
            )
        return await self._batchers[mode].ask(texts)

    async def follow(
        self, text: str, options: Mapping[str, Any], on_piece: Callable[[str], object]
    ) -> dict[str, Any]:
        """Continues a text; whoever cancels this stops the model, too.

        Args:
            text: the beginning.
            options: all of `apps.server.protocols.generation.OPTIONS`.
            on_piece: gets each piece, in the event loop.

        Raises:
            asyncio.QueueFull: too many wait for their turn.
        """
        assert self.version
        if self._streaming >= _MOST_STREAMS:
            raise asyncio.QueueFull
        loop, gone = asyncio.get_running_loop(), threading.Event()
        engine = self.version.engine

        def take(piece: str) -> bool:
            loop.call_soon_threadsafe(on_piece, piece)
            return gone.is_set()

        self._streaming += 1
        try:
            return await loop.run_in_executor(self._streams, engine.follow, text, options, take)
        finally:
            gone.set()
            self._streaming -= 1

    async def close(self) -> None:
        """Stops its threads."""
        for batcher in self._batchers.values():
            await batcher.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._streams.shutdown(wait=False, cancel_futures=True)

    async def _answer_batch(self, texts: list[str], mode: str) -> list[dict[str, Any]]:
        assert self.version
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.version.engine.answer, texts, mode)

    def _load_warm(self, place: Place) -> tuple[Engine, dict[str, str]]:
        engine = self._load_engine(place.path, self._options)
        if engine.streams:
            return engine, {"continuation": "BYTES", "log_likelihood": "FP64"}
        for rows, words in _SHAPES:
            (row, *_) = engine.answer([" ".join(["warm"] * words)] * rows)
        return engine, {name: datatype_of([cell]) for name, cell in to_json(row).items()}


async def _in_thread(function: Callable[[Place], T], place: Place) -> T:
    """Runs what may take a minute in a thread that no shut-down waits for."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(result)

    def run() -> None:
        result, error = None, None
        try:
            result = function(place)
        except BaseException as caught:
            error = caught
        with suppress(RuntimeError):  # the loop may have been closed
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=run, name="load", daemon=True).start()
    return await done


def parse_model(text: str) -> tuple[str, Path]:
    """Returns the name and the folder of `NAME=DIR`, or of `DIR` with the name of its last part.

    Raises:
        UserError: the name would not do in an address.
    """
    name, given, path = text.partition("=")
    folder = Path(path if given else text)
    name = name if given else folder.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", name):
        raise UserError(
            f"{name!r} is no name for a model: letters, digits, '_', '.', '-'. Pass NAME={folder}"
        )
    return name, folder
