"""The requests of a browser context, by Playwright's network events: they see other origins and failures, where Resource
Timing shows zeros."""

import time
from collections.abc import Coroutine
from typing import Any

from playwright.sync_api import BrowserContext, Request, Response
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver.page_channel import PageChannel, Size
from runner.browser.request_rules import BLOCKED
from runner.network.registrable_domain import host_of
from runner.page.clock import Window
from runner.page.downloads import Downloads
from runner.page.request_trace import RequestTrace
from runner.page.service_workers import find_passed_on
from runner.page.weight import Received, sum_up
from runner.result import Request as RequestResult
from runner.result import Requests
from runner.untrusted_text import tamed

SLOWEST = 5
FAILURES = 10
ENTRIES = 200
ABORTED = "net::ERR_ABORTED"
"""The page, or the journey, has gone on to something else."""
UNAWAITED = "ping"
"""What Playwright calls beacons (`sendBeacon`) and pings of links: nobody waits for them, so they belong to no step. The page
clock leaves them out too (see `responses.js`)."""


class RequestLog:
    """Every ended request of a context, in the order in which they ended."""

    def __init__(self, context: BrowserContext, base_url: str | None = None) -> None:
        """`base_url` says whose site is the first party; without it, the first document does."""
        self._context = context
        self._first = host_of(base_url or "")
        self._downloads = Downloads(context)
        self._began: dict[Request, float] = {}
        """When we heard of each request, in seconds since the epoch: the browser has no stamps of one that got no answer."""
        self._ended: dict[Request, float] = {}
        self._failures: dict[Request, str] = {}
        self._responses: dict[Request, Response] = {}
        self._status: dict[Request, int] = {}
        self._sizes: dict[Request, Size] = {}
        self.trace: RequestTrace | None = None
        """What says the span of a request, where its header was put there in the page."""
        context.on("request", self._requested)
        context.on("response", self._responded)
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)

    def _requested(self, request: Request) -> None:
        self._began.setdefault(request, time.time())

    def _responded(self, response: Response) -> None:
        self._responses[response.request] = response
        self._status[response.request] = response.status

    def _finished(self, request: Request) -> None:
        self._ended[request] = time.time()

    def _failed(self, request: Request) -> None:
        self._failures[request] = request.failure or "failed"
        self._ended[request] = time.time()

    def questions(self, channel: PageChannel) -> list[Coroutine[Any, Any, None]]:
        """Calls that ask for the bytes of each response received so far, and how each download has ended."""
        return [self._measure(channel), *self._downloads.questions()]

    def _started(self, request: Request) -> float:
        """Seconds since the epoch."""
        stamp = request.timing["startTime"]
        return stamp / 1000 if stamp > 0 else self._began.get(request, 0.0)

    def _failure(self, request: Request) -> str:
        reason = self._failures.get(request, "")
        return self._downloads.failure(request, reason, self._status.get(request)) if reason else ""

    async def _measure(self, channel: PageChannel) -> None:
        asked = [one for one in self._ended if one in self._responses and one not in self._failures and one not in self._sizes]
        for request, size in zip(asked, await channel.measure([self._responses[one] for one in asked]), strict=True):
            if size is not None:
                self._sizes[request] = size

    def document_statuses(self, window: Window) -> list[RequestResult]:
        """The top-level documents answered in `window`, redirects included, in order."""
        found = []
        for request, status in self._status.items():
            if request.is_navigation_request() and _is_top(request) and self._started(request) in window:
                found.append(self._result(request, window, status))
        return found

    @property
    def incomplete_document(self) -> str | None:
        """That the newest top-level document did not come whole, and why; None if it did, or comes still."""
        documents = [one for one in self._began if one.is_navigation_request() and _is_top(one)]
        reason = self._failure(documents[-1]) if documents else ""
        if not reason or reason == ABORTED:
            return None
        return f"the page's document was not received whole: {tamed(documents[-1].url, 300)}, {reason}"

    def within(self, window: Window) -> Requests:
        """The ended requests that began in `window`. What a service worker passes on for a page is the page's request, once."""
        passed_on = find_passed_on(self._ended, self._is_during)
        hidden = set(passed_on.values())
        asked = [
            request
            for request in self._ended
            if request not in hidden
            and self._started(request) in window
            and request.url.startswith("http")
            and request.resource_type != UNAWAITED
        ]
        sent = [one for one in asked if not self._failures.get(one, "").startswith(BLOCKED)]
        results = [self._result(one, window, self._status.get(one), passed_on.get(one)) for one in sent]
        failed = [one for one in results if one.failure or (one.status or 0) >= 400]
        return Requests(
            ok=len(results) - len(failed),
            failed=len(failed),
            transfer_bytes=sum(one.transfer_bytes for one in results),
            slowest=tuple(sorted(results, key=lambda one: -one.duration_seconds)[:SLOWEST]),
            failures=tuple(failed[:FAILURES]),
            entries=tuple(sorted(results, key=lambda one: one.at_seconds)[:ENTRIES]),
            weight=sum_up((self._received(one, passed_on.get(one)) for one in sent), self._find_first()),
            blocked=len(asked) - len(sent),
        )

    def _find_first(self) -> str:
        """A host of the site under test."""
        documents = (one for one in self._status if one.is_navigation_request() and _is_top(one))
        return self._first or next((host_of(one.url) for one in documents), "")

    def _received(self, request: Request, passed_on: Request | None) -> Received:
        sizes = [self._sizes[one] for one in (request, passed_on) if one in self._sizes]
        decoded = [one.decoded for one in sizes if one.decoded is not None]
        return Received(
            address=request.url,
            kind=request.resource_type,
            transferred=sum(one.transferred for one in sizes),
            # What a service worker passes on arrives twice, and is decoded alike.
            decoded=max(decoded, default=None),
        )

    def _is_during(self, waiting: Request, other: Request) -> bool:
        """Whether `other` began while `waiting` was under way."""
        return self._started(waiting) <= self._started(other) <= self._ended[waiting]

    def _result(self, request: Request, window: Window, status: int | None, passed_on: Request | None = None) -> RequestResult:
        started, took = self._started(request), request.timing["responseEnd"] / 1000
        if took <= 0 and request in self._failures:
            took = self._ended[request] - started
        return RequestResult(
            url=tamed(request.url),
            method=request.method,
            kind=request.resource_type,
            at_seconds=round(started - window.start, 6),
            duration_seconds=round(max(took, 0.0), 6),
            status=status,
            transfer_bytes=self._received(request, passed_on).transferred,
            failure=(self._failure(passed_on) if passed_on else "") or self._failure(request),
            span_id=self.trace.span_id(request) if self.trace else "",
        )


def _is_top(request: Request) -> bool:
    try:
        return request.frame.parent_frame is None
    except PlaywrightError:
        # Playwright has no frame yet for the first request of a page, which is always its top-level document.
        return True
