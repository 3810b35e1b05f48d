"""A browser that is launched once for all tests of a folder, whose conftest.py takes these fixtures over; or of a module."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from runner.browser.chromium import Browser as Program


@pytest.fixture(scope="package")
def driver() -> Iterator[Playwright]:
    """Playwright, which a thread can have only once at a time: who starts it too does so in a thread of its own."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def chrome(driver: Playwright, chromium: Program) -> Iterator[Browser]:
    """A running browser without a page."""
    opened = driver.chromium.launch(executable_path=chromium.path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def module_chrome(chromium: Program) -> Iterator[Browser]:
    """As `chrome`, for a module that takes it over: `chrome = module_chrome`."""
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium.path) as opened:
        yield opened
