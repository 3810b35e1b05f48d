"""The collector on an address of its own, in a thread with an event loop of its own, beside the dashboard."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from reports.collector.routes import Collector
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.composite import SomeRoutes, build_application
from reports.web.server.server import STOP_WITHIN, Server

METRICS = frozenset({"/metrics"})
PROBES = frozenset({"/healthz", "/readyz"})


class SeparateCollector:
    """What the dashboard's server needs of a collector that listens elsewhere: the probes, and the metrics."""

    def __init__(self, collector: Collector, guard: ConnectionGuard) -> None:
        self._collector = collector
        # Who may see the metrics is decided by the dashboard, so they are on its address only.
        application: ASGIApp = build_application([SomeRoutes(collector, METRICS, excluded=True)])
        self._server = Server(application, guard)
        self.probes = SomeRoutes(collector, PROBES)

    @contextmanager
    def serving(self, listening: socket.socket) -> Iterator[None]:
        """Serves it while the block runs."""
        thread = threading.Thread(target=self._server.serve_until_stopped, args=(listening,), name="collector")
        thread.start()
        try:
            yield
        finally:
            self._server.stop()
            thread.join(STOP_WITHIN * 2)

    async def show_metrics(self, request: Request) -> Response:
        """The metrics, written in the collector's own event loop, which changes them."""
        loop = self._server.loop
        if loop is None or loop.is_closed():
            return JSONResponse({"error": "the collector is not running"}, 503)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._collector.exposition.answer(request), loop))
