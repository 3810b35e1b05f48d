"""`/events`: tells pages that there is something new, as server-sent events (WHATWG HTML, 9.2): `changed`, with what as its data."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from reports.collector.storage.rollup import read_rolled_mark
from runner.store import Store, StoreDown
from runner.store.queries.runs import History

Kind = Literal["runs", "views"]
LOOK = 2.0
"""Seconds between two looks at the store, one for all pages together."""
SPACED: dict[Kind, float] = {"runs": 0.0, "views": 5.0}
"""Seconds between two events of a kind at the least: page views come all the time."""
QUIET = 15.0
"""Seconds after which an empty line says that the connection is alive."""
MOST = 100
"""Pages that follow at a time; a further one is told to come back later, and still shows what it was given."""


class ChangeFeed:
    """What the store's newest run and page view are, asked once for all who follow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking = asyncio.Lock()
        self._marks: dict[Kind, str] = {"runs": "", "views": ""}
        self._asked = float("-inf")
        self.followers = 0

    async def marks(self) -> dict[Kind, str]:
        """Another text for each kind of which something has been stored."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._asked >= LOOK:
                self._asked = now
                try:
                    self._marks = await run_in_threadpool(self._look)
                except StoreDown:
                    # Nothing new can be told; a page that is asked for says what is wrong.
                    return self._marks
            return self._marks

    def _look(self) -> dict[Kind, str]:
        # Page views are told of when they are in the roll-ups, of which pages are made.
        with self._store.snapshot() as connection:
            return {"runs": History(connection).mark(), "views": str(read_rolled_mark(connection))}


def follow_changes(
    news: ChangeFeed, stopping: Callable[[], bool] = lambda: False
) -> Callable[[Request, dict[Kind, str]], AsyncIterator[str]]:
    """The stream for one page that knows of what has these marks, until it goes away or the server stops."""

    async def stream(request: Request, known: dict[Kind, str]) -> AsyncIterator[str]:
        news.followers += 1
        try:
            yield "retry: 5000\n\n"
            silent = 0.0
            since = dict.fromkeys(known, SPACED["views"])
            while not stopping() and not await request.is_disconnected():
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
        # Before the answer begins: the page takes its beginning for the moment from which it is told of everything.
        known = dict(await news.marks())
        return StreamingResponse(stream(request, known), media_type="text/event-stream", headers=headers)

    return events
