"""Exact delays and an exact access log, around every route of the shop (plain ASGI middleware)."""

import asyncio
import json
import time
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 60_000
"""Milliseconds."""


class Delayed:
    """Holds back the answer to `?delay=MS` by that long, counted from when the request has arrived; each by `always` more."""

    def __init__(self, app: ASGIApp, log: Path | None = None, always: float = 0) -> None:
        """`always` is in milliseconds."""
        self._app = app
        self._always = always
        self._log: TextIO | None = log.open("a", encoding="utf-8", buffering=1) if log else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, due = time.time(), asyncio.get_running_loop().time() + (_delay(scope) + self._always) / 1000
        status = 0

        async def late(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                await _until(due)
            await send(message)

        try:
            await self._app(scope, receive, late)
        finally:
            if self._log:
                line = {
                    "path": scope["path"],
                    "query": scope["query_string"].decode(),
                    "status": status,
                    "started": started,
                    "ended": time.time(),
                }
                self._log.write(json.dumps(line) + "\n")


async def _until(due: float) -> None:
    """Returns at `due` by the loop's clock; the loop's timers are late by up to 2 ms, so the last ones are waited through."""
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(max(due - clock() - 0.002, 0))
    while clock() < due:
        pass


def _delay(scope: Scope) -> float:
    given = parse_qs(scope["query_string"].decode()).get("delay", ["0"])[0]
    # On a page with a button the delay belongs to what the button asks for, not to the page.
    if scope["path"].startswith("/switch/") or not given.isdecimal():
        return 0
    return min(int(given), LONGEST)
