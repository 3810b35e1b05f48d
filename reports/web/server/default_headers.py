"""Headers that every response has, whichever part it comes from: what has none of its own is inert."""

from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from runner.network.inert_headers import INERT_HEADERS

DEFAULT_HEADERS = tuple((name.encode(), value.encode()) for name, value in INERT_HEADERS)
"""Of what has none of its own."""
LINES = b"".join(name + b": " + value + b"\r\n" for name, value in DEFAULT_HEADERS)
"""The same, as they are sent."""


def add_default_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of a response, with those that it lacks."""
    given = list(headers)
    known = {name.lower() for name, _ in given}
    return [*given, *(one for one in DEFAULT_HEADERS if one[0] not in known)]


def with_default_headers(application: ASGIApp) -> ASGIApp:
    """The application with these headers on all of its responses."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_with_headers(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = add_default_headers(message.get("headers", ()))
            await send(message)

        try:
            await application(scope, receive, send_with_headers)
        except Exception:
            if not begun:
                await PlainTextResponse("Internal Server Error", 500)(scope, receive, send_with_headers)
            # The server logs it.
            raise

    return answer
