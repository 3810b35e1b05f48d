"""`/events`: tells pages that something has ended, as server-sent events (WHATWG HTML, 9.2)."""

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from runner.store import Store, StoreDown

LOOK = 2.0
"""Seconds between two looks at the store, one for all pages together."""
QUIET = 15.0
"""Seconds after which an empty line says that the connection is alive."""
MOST = 100
"""Pages that follow at a time; a further one is told to come back later, and still shows what it was given."""


class News:
    """What the store's newest run is, asked once for all who follow."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking = asyncio.Lock()
        self._mark = ""
        self._asked = float("-inf")
        self.followers = 0

    async def mark(self) -> str:
        """Another text once something has been stored."""
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if now - self._asked >= LOOK:
                self._asked = now
                try:
                    self._mark = await run_in_threadpool(self._store.mark)
                except StoreDown:
                    # Nothing new can be told; a page that is asked for says what is wrong.
                    return self._mark
            return self._mark


def follow(news: News, stopping: Callable[[], bool] = lambda: False) -> Callable[[Request], AsyncIterator[str]]:
    """The stream for one page, until it goes away or the server stops."""

    async def stream(request: Request) -> AsyncIterator[str]:
        news.followers += 1
        try:
            known = await news.mark()
            yield "retry: 5000\n\n"
            silent = 0.0
            while not stopping() and not await request.is_disconnected():
                await asyncio.sleep(LOOK / 2)
                mark = await news.mark()
                silent += LOOK / 2
                if mark != known:
                    known, silent = mark, 0.0
                    yield "event: changed\ndata: runs\n\n"
                elif silent >= QUIET:
                    silent = 0.0
                    yield ":\n\n"
        finally:
            news.followers -= 1

    return stream


def endpoint(news: News, stopping: Callable[[], bool] = lambda: False) -> Callable[[Request], object]:
    """The route's handler."""
    stream = follow(news, stopping)

    async def events(request: Request) -> Response:
        if news.followers >= MOST:
            return PlainTextResponse(f"{MOST} pages follow already", 503, headers={"Retry-After": "60"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream(request), media_type="text/event-stream", headers=headers)

    return events
