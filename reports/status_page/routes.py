"""The status page as a part of `journey serve`: public, cached, and its own addresses only."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from reports.status_page.documents import TYPES, render_files
from reports.status_page.status import ONE_PLACE, read_status
from runner.settings.parsers.locations import LocationCount
from runner.settings.parsers.status_page import StatusPage
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.store import Store, StoreDown

FRESH = 30.0
"""Seconds for which an answer is used again, by the server and by caches."""
OLDEST = 600.0
"""Seconds for which the last answer is given while the database is slow, or away."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": f"public, max-age={FRESH:.0f}",
}
ANYWHERE = {"status.json", "feed.atom", "badge.svg"}
"""May be used by other sites."""


class StatusPagePart:
    """The addresses below `page.path`."""

    def __init__(
        self,
        store: Store,
        page: StatusPage,
        fails: int,
        windows: Sequence[MaintenanceWindow] = (),
        clock: Callable[[], float] = monotonic,
        rule: LocationCount = ONE_PLACE,
    ) -> None:
        self._store = store
        self._page = page
        self._fails = fails
        self._windows = windows
        self._rule = rule
        self._clock = clock
        self._reading: asyncio.Task[dict[str, bytes]] | None = None
        self._made: dict[str, bytes] = {}
        self._made_at = float("-inf")
        self.routes: Sequence[BaseRoute] = [
            Route(page.path, self._redirect),
            Route(f"{page.path}/", self._send),
            Route(f"{page.path}/{{name}}", self._send),
        ]
        self.direct: Mapping[str, ASGIApp] = {}

    async def _files(self) -> dict[str, bytes]:
        """The files. One request has them made; those that come meanwhile get the last ones, or wait without holding a thread."""
        age = self._clock() - self._made_at
        if age < FRESH:
            return self._made
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._make())
        elif age < OLDEST:
            return self._made
        try:
            return await asyncio.shield(self._reading)
        except StoreDown:
            if age >= OLDEST:
                raise
            return self._made

    async def _make(self) -> dict[str, bytes]:
        self._made, self._made_at = await run_in_threadpool(self._read), self._clock()
        return self._made

    def _read(self) -> dict[str, bytes]:
        with self._store.snapshot() as connection:
            status = read_status(connection, self._page, datetime.now(UTC), self._fails, self._windows, self._rule)
        return render_files(status, self._page.url)

    async def _redirect(self, request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{self._page.path}/", headers=HEADERS)

    async def _send(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in TYPES:
            return Response("There is no such file.\n", 404, HEADERS, "text/plain")
        try:
            files = await self._files()
        except StoreDown:
            return Response(
                "The state cannot be read at the moment.\n", 503, {**HEADERS, "Cache-Control": "no-store"}, "text/plain"
            )
        more = {"Access-Control-Allow-Origin": "*"} if name in ANYWHERE else {}
        return Response(files[name], headers={**HEADERS, **more}, media_type=TYPES[name])
