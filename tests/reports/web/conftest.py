"""What the tests of pages have in common."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from runner.browser import Browser as Program


@pytest.fixture(scope="module")
def chrome(chromium: Program) -> Iterator[Browser]:
    """A running browser without a page."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium.path)
        yield running
        running.close()
