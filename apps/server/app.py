"""The application that a server runs: routes, middleware, and models that load by themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from apps.server.errors import Refusal
from apps.server.middleware import Watch, refuse
from apps.server.page import page_routes
from apps.server.protocols.examples import name_models
from apps.server.routes import inference_routes, operation_routes, plain_routes, tensorflow_routes
from apps.server.service import Service
from apps.terminal.program import VERSION


def make_app(service: Service, on_failure: Callable[[], object] = lambda: None) -> FastAPI:
    """Returns the application of a server; it answers at once that it lives, and that it is ready
    when its models are loaded.

    Args:
        service: the models.
        on_failure: called if one of them cannot be loaded.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(service.load())
        loading.add_done_callback(
            lambda task: on_failure() if not task.cancelled() and task.exception() else None
        )
        yield
        loading.cancel()
        with suppress(BaseException):
            await loading
        await service.close()

    # The pages of the description load nothing from outside.
    app = FastAPIOffline(
        title="recurrent-text-suite",
        version=VERSION,
        description="Answers texts by trained models.",
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
    )
    for routes in (plain_routes, tensorflow_routes, inference_routes, operation_routes):
        # Included as a router, each would be a level of its own that every request goes through.
        app.router.routes.extend(routes(service).routes)
    if service.options.demo:
        app.include_router(page_routes())

    @app.get("/", include_in_schema=False)
    async def home() -> Response:
        return RedirectResponse("/demo" if service.options.demo else "/docs")

    describe = app.openapi
    app.openapi = lambda: name_models(describe(), service.models)  # type: ignore[method-assign]

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return refuse(error)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        message = {404: "no such address. GET /docs lists them", 405: "not by this method"}.get(
            error.status_code, str(error.detail)
        )
        return refuse(Refusal(error.status_code, message, **(error.headers or {})))

    app.add_middleware(Watch, service=service)
    if service.options.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=service.options.cors,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
        )
    return app
