"""Waiting for a condition, which a test does in place of sleeping: it goes on as soon as the condition holds."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

PAUSE = 0.05
"""Seconds between two looks at a condition; and between those of a server at whether it is to stop, half a second by default."""


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


def let_pass(seconds: float, why: str, page: Page | None = None) -> None:
    """Sleeps: the one place where a test may, as `why` says.

    Either time itself is what is tested, or something must not happen, and would within these seconds. A busy machine makes a
    test of the second kind weaker, never red.
    """
    assert why
    if page is None:
        time.sleep(seconds)
    else:
        page.wait_for_timeout(seconds * 1000)


async def let_pass_async(seconds: float, why: str) -> None:
    """As `let_pass`, while other tasks of the event loop go on."""
    assert why
    await asyncio.sleep(seconds)


RESTING = """() => new Promise((resolve) => {
    const rest = (left) => (left ? requestIdleCallback(() => rest(left - 1), { timeout: 1000 }) : resolve());
    rest(3);
})"""


def rest(page: Page) -> None:
    """Waits until the page has nothing to do: what began in its idle time, and what the browser had to tell, is done too."""
    page.evaluate(RESTING)


OBSERVED = """([type, count, where]) => new Promise((resolve) => {
    const wanted = new Function("entry", `return ${where}`);
    let found = 0;
    new PerformanceObserver((list) => {
        found += list.getEntries().filter(wanted).length;
        if (found >= count) setTimeout(resolve);
    }).observe({ type, buffered: true, durationThreshold: 16 });
})"""


def wait_for_entries(page: Page, type_: str, where: str = "true", count: int = 1) -> None:
    """Waits for so many entries of the page's performance timeline, `where` a condition on `entry` in JavaScript.

    Whoever observed them before has heard of them by then.
    """
    page.evaluate(OBSERVED, [type_, count, where])
