"""Waiting for a condition, which a test does in place of sleeping: it goes on as soon as the condition holds."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

PAUSE = 0.05
"""Seconds between two looks at a condition."""


def wait_until(
    condition: Callable[[], Any],
    what: str = "",
    timeout: float = 60.0,
    *,
    page: Page | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Any:
    """The first true answer of `condition`. Raises AssertionError, which names `what`, when none comes within `timeout` seconds.

    Of a `page` the events are handled meanwhile: Playwright calls handlers and routes only while a test waits in it. Where a
    `progress` is given, the time begins anew whenever that has changed: what goes on is not held to be stuck because the
    machine is busy.
    """
    reached = progress()
    ends = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        now, before = time.monotonic(), reached
        reached = progress()
        if reached != before:
            ends = now + timeout
        if now >= ends:
            so_far = f"; it had come to {reached!r}" if reached is not None else ""
            raise AssertionError(f"waited {timeout:g} s for {what or 'the condition above'}{so_far}")
        if page is None:
            time.sleep(PAUSE)
        else:
            page.wait_for_timeout(PAUSE * 1000)
