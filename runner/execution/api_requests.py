"""The `request` that a journey gets: Playwright's API requests, timed for the page clock."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import APIRequestContext

CALLS = frozenset({"delete", "fetch", "get", "head", "patch", "post", "put"})


class TimedRequests:
    """Wraps an APIRequestContext, which shares the cookies and the base URL of the journey's browser context."""

    def __init__(self, requests: APIRequestContext, note: Callable[[float, float], None]) -> None:
        self._requests = requests
        self._note = note

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._requests, name)
        if name not in CALLS:
            return found

        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.time()
            try:
                return found(*args, **kwargs)
            finally:
                self._note(started, time.time())

        return timed
