"""`traceparent` on requests to origins that the settings list, and to no other: so a backend's spans are below the step's.

Headers of a whole browser context (`set_extra_http_headers`) would go to third parties too, where each makes a preflight; Playwright's
routing would turn the cache off. So Chromium pauses documents, `fetch` and XHR of the listed origins alone (CDP, domain Fetch), each for
one exchange of messages. What is added to a request does not go along with a redirect.
"""

from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, CDPSession, Page
from playwright.sync_api import Error as PlaywrightError

from runner.telemetry.trace_ids import traceparent

KINDS = ("Document", "XHR", "Fetch")


class TraceHeaders:
    """The headers of one attempt; changes nothing where no origin is listed."""

    def __init__(self, origins: tuple[str, ...], run: str, attempt: int, baggage: bool = False) -> None:
        self._origins = origins
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
        request: dict[str, Any] = {"requestId": event["requestId"]}
        # Chromium's patterns match more than hosts: their `*` stands for a slash as well.
        if is_listed(event["request"]["url"], self._origins):
            # A site that sends its own trace context knows its spans better.
            headers = {**self._own_headers(), **event["request"]["headers"]}
            request["headers"] = [{"name": name, "value": value} for name, value in headers.items()]
        with suppress(PlaywrightError):
            session.send("Fetch.continueRequest", request)

    def _own_headers(self) -> dict[str, str]:
        found = {"traceparent": traceparent(self._run, self._attempt, self._index)}
        if self._baggage:
            found["baggage"] = f"journey.run.id={self._run}"
        return found


def is_listed(url: str, origins: tuple[str, ...]) -> bool:
    """Whether an address is one of these origins; `*.` stands for any subdomain.

    >>> is_listed("https://api.shop.example/x", ("https://*.shop.example",)), is_listed("https://shop.example:8443/", ("https://shop.example",))
    (True, False)
    >>> is_listed("https://ads.example/?x.shop.example/", ("https://*.shop.example",))
    False
    """
    try:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
    except ValueError:
        return False
    for one in origins:
        scheme, _, host = one.partition("://*.")
        if origin == one or (host and origin.startswith(f"{scheme}://") and origin.endswith(f".{host}")):
            return True
    return False
