"""Browser contexts that a journey opens by itself: they are watched like the one it was given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page


@contextmanager
def watched(browser: Browser | None, watch: Callable[[BrowserContext], None]) -> Iterator[None]:
    """Calls `watch` with each context that is opened in the block, before the journey gets it."""
    if browser is None:  # a context that was opened together with its browser knows of none
        yield
        return
    open_context, open_page = browser.new_context, browser.new_page

    def new_context(*arguments: Any, **options: Any) -> BrowserContext:
        context = open_context(*arguments, **options)
        watch(context)
        return context

    def new_page(*arguments: Any, **options: Any) -> Page:
        page = open_page(*arguments, **options)
        watch(page.context)
        return page

    browser.new_context = new_context  # type: ignore[method-assign]
    browser.new_page = new_page  # type: ignore[method-assign]
    try:
        yield
    finally:
        del browser.new_context, browser.new_page
