"""The requests of a browser context, by Playwright's network events: they see other origins and failures, where Resource
Timing shows zeros."""

from collections.abc import Coroutine
from typing import Any

from playwright.sync_api import BrowserContext, Request, Response
from playwright.sync_api import Error as PlaywrightError

from runner.browser import playwright_internals as bridge
from runner.page.clock import Window
from runner.result import Request as RequestResult
from runner.result import Requests
from runner.untrusted_text import tamed

SLOWEST = 5
FAILURES = 10
ENTRIES = 200
UNAWAITED = "ping"
"""What Playwright calls beacons (`sendBeacon`) and pings of links: nobody waits for them, so they belong to no step. The page
clock leaves them out too (see `responses.js`)."""


class RequestLog:
    """Every ended request of a context, in the order in which they ended."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._ended: list[Request] = []
        self._failures: dict[Request, str] = {}
        self._status: dict[Request, int] = {}
        self._bytes: dict[Request, int] = {}
        context.on("response", self._responded)
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)

    def _responded(self, response: Response) -> None:
        self._status[response.request] = response.status

    def _finished(self, request: Request) -> None:
        self._ended.append(request)

    def _failed(self, request: Request) -> None:
        self._failures[request] = request.failure or "failed"
        self._ended.append(request)

    def sizes(self) -> list[Coroutine[Any, Any, None]]:
        """Calls that ask for the bytes of each response received so far."""
        asked = [request for request in self._ended if request not in self._failures and request not in self._bytes]
        return [self._measure(request) for request in asked]

    async def _measure(self, request: Request) -> None:
        size = await bridge.sizes(request)
        self._bytes[request] = size["responseBodySize"] + size["responseHeadersSize"]

    def document_statuses(self, window: Window) -> list[RequestResult]:
        """The top-level documents answered in `window`, redirects included, in order."""
        found = []
        for request, status in self._status.items():
            if request.is_navigation_request() and _is_top(request):
                at = request.timing["startTime"] / 1000
                if at in window:
                    found.append(self._result(request, window, status))
        return found

    def within(self, window: Window) -> Requests:
        """The ended requests that began in `window`."""
        results = [
            self._result(request, window, self._status.get(request))
            for request in self._ended
            if request.timing["startTime"] / 1000 in window
            and request.url.startswith("http")
            and request.resource_type != UNAWAITED
        ]
        failed = [one for one in results if one.failure or (one.status or 0) >= 400]
        return Requests(
            ok=len(results) - len(failed),
            failed=len(failed),
            transfer_bytes=sum(one.transfer_bytes for one in results),
            slowest=tuple(sorted(results, key=lambda one: -one.duration_seconds)[:SLOWEST]),
            failures=tuple(failed[:FAILURES]),
            entries=tuple(sorted(results, key=lambda one: one.at_seconds)[:ENTRIES]),
        )

    def _result(self, request: Request, window: Window, status: int | None) -> RequestResult:
        timing = request.timing
        return RequestResult(
            url=tamed(request.url),
            method=request.method,
            kind=request.resource_type,
            at_seconds=round(timing["startTime"] / 1000 - window.start, 6),
            duration_seconds=round(max(timing["responseEnd"], 0.0) / 1000, 6),
            status=status,
            transfer_bytes=self._bytes.get(request, 0),
            failure=self._failures.get(request, ""),
        )


def _is_top(request: Request) -> bool:
    try:
        return request.frame.parent_frame is None
    except PlaywrightError:
        # Playwright has no frame yet for the first request of a page, which is always its top-level document.
        return True
