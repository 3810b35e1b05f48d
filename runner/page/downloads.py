"""Failed requests that are not failures: navigations whose answer was not a document, and streams that the page has closed.

Chromium aborts a navigation that becomes a download, and one that is answered with 204 or 205 (Fetch Standard, "null body status").
An event stream has no end of its own: it is aborted when the page closes it or is left.
"""

from collections.abc import Coroutine
from typing import Any

from playwright.sync_api import BrowserContext, Download, Page, Request

from runner.browser.driver import playwright_internals as bridge

ABORTED = "net::ERR_ABORTED"
NO_DOCUMENT = {204, 205}


class Downloads:
    """The downloads of a context, from its first page on."""

    def __init__(self, context: BrowserContext) -> None:
        self._begun: dict[str, Download] = {}
        self._failed: dict[str, str] = {}
        context.on("page", self._watch)
        for page in context.pages:
            self._watch(page)

    def _watch(self, page: Page) -> None:
        page.on("download", self._note)

    def _note(self, download: Download) -> None:
        self._begun[download.url] = download

    def questions(self) -> list[Coroutine[Any, Any, None]]:
        """Calls that ask each download how it has ended."""
        return [self._ask(url, download) for url, download in self._begun.items() if url not in self._failed]

    async def _ask(self, url: str, download: Download) -> None:
        failure = await bridge.download_failure(download)
        self._failed[url] = failure or ""

    def failure(self, request: Request, reason: str, status: int | None) -> str:
        """Why a request failed of which the browser says so for `reason`; empty where it has arrived in another way."""
        if reason == ABORTED and request.resource_type == "eventsource" and status == 200:
            return ""
        if reason != ABORTED or not request.is_navigation_request():
            return reason
        if status in NO_DOCUMENT:
            return ""
        return self._failed.get(request.url, "") if request.url in self._begun else reason
