"""What all protocols share: a request's texts, the model that answers them, and its answers."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from apps.config.serving import ServeOptions
from apps.server.errors import Refusal, busy, unknown
from apps.server.limits import Rates, Tokens, check_headers, check_texts, parse_body, too_large
from apps.server.metrics import Metrics
from apps.server.models.batcher import QueueFull
from apps.server.models.engine import load_engine
from apps.server.models.served_model import LoadEngine, ServedModel, Version
from apps.server.protocols.cells import to_json
from apps.server.protocols.generation import OPTIONS, check_options
from data.messages import say

T = TypeVar("T")


class Service:
    """The models of a server, and what may be asked of them.

    Args:
        places: folders by the names of their models.
        options: of the server.
        load_engine: returns what answers by a folder.
    """

    def __init__(
        self,
        places: Mapping[str, Path],
        options: ServeOptions,
        load_engine: LoadEngine = load_engine,
    ) -> None:
        self.options, self.metrics = options, Metrics()
        self.tokens, self.rates = Tokens(options.token()), Rates(options.rate)
        self.models = {
            name: ServedModel(name, path, options, load_engine, self.metrics)
            for name, path in places.items()
        }
        self.failure: Exception | None = None

    @property
    def ready(self) -> bool:
        """Whether all models answer."""
        return all(model.version for model in self.models.values())

    async def load(self) -> None:
        """Loads all models, then looks for new versions for ever.

        Raises:
            UserError: one cannot be loaded.
        """
        try:
            for model in self.models.values():
                await model.load()
        except Exception as error:
            self.failure = error
            raise
        say("all models are ready")
        while self.options.poll:
            await asyncio.sleep(self.options.poll)
            for model in self.models.values():
                await model.refresh()

    async def close(self) -> None:
        """Stops the threads of all models."""
        for model in self.models.values():
            await model.close()

    def find(self, name: str, version: str | None = None) -> tuple[ServedModel, Version]:
        """Returns a model that answers, by its name.

        Raises:
            Refusal: there is none, or it has another version, or is not loaded yet.
        """
        if name not in self.models:
            raise unknown("model", name, self.models)
        model = self.models[name]
        if model.version is None:
            raise Refusal(503, f"{name} is being loaded", retry_after="5")
        if version not in (None, str(model.version.number)):
            raise unknown(f"version of {name}", str(version), [str(model.version.number)])
        return model, model.version

    async def read(self, request: Request) -> dict[str, Any]:
        """Returns the object in the body of a request.

        Raises:
            Refusal: it is too large, no JSON object, or comes too slowly.
        """
        check_headers(request.headers, self.options)
        parts, size = [], 0
        try:
            async with asyncio.timeout(self.options.timeout):
                async for part in request.stream():
                    size += len(part)
                    if size > self.options.max_body:
                        raise too_large(self.options)
                    parts.append(part)
        except TimeoutError:
            raise Refusal(408, "the body came too slowly", connection="close") from None
        return parse_body(b"".join(parts))

    def check(self, version: Version, texts: Any, where: str) -> list[str]:
        """Returns the texts of a request; see `apps.server.limits.check_texts`."""
        return check_texts(texts, where, self.options, version.engine.takes_empty)

    async def ask(
        self, request: Request, model: ServedModel, texts: list[str], options: Any
    ) -> list[dict[str, Any]]:
        """Returns the output columns of texts, as JSON has them.

        Args:
            request: of the client; when that has gone, nothing is computed.
            model: that answers.
            texts: that it can answer.
            options: of the request, whatever was sent as such.

        Raises:
            Refusal: the options do not suit the model, too many texts wait, or it takes too long.
        """
        assert model.version
        engine = model.version.engine
        note(request, model.name, texts)
        if engine.streams and options:
            own = check_options(as_options(options))
            answering = _follow_all(model, texts, own)
        else:
            answering = model.answer(texts, choose_mode(engine.modes, as_options(options)))
        try:
            async with asyncio.timeout(self.options.timeout):
                rows = await unless_gone(request, answering)
        except (QueueFull, asyncio.QueueFull):
            raise busy() from None
        except TimeoutError:
            seconds = self.options.timeout
            raise Refusal(
                503, f"it takes more than {seconds:g} seconds. Send less at once", retry_after="1"
            ) from None
        self.metrics.texts.labels(model.name).inc(len(texts))
        return [to_json(row) for row in rows]

    async def follow(
        self, request: Request, model: ServedModel, texts: list[str], options: Any
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Yields what happens to texts, one after the other: `piece` as a text grows, `answer` when
        it is complete, `error` if that cannot be, and `end`.

        Args and raises: as `ask`.
        """
        assert model.version
        engine = model.version.engine
        note(request, model.name, texts)
        own = check_options(as_options(options)) if engine.streams else {}
        mode = "" if engine.streams else choose_mode(engine.modes, as_options(options))
        return self._events(model, texts, own, mode)

    async def _events(
        self, model: ServedModel, texts: list[str], own: dict[str, Any], mode: str
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        for place, text in enumerate(texts):
            pieces: asyncio.Queue[str | None] = asyncio.Queue()
            if own:
                work = asyncio.ensure_future(model.follow(text, own, pieces.put_nowait))
            else:
                work = asyncio.ensure_future(_first(model.answer([text], mode)))
            work.add_done_callback(functools.partial(_end, pieces))
            try:
                async with asyncio.timeout(self.options.timeout):
                    while (piece := await pieces.get()) is not None:
                        yield "piece", {"text": place, "piece": piece}
                    row = await work
            except (QueueFull, asyncio.QueueFull):
                yield "error", {"text": place, "error": busy().message}
                return
            except TimeoutError:
                yield "error", {"text": place, "error": "it takes too long"}
                return
            finally:
                work.cancel()
            self.metrics.texts.labels(model.name).inc()
            yield "answer", {"text": place, **to_json(row)}
        yield "end", {}


def note(request: Request, model: str, texts: Sequence[str]) -> None:
    """Keeps of a request what the log and the metrics say of it."""
    request.scope["noted"] = {"model": model, "texts": texts}


def as_options(options: Any) -> dict[str, Any]:
    """Returns the options of a request.

    Raises:
        Refusal: they are no object.
    """
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise Refusal(400, "options is no object. Send names with values")
    return options


def choose_mode(modes: Sequence[str], options: Mapping[str, Any]) -> str:
    """Returns the way of answering that options ask for.

    Raises:
        Refusal: the model does not have it.
    """
    for name, value in options.items():
        if name not in modes:
            raise unknown("option", name, modes, 422)
        if not isinstance(value, bool):
            raise Refusal(422, f"options.{name} takes true or false")
    return next((name for name, value in options.items() if value), "")


async def unless_gone(request: Request, answering: Awaitable[T]) -> T:
    """Awaits an answer, unless the client goes before.

    Raises:
        ClientDisconnect: it has gone; the answer was cancelled.
    """
    work = asyncio.ensure_future(answering)
    gone = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ClientDisconnect
        return work.result()
    finally:
        for task in (work, gone):
            task.cancel()
            with suppress(asyncio.CancelledError):
                if not task.done():
                    await asyncio.wait((task,))


async def _follow_all(
    model: ServedModel, texts: list[str], options: dict[str, Any]
) -> list[dict[str, Any]]:
    return [await model.follow(text, options, lambda piece: None) for text in texts]


def _end(pieces: "asyncio.Queue[str | None]", work: asyncio.Future) -> None:
    pieces.put_nowait(None)


async def _first(answering: Awaitable[list[dict[str, Any]]]) -> dict[str, Any]:
    return (await answering)[0]


def options_of(version: Version) -> list[str]:
    """Returns the names of the options that requests may send to a model."""
    return [*OPTIONS] if version.engine.streams else [*version.engine.modes]
