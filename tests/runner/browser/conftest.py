"""A driver with what the runner preloads into it, and a browser that it has started."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from runner.browser.chromium import Browser as Program
from runner.browser.driver import event_waits


@pytest.fixture(scope="module")
def preloaded_driver() -> Iterator[Playwright]:
    """A driver with preload.cjs."""
    manager = sync_playwright()
    with event_waits.preloaded():
        playwright = manager.start()
    yield playwright
    playwright.stop()


@pytest.fixture(scope="module")
def chrome(preloaded_driver: Playwright, chromium: Program) -> Iterator[Browser]:
    with preloaded_driver.chromium.launch(executable_path=chromium.path) as opened:
        yield opened
