"""The routes of a server: plain JSON, TensorFlow Serving's REST, Open Inference Protocol v2."""

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from apps.server.errors import Refusal, unknown
from apps.server.metrics import CONTENT_TYPE
from apps.server.models.served_model import ServedModel, Version
from apps.server.protocols import examples, inference, tensorflow
from apps.server.protocols.cells import dump
from apps.server.service import Service, options_of
from apps.terminal.program import VERSION

_PLAIN, _V1, _V2 = "plain JSON", "TensorFlow Serving", "Open Inference Protocol v2"
# Of a body of plain JSON.
_FIELDS = "texts", "options"
_NAME = "recurrent-text-suite"
_UNKNOWN = examples.refusals(401, 404, 429, 503)
_GUARDED = examples.refusals(401, 429)


class DirectRoute(APIRoute):
    """A route whose function reads the request itself and returns a response.

    FastAPI describes it as ever, but does not look for what else it might need to be called, which
    takes a third of the time of a request.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        function, reads = self.endpoint, "request" in inspect.signature(self.endpoint).parameters

        async def handle(request: Request) -> Response:
            given = {"request": request} if reads else {}
            return await function(**given, **request.path_params)

        return handle


def answered(value: Any, status: int = 200) -> Response:
    """Returns a response of JSON."""
    return Response(dump(value), status, media_type="application/json")


def plain_routes(service: Service) -> APIRouter:
    """Returns the routes of plain JSON, which the page uses, too."""
    routes = APIRouter(route_class=DirectRoute, tags=[_PLAIN])

    async def read(name: str, request: Request) -> tuple[ServedModel, Version, list[str], Any]:
        """Returns the model that is asked, its version, the texts, and the options."""
        model, version = service.find(name)
        body = await service.read(request)
        for field in body:
            if field not in _FIELDS:
                hint = f". Send it in {_FIELDS[1]}" if field in options_of(version) else ""
                raise unknown("field", field, _FIELDS, 422, hint)
        texts, options = map(body.get, _FIELDS)
        return model, version, service.check(version, texts, _FIELDS[0]), options

    @routes.get("/api", summary="List the models", responses=_GUARDED)
    async def models() -> Response:
        found = []
        for name, model in service.models.items():
            version = model.version
            entry: dict[str, Any] = {"name": name, "ready": version is not None}
            if version:
                engine = version.engine
                entry |= {
                    "version": version.number,
                    "application": engine.application,
                    "kind": engine.kind,
                    "engine": engine.name,
                    "class_names": engine.class_names,
                    "thresholds": dict(engine.thresholds),
                    "options": options_of(version),
                    "columns": [*version.columns],
                }
            found.append(entry)
        return answered({"models": found})

    @routes.post("/api/{name}", summary="Answer texts", **examples.PLAIN)
    async def answer(name: str, request: Request) -> Response:
        model, version, texts, options = await read(name, request)
        rows = await service.ask(request, model, texts, options)
        return answered({"model": name, "version": version.number, "answers": rows})

    @routes.post("/api/{name}/stream", summary="Answer texts as they grow", **examples.STREAM)
    async def stream(name: str, request: Request) -> Response:
        model, _, texts, options = await read(name, request)
        events = await service.follow(request, model, texts, options)

        async def lines() -> AsyncIterator[bytes]:
            async for kind, value in events:
                yield b"event: %s\ndata: %s\n\n" % (kind.encode(), dump(value))

        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(lines(), headers=headers, media_type="text/event-stream")

    return routes


def tensorflow_routes(service: Service) -> APIRouter:
    """Returns the routes of TensorFlow Serving's REST."""
    routes = APIRouter(route_class=DirectRoute, prefix="/v1/models", tags=[_V1])

    async def predict(name: str, request: Request, version: str | None) -> Response:
        model, found = service.find(name, version)
        body = await service.read(request)
        texts, where, by_rows = tensorflow.texts_of(body)
        rows = await service.ask(request, model, service.check(found, texts, where), None)
        return answered(tensorflow.answer_of(rows, by_rows))

    @routes.post("/{name}:predict", summary="Answer texts", **examples.PREDICT)
    async def predict_last(name: str, request: Request) -> Response:
        return await predict(name, request, None)

    @routes.post("/{name}/versions/{version}:predict", summary="By a version", **examples.PREDICT)
    async def predict_version(name: str, version: str, request: Request) -> Response:
        return await predict(name, request, version)

    @routes.get("/{name}/metadata", summary="Describe a model", responses=_UNKNOWN)
    async def metadata(name: str) -> Response:
        _, version = service.find(name)
        return answered(tensorflow.metadata_of(name, version.number, version.columns))

    @routes.get("/{name}", summary="Say whether a model answers", responses=_UNKNOWN)
    async def status(name: str) -> Response:
        if name not in service.models:
            raise unknown("model", name, service.models)
        version = service.models[name].version
        return answered(tensorflow.status_of(version.number if version else None))

    @routes.get("/{name}/versions/{version}", summary="Of a version", responses=_UNKNOWN)
    async def status_of_version(name: str, version: str) -> Response:
        _, found = service.find(name, version)
        return answered(tensorflow.status_of(found.number))

    return routes


