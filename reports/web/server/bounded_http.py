"""Connections with limits on time and size.

uvicorn closes idle connections after a response, but waits forever for a request that arrives byte by byte or never, and buffers
unlimited headers.
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
"""Bytes of a request with headers and encoding; endpoints accept much less."""
MOST = 4_000
"""Connections; beyond that, the one that has kept us waiting longest is closed."""


class ConnectionGuard:
    """The limits of one server. `closed` is called with the reason for which a connection was closed: `slow`, `too_many`, `head`, `message`."""

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
        """Creates a connection; called by uvicorn."""
        return BoundedConnection(self, config, server_state, app_state, _loop)

    def sweep(self, now: float) -> None:
        """Closes connections that kept us waiting too long. Called every second with the loop's time."""
        for one in [one for one in self.connections if one.waited(now) > self.within]:
            one.end("slow", 408)

    def make_room(self, newest: "BoundedConnection", now: float) -> None:
        """Closes the connection that kept us waiting longest if there are too many; the newest if none does."""
        if len(self.connections) > self.most:
            longest = max(self.connections, key=lambda one: one.waited(now))
            (longest if longest.waited(now) > 0 else newest).end("too_many", 503)


class BoundedConnection(HttpToolsProtocol):
    """A connection that is closed when its request is slow or too large."""

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
        """Seconds for which we have waited for the client; 0 while it waits for us."""
        if self._since is None and self.transport.is_closing():
            # The client does not read our last bytes.
            self._since = now
        return 0.0 if self._since is None else now - self._since

    def end(self, reason: str, status: int) -> None:
        """Closes the connection, with a response if none has started."""
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
        """Counts bytes before parsing."""
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
