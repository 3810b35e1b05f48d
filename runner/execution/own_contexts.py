"""Browser contexts and browsers that a journey opens: they are watched like the context that it was given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from playwright.sync_api import Browser, BrowserContext

PERSISTENT = "launch_persistent_context"
OPENING = ("launch", "connect", "connect_over_cdp")
"""Methods of a BrowserType that open a browser."""


@contextmanager
def watched(browser: Browser | None, watch: Callable[[BrowserContext], None]) -> Iterator[None]:
    """Calls `watch` with each context that is opened in the block, before the journey gets it."""
    if browser is None:  # a context that was opened together with its browser knows of none
        yield
        return
    kind = browser.browser_type
    _watch_browser(browser, watch)
    for name in OPENING:
        setattr(kind, name, _watching(getattr(kind, name), partial(_watch_browser, watch=watch)))
    setattr(kind, PERSISTENT, _watching(getattr(kind, PERSISTENT), watch))
    try:
        yield
    finally:
        for name in (*OPENING, PERSISTENT):
            delattr(kind, name)
        del browser.new_context, browser.new_page


def _watch_browser(browser: Browser, watch: Callable[[BrowserContext], None]) -> None:
    browser.new_context = _watching(browser.new_context, watch)  # type: ignore[method-assign]
    browser.new_page = _watching(browser.new_page, lambda page: watch(page.context))  # type: ignore[method-assign]


def _watching(open_one: Callable[..., Any], watch: Callable[[Any], None]) -> Callable[..., Any]:
    def opening(*arguments: Any, **options: Any) -> Any:
        opened = open_one(*arguments, **options)
        watch(opened)
        return opened

    return opening
