"""/metrics: written in a thread, at most once a second, in the format that the scraper asks for."""

import asyncio
import gzip
import time

from starlette.requests import Request
from starlette.responses import Response

from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.metrics.families import format_families

FRESH = 1.0
"""Seconds that a text is shown again."""
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class MetricsEndpoint:
    """Shows the metrics. Several scrapers at once share one writing."""

    def __init__(self, metrics: CollectorMetrics, fresh: float = FRESH) -> None:
        self._metrics = metrics
        self._fresh = fresh
        self._written: dict[bool, tuple[float, bytes, bytes]] = {}
        self._lock = asyncio.Lock()

    async def answer(self, request: Request) -> Response:
        """The text, compressed if the scraper takes that."""
        openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")
        plain, packed = await self._text(openmetrics)
        headers = {
            "content-type": OPENMETRICS if openmetrics else PLAIN,
            "vary": "accept, accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, headers={**headers, "content-encoding": "gzip"})
        return Response(plain, headers=headers)

    async def _text(self, openmetrics: bool) -> tuple[bytes, bytes]:
        async with self._lock:
            at, plain, packed = self._written.get(openmetrics, (0.0, b"", b""))
            if not plain or time.monotonic() - at > self._fresh:
                self._metrics.settle()
                plain, packed = await asyncio.to_thread(self._write, openmetrics)
                self._written[openmetrics] = (time.monotonic(), plain, packed)
            return plain, packed

    def _write(self, openmetrics: bool) -> tuple[bytes, bytes]:
        plain = format_families(self._metrics.families, openmetrics)
        return plain, gzip.compress(plain, 1)
