"""A browser that is launched once for all tests of a folder: its conftest.py takes these fixtures over."""

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
