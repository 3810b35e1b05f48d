"""Connections with limits on time, size and number.

uvicorn closes idle connections after a response, but waits forever for a request that arrives byte by byte or never and for a client
that reads nothing, and buffers unlimited headers.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection
from heapq import nsmallest
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from reports.collector.admission.client_network import ClientNetworks
from reports.web.server.default_headers import LINES

REQUEST_WITHIN = 10.0
"""Seconds from the first byte of a request, or from the connection, until the request must be whole; also those within which a client
must read some of what waits for it."""
READ_WITHIN = 60.0
"""Seconds for reading what waits, which is 64 KiB or a single piece of the response."""
HEAD = 32_768
"""Bytes of a request's line and headers."""
MESSAGE = 4_194_304
"""Bytes of a request with headers and encoding; endpoints accept much less."""
MOST = 4_000
"""Connections; beyond that, those go that have been idle longest, then the one that has kept us waiting longest."""
SHARE = 4
"""A network may have this part of them: a quarter. Trusted proxies and this machine may have all."""
AT_ONCE = 50
"""A part of them is closed at once when there are too many: a fiftieth, so that they are not searched for each new one."""
UNREAD = 67_108_864
"""Bytes that wait to be read on all connections together; beyond that, those end that have read nothing for longest."""


class ConnectionGuard:
    """The limits of one server. `closed` is called with the reason for which a connection was closed: `slow`, `too_many`, `head`, `message`,
    `unread`."""

    def __init__(
        self,
        closed: Callable[[str], None],
        most: int = MOST,
        within: float = REQUEST_WITHIN,
        networks: ClientNetworks | None = None,
        unbounded: Callable[[str], bool] | None = None,
    ) -> None:
        self.closed = closed
        self.most = most
        self.within = within
        self.networks = networks or ClientNetworks()
        self._unbounded = unbounded or self._is_near
        self.connections: set[BoundedConnection] = set()
        self.of_network: defaultdict[str, set[BoundedConnection]] = defaultdict(set)

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "BoundedConnection":
        """Creates a connection; called by uvicorn."""
        return BoundedConnection(self, config, server_state, app_state, _loop)

    def add(self, newest: "BoundedConnection", now: float) -> None:
        """Counts a connection, and closes others if there are too many."""
        peer = newest.client[0] if newest.client else ""
        newest.network = "" if self._unbounded(peer) else self.networks.of(peer)
        self.connections.add(newest)
        if newest.network:
            self.of_network[newest.network].add(newest)
            if len(self.of_network[newest.network]) > max(self.most // SHARE, 1):
                self._make_room(self.of_network[newest.network], newest, now)
        if len(self.connections) > self.most:
            self._make_room(self.connections, newest, now)

    def discard(self, one: "BoundedConnection") -> None:
        """A connection is over."""
        self.connections.discard(one)
        if one.network:
            self.of_network[one.network].discard(one)
            if not self.of_network[one.network]:
                del self.of_network[one.network]

    def sweep(self, now: float) -> None:
        """Closes connections that kept us waiting too long. Called every second with the loop's time."""
        for one in [one for one in self.connections if one.waited(now) > self.within]:
            one.end("slow", 408)
        unread = [one for one in self.connections if one.note_reading(now)]
        for one in unread:
            if one.unread_for(now) > self.within or one.paused_for(now) > READ_WITHIN:
                one.end("unread", 408)
        waiting = sum(one.unread_bytes for one in unread)
        for one in sorted(unread, key=lambda one: one.unread_for(now), reverse=True):
            if waiting <= UNREAD:
                break
            waiting -= one.unread_bytes
            one.end("unread", 408)

    def _make_room(self, among: "Collection[BoundedConnection]", newest: "BoundedConnection", now: float) -> None:
        idle = [one for one in among if one is not newest and one.idle_since is not None]
        if idle:
            for one in nsmallest(max(self.most // AT_ONCE, 1), idle, key=lambda one: one.idle_since or 0.0):
                one.end("too_many", 0)
            return
        longest = max(among, key=lambda one: max(one.waited(now), one.unread_for(now)))
        waits = max(longest.waited(now), longest.unread_for(now)) > 0
        (longest if waits else newest).end("too_many", 503)

    def _is_near(self, peer: str) -> bool:
        # A socket in the file system has no address.
        return not peer or peer.startswith("127.") or peer == "::1" or self.networks.trusts(peer)


class OpenTransport:
    """A transport to which may be written whether or not its connection has ended, as asyncio's own may be.

    uvloop raises between the end of a connection and the call that tells the protocol of it: when a client resets a connection with
    requests under way, each of them would be an error of ours.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends it, or drops it where nobody can get it any more."""
        try:
            self._transport.write(data)
        except RuntimeError:
            if not self._transport.is_closing():
                raise


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
        self._paused_since: float | None = None
        self._unread_since = 0.0
        self.unread_bytes = 0
        """How much of a response waited to be read when it was last looked at."""
        self.network = ""
        """The network that it is counted for; empty if that is not bounded."""
        self.idle_since: float | None = None
        """Since when it has nothing to do; None while a request or a response is under way."""

    def note_reading(self, now: float) -> bool:
        """Whether the client does not read as fast as we write; notes whether it has read anything since the last time."""
        if self._paused_since is None:
            return False
        waiting = self.transport.get_write_buffer_size()
        if waiting < self.unread_bytes:
            self._unread_since = now
        self.unread_bytes = waiting
        return True

    def unread_for(self, now: float) -> float:
        """Seconds for which the client has read nothing of what waits for it."""
        return 0.0 if self._paused_since is None else now - self._unread_since

    def paused_for(self, now: float) -> float:
        """Seconds since there was more to read than the client has read so far."""
        return 0.0 if self._paused_since is None else now - self._paused_since

    def waited(self, now: float) -> float:
        """Seconds for which we have waited for the client; 0 while it waits for us."""
        if self._since is None and self.transport.is_closing():
            # The client does not read our last bytes.
            self._since = now
        return 0.0 if self._since is None else now - self._since

    def end(self, reason: str, status: int) -> None:
        """Closes the connection, with a response of this status if none has started; 0 for none."""
        if self._ended:
            self.transport.abort()
            return
        self._ended = True
        self._guard.closed(reason)
        if self.transport.get_write_buffer_size():
            # To close it would be to wait until the client reads.
            self.transport.abort()
            return
        if not status:
            self.transport.close()
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(b"HTTP/1.1 %d \r\n%sconnection: close\r\ncontent-length: 0\r\n\r\n" % (status, LINES))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP."""
        body = msg.encode("ascii", "replace")
        head = b"HTTP/1.1 400 \r\n%sconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(head % (LINES, len(body)) + body)
        self.transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begins."""
        super().connection_made(cast(asyncio.Transport, OpenTransport(transport)))
        self._since = self.loop.time()
        self._guard.add(self, self._since)

    def connection_lost(self, exc: Exception | None) -> None:
        """Is over."""
        self._guard.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts bytes before parsing."""
        if self._ended:
            return
        if self._since is None:
            self._since = self.loop.time()
            self.idle_since = None
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

    def on_response_complete(self) -> None:
        """The response is written, as far as the client has read."""
        super().on_response_complete()
        if not self.pipeline and self._since is None:
            self.idle_since = self.loop.time()

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        super().pause_writing()
        self._paused_since = self._unread_since = self.loop.time()
        self.unread_bytes = self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """It has read enough."""
        super().resume_writing()
        self._paused_since = None
        self.unread_bytes = 0
