"""One ASGI application out of parts, such as the collector."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[MutableMapping[str, Any]]],
        Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ],
    Awaitable[None],
]


class Part(Protocol):
    """Something that answers at some addresses."""

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """Its addresses."""

    @property
    def direct(self) -> Mapping[str, Application]:
        """Its busiest addresses: each is given its requests before anything else looks at them."""


async def _nothing(request: Request, error: Exception) -> Response:
    told = {"error": f"there is nothing at {request.url.path[:200]}"}
    return JSONResponse(told, getattr(error, "status_code", 404), {"x-content-type-options": "nosniff"})


def build(parts: Sequence[Part], rest: Application | None = None) -> Application:
    """The application. An address that two parts have goes to the first; one that none has, to `rest`."""
    routed = Starlette(routes=[route for part in parts for route in part.routes], exception_handlers={404: _nothing})
    if rest is not None:
        routed.router.default = rest
    direct: dict[str, Application] = {}
    for part in reversed(parts):
        direct.update(part.direct)

    async def answer(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        await (direct.get(scope["path"], routed) if scope["type"] == "http" else routed)(scope, receive, send)

    return answer
