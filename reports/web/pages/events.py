"""`/events`: notifies pages of new data with server-sent events (WHATWG HTML, 9.2): `changed`, with the kind as its data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from reports.collector.storage.rollup import read_rolled_mark
from reports.web.access.session_watch import SessionWatch
from runner.store import Store, StoreDown
from runner.store.queries.runs import History

Kind = Literal["runs", "views"]
LOOK = 2.0
"""Seconds between two polls of the store, shared by all pages."""
SPACED: dict[Kind, float] = {"runs": 0.0, "views": 5.0}
"""The minimum of seconds between two events of a kind: page views arrive constantly."""
QUIET = 15.0
"""Seconds after which a comment keeps the connection alive."""
MOST = 100
"""Pages that can follow at a time; further ones get 503 with Retry-After and keep showing what they have."""


class ChangeFeed:
    """The newest run and page view in the store, polled once for all followers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking = asyncio.Lock()
        self._marks: dict[Kind, str] = {"runs": "", "views": ""}
        self._asked = float("-inf")
        self.followers = 0

    async def marks(self) -> dict[Kind, str]:
        """A text for each kind that changes when something is stored."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._asked >= LOOK:
                self._asked = now
                try:
                    self._marks = await run_in_threadpool(self._look)
                except StoreDown:
                    # No news while the database is down; a page that is loaded shows the error.
                    return self._marks
            return self._marks

    def _look(self) -> dict[Kind, str]:
        # Page views count once they are in the roll-ups, from which pages are made.
        with self._store.snapshot() as connection:
            return {"runs": History(connection).mark(), "views": str(read_rolled_mark(connection))}


def follow_changes(
    news: ChangeFeed, stopping: Callable[[], bool] = lambda: False
) -> Callable[[Request, dict[Kind, str]], AsyncIterator[str]]:
    """The stream for a page that has seen these marks, until it disconnects, its session ends, or the server stops."""

    async def stream(request: Request, known: dict[Kind, str]) -> AsyncIterator[str]:
        news.followers += 1
        try:
            yield "retry: 5000\n\n"
            silent = 0.0
            since = dict.fromkeys(known, SPACED["views"])
            watch: SessionWatch | None = request.scope.get("session_watch")
            while not stopping() and not await request.is_disconnected() and not (watch and await watch.is_over()):
                await asyncio.sleep(LOOK / 2)
                silent += LOOK / 2
                for kind, mark in (await news.marks()).items():
                    since[kind] += LOOK / 2
                    if mark != known[kind] and since[kind] >= SPACED[kind]:
                        known[kind], since[kind], silent = mark, 0.0, 0.0
                        yield f"event: changed\ndata: {kind}\n\n"
                if silent >= QUIET:
                    silent = 0.0
                    yield ":\n\n"
        finally:
            news.followers -= 1

    return stream


def events_endpoint(news: ChangeFeed, stopping: Callable[[], bool] = lambda: False) -> Callable[[Request], object]:
    """The route's handler."""
    stream = follow_changes(news, stopping)

    async def events(request: Request) -> Response:
        if news.followers >= MOST:
            return PlainTextResponse(f"{MOST} pages follow already", 503, headers={"Retry-After": "60"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        # Before the response starts: from its start on, the page relies on being notified.
        known = dict(await news.marks())
        return StreamingResponse(stream(request, known), media_type="text/event-stream", headers=headers)

    return events
