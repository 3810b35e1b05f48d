"""A bound of connections and of time for a server that gives each connection a thread.

Python's own servers wait forever for a request that never arrives, each time in a further thread.
"""

import logging
import socket
import sys
import threading
from contextlib import suppress
from socketserver import BaseServer, ThreadingMixIn
from time import monotonic
from typing import Any

MOST = 64
"""Connections; one more ends the oldest, which has had the most time."""
WITHIN = 10.0
"""Seconds for a connection: its request, the answer and the end."""
log = logging.getLogger("journey.http")


class BoundedThreads(ThreadingMixIn, BaseServer):
    """Put it before the server's class; `most` and `within` can be set in a subclass."""

    daemon_threads = True
    most = MOST
    within = WITHIN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._begun: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begins a connection."""
        with self._lock:
            self._begun[request] = monotonic()
            over = list(self._begun)[: len(self._begun) - self.most]
        for one in over:
            _end(one)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Ends a connection."""
        with self._lock:
            self._begun.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Ends connections that have taken too long; called twice a second."""
        super().service_actions()
        before = monotonic() - self.within
        with self._lock:
            late = [one for one, begun in self._begun.items() if begun < before]
        for one in late:
            _end(one)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (the base class's)
        """A client that disconnects is one line of the log; anything else has its traceback."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.info("a connection ended before it was answered: %s", error)
        else:
            log.error("a request failed", exc_info=error)


def _end(connection: socket.socket) -> None:
    # Its thread then reads an end; it has closed the connection meanwhile where this fails.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