def inference_routes(service: Service) -> APIRouter:
    """Returns the routes of the Open Inference Protocol."""
    routes = APIRouter(route_class=DirectRoute, prefix="/v2", tags=[_V2])

    @routes.get("", summary="Describe the server", responses=_GUARDED)
    async def server() -> Response:
        return answered({"name": _NAME, "version": VERSION, "extensions": []})

    @routes.get("/health/live", summary="Say that the server runs")
    async def live() -> Response:
        return answered({"live": True})

    @routes.get(
        "/health/ready",
        summary="Say whether all models answer",
        responses=examples.refusals(503),
    )
    async def ready() -> Response:
        return answered({"ready": service.ready}, 200 if service.ready else 503)

    @routes.get("/models/{name}/ready", summary="Say whether a model answers", responses=_UNKNOWN)
    async def model_ready(name: str) -> Response:
        service.find(name)
        return answered({"name": name, "ready": True})

    @routes.get(
        "/models/{name}/versions/{version}/ready", summary="Of a version", responses=_UNKNOWN
    )
    async def version_ready(name: str, version: str) -> Response:
        service.find(name, version)
        return answered({"name": name, "ready": True})

    def describe(name: str, version: str | None) -> Response:
        _, found = service.find(name, version)
        return answered(
            inference.metadata_of(name, found.number, found.engine.application, found.columns)
        )

    @routes.get("/models/{name}", summary="Describe a model", responses=_UNKNOWN)
    async def model(name: str) -> Response:
        return describe(name, None)

    @routes.get("/models/{name}/versions/{version}", summary="A version", responses=_UNKNOWN)
    async def model_version(name: str, version: str) -> Response:
        return describe(name, version)

    async def infer(name: str, request: Request, version: str | None) -> Response:
        model, found = service.find(name, version)
        if "inference-header-content-length" in request.headers:
            raise Refusal(400, "the body is binary. Send JSON: tritonclient binary_data=False")
        body = await service.read(request)
        texts = service.check(found, inference.texts_of(body), "inputs[0].data")
        rows = await service.ask(request, model, texts, None)
        return answered(inference.answer_of(body, name, found.number, rows))

    @routes.post("/models/{name}/infer", summary="Answer texts", **examples.INFER)
    async def infer_last(name: str, request: Request) -> Response:
        return await infer(name, request, None)

    @routes.post(
        "/models/{name}/versions/{version}/infer", summary="By a version", **examples.INFER
    )
    async def infer_version(name: str, version: str, request: Request) -> Response:
        return await infer(name, request, version)

    return routes


def operation_routes(service: Service) -> APIRouter:
    """Returns the routes for those who run the server."""
    routes = APIRouter(route_class=DirectRoute, tags=["operation"])

    @routes.get("/metrics", summary="Metrics for Prometheus", responses=_GUARDED)
    async def metrics() -> Response:
        for name, model in service.models.items():
            service.metrics.queue_texts.labels(name).set(model.waiting)
        return Response(service.metrics.show(), media_type=CONTENT_TYPE)

    return routes
