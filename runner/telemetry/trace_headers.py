"""`traceparent` on requests to origins that the settings list, and to no other: so a backend's spans are below the step's.

Headers of a whole browser context (`set_extra_http_headers`) would go to third parties too, where each makes a preflight; Playwright's
routing would turn the cache off. So Chromium pauses documents, `fetch` and XHR of the listed origins alone (CDP, domain Fetch), each for
one exchange of messages. What is added to a request does not go along with a redirect.
"""

from contextlib import suppress
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page
from playwright.sync_api import Error as PlaywrightError

from runner.telemetry.trace_ids import traceparent

KINDS = ("Document", "XHR", "Fetch")


class TraceHeaders:
    """The headers of one attempt; changes nothing where no origin is listed."""

    def __init__(self, origins: tuple[str, ...], run: str, attempt: int, baggage: bool = False) -> None:
        self._patterns = [{"urlPattern": f"{origin}/*", "resourceType": kind} for origin in origins for kind in KINDS]
        self._run = run
        self._attempt = attempt
        self._baggage = baggage
        self._index = 0
        self._watched: set[Page] = set()

    def step_started(self, context: BrowserContext, index: int) -> None:
        """A step is about to begin; its clock has not started."""
        if not self._patterns:
            return
        self._index = index
        if not self._watched:
            context.on("page", self._watch)
        for page in context.pages:
            self._watch(page)

    def _watch(self, page: Page) -> None:
        if page in self._watched:
            return
        self._watched.add(page)
        # A page that closes meanwhile makes no more requests.
        with suppress(PlaywrightError):
            session = page.context.new_cdp_session(page)
            session.on("Fetch.requestPaused", lambda event: self._continue(session, event))
            session.send("Fetch.enable", {"patterns": self._patterns})

    def _continue(self, session: CDPSession, event: dict[str, Any]) -> None:
        own = {"traceparent": traceparent(self._run, self._attempt, self._index)}
        if self._baggage:
            own["baggage"] = f"journey.run.id={self._run}"
        # A site that sends its own trace context knows its spans better.
        headers = {**own, **event["request"]["headers"]}
        listed = [{"name": name, "value": value} for name, value in headers.items()]
        with suppress(PlaywrightError):
            session.send("Fetch.continueRequest", {"requestId": event["requestId"], "headers": listed})
