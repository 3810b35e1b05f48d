"""Connections with bounds: what a server may not leave to those who connect.

uvicorn ends a connection that is idle after an answer, but waits without end for a request that comes byte by byte, or never; and it
keeps as many header bytes as are sent.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

REQUEST_WITHIN = 10.0
"""Seconds from the first byte of a request, or from the connection, until the request must be whole."""
HEAD = 32_768
"""Bytes of a request's line and headers."""
MESSAGE = 4_194_304
"""Bytes of a request with all that surrounds its body; what an address takes of it is much less."""
MOST = 4_000
"""Connections; for one more, the one is ended that has been waited for the longest."""


class ConnectionGuard:
    """The bounds of one server. `closed` is told why a connection was ended: `slow`, `too_many`, `head`, `message`."""

    def __init__(self, closed: Callable[[str], None], most: int = MOST, within: float = REQUEST_WITHIN) -> None:
        self.closed = closed
        self.most = most
        self.within = within
        self.connections: set[BoundedConnection] = set()

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "BoundedConnection":
        """A connection; what uvicorn calls for each."""
        return BoundedConnection(self, config, server_state, app_state, _loop)

    def sweep(self, now: float) -> None:
        """Ends what has been waited for too long. To be called every second with the loop's time."""
        for one in [one for one in self.connections if one.waited(now) > self.within]:
            one.end("slow", 408)

    def make_room(self, newest: "BoundedConnection", now: float) -> None:
        """Ends the connection that was waited for the longest, if there are too many; the newest when none is waited for."""
        if len(self.connections) > self.most:
            longest = max(self.connections, key=lambda one: one.waited(now))
            (longest if longest.waited(now) > 0 else newest).end("too_many", 503)


class BoundedConnection(HttpToolsProtocol):
    """A connection that is ended when its request is slow or too large."""

    def __init__(
        self,
        guard: ConnectionGuard,
        config: Config,
        state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        super().__init__(config, state, app_state, _loop)
        self._guard = guard
        self._since: float | None = None
        self._bytes = 0
        self._headed = False
        self._ended = False

    def waited(self, now: float) -> float:
        """Seconds that its sender has been waited for; 0 while it waits for us."""
        if self._since is None and self.transport.is_closing():
            # What was written last is not taken.
            self._since = now
        return 0.0 if self._since is None else now - self._since

    def end(self, reason: str, status: int) -> None:
        """Ends the connection, with an answer if none has begun."""
        if self._ended:
            self.transport.abort()
            return
        self._ended = True
        self._guard.closed(reason)
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(b"HTTP/1.1 %d \r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % status)
        self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begins."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._guard.connections.add(self)
        self._guard.make_room(self, self._since)

    def connection_lost(self, exc: Exception | None) -> None:
        """Is over."""
        self._guard.connections.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts before it reads."""
        if self._ended:
            return
        if self._since is None:
            self._since = self.loop.time()
        self._bytes += len(data)
        super().data_received(data)
        if self._bytes > HEAD and not self._headed:
            self.end("head", 431)
        elif self._bytes > MESSAGE:
            self.end("message", 413)

    def on_headers_complete(self) -> None:
        """The line and the headers are there."""
        self._headed = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        super().on_message_complete()
        self._since = None
        self._bytes = 0
        self._headed = False
