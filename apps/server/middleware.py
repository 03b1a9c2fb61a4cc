"""What happens to every request before and after its route: identity, token, rate, log, counts."""

import json
import logging
import re
import time
import traceback
import uuid
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.server.errors import Refusal
from apps.server.protocols.cells import dump
from apps.server.service import Service
from data.messages import LOGGER

_LOG = logging.getLogger(f"{LOGGER.name}.server")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Whoever watches a server asks for these without its token; so does a browser for the page itself.
_OPEN = re.compile(r"/v2/health/(live|ready)|/demo(/[a-z]+\.[a-z]+)?/?")
# The client has gone before its answer, as nginx counts it.
_GONE = 499


def refuse(refusal: Refusal) -> Response:
    """Returns the response to a request that is refused."""
    body = dump({"error": refusal.message.encode("utf-8", "replace").decode()})
    return Response(body, refusal.status, refusal.headers, "application/json")


class Watch:
    """Middleware of all routes.

    Args:
        app: what it wraps.
        service: the models, with token, rates and metrics.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, headers = time.perf_counter(), Headers(scope=scope)
        given = headers.get("x-request-id", "")
        identity = given if _ID.fullmatch(given) else uuid.uuid4().hex
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(scope=message)
                out["x-request-id"] = identity
                out["x-content-type-options"] = "nosniff"
            await send(message)

        try:
            if not _OPEN.fullmatch(scope["path"]):
                # Before the token: guesses count, too.
                self._service.rates.check((scope.get("client") or ("",))[0])
                self._service.tokens.check(headers.get("authorization", ""))
            await self._app(scope, receive, send_noted)
        except Refusal as refusal:
            await refuse(refusal)(scope, receive, send_noted)
        except ClientDisconnect:
            status = _GONE
        except Exception as error:
            self._report(error, identity)
            if not status:
                fault = Refusal(500, f"a fault of the server. Its log has the request {identity}")
                await refuse(fault)(scope, receive, send_noted)
        finally:
            self._count(scope, identity, status or _GONE, time.perf_counter() - begin)

    def _count(self, scope: Scope, identity: str, status: int, seconds: float) -> None:
        noted, metrics = scope.get("noted", {}), self._service.metrics
        route, model = getattr(scope.get("route"), "path", "none"), noted.get("model", "")
        metrics.requests.labels(route, model, str(status)).inc()
        metrics.seconds.labels(route, model).observe(seconds)
        line: dict[str, Any] = {
            "time": round(time.time(), 3),
            "id": identity,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 2),
        }
        if noted:
            line |= {"model": model, "texts": len(noted["texts"])}
            if self._service.options.log_texts:
                line["content"] = noted["texts"]
        _LOG.info(json.dumps(line))

    def _report(self, error: Exception, identity: str) -> None:
        """Logs where a fault is, without the values, which may be texts."""
        places = [
            f"{each.filename}:{each.lineno}" for each in traceback.extract_tb(error.__traceback__)
        ]
        line = {"id": identity, "fault": type(error).__name__, "places": places[-8:]}
        _LOG.error(json.dumps(line))
