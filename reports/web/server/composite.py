"""One ASGI application composed of parts, such as the collector."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from reports.web.server.default_headers import with_default_headers


class Part(Protocol):
    """A part with some addresses."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Its addresses."""

    @property
    def direct(self) -> Mapping[str, ASGIApp]:
        """Its busiest addresses, dispatched before any routing."""


class SomeRoutes:
    """Some of the addresses of a part: those of `paths`, or all except them."""

    def __init__(self, part: Part, paths: frozenset[str], excluded: bool = False) -> None:
        self.routes = [route for route in part.routes if (getattr(route, "path", "") in paths) is not excluded]
        self.direct = {path: handler for path, handler in part.direct.items() if (path in paths) is not excluded}


async def _nothing(request: Request, error: Exception) -> Response:
    content = {"error": f"there is nothing at {request.url.path[:200]}"}
    return JSONResponse(content, getattr(error, "status_code", 404))


def build_application(parts: Sequence[Part], rest: ASGIApp | None = None) -> ASGIApp:
    """The application. The first part with an address handles it; `rest` handles all others. Every response has the default headers."""
    routed = Starlette(routes=[route for part in parts for route in part.routes], exception_handlers={404: _nothing})
    if rest is not None:
        routed.router.default = rest
    direct: dict[str, ASGIApp] = {}
    for part in reversed(parts):
        direct.update(part.direct)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (direct.get(scope["path"], routed) if scope["type"] == "http" else routed)(scope, receive, send)

    return with_default_headers(answer)
