"""The page for people."""

from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

FOLDER = Path(__file__).with_name("page")
_TYPES = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
# Nothing from outside, no script or style within the HTML, no frame around it.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def page_routes() -> APIRouter:
    """Returns the routes of the page and its files."""
    routes = APIRouter(prefix="/demo", include_in_schema=False)
    for name, kind in _TYPES.items():
        address = "" if name == "page.html" else f"/{name}"
        routes.add_api_route(address, _file(name, kind), methods=["GET"])
    return routes


def _file(name: str, kind: str):  # type: ignore[no-untyped-def]  # of a route
    content = (FOLDER / name).read_bytes()

    async def answer() -> Response:
        return Response(content, headers=_HEADERS, media_type=kind)

    return answer
