"""The agent for real users, on the shop and on pages of its own, in a real browser: a Chromium, or a Firefox where `AGENT_ENGINE` says so."""

import os
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as PlaywrightError

from runner.demo import running_shop
from tests.support.browsers import chrome as chrome
from tests.support.engines import UNCHANGED
from tests.support.engines import driver as driver
from tests.support.engines import firefox as firefox
from tests.support.needs import needs
from tests.support.services.receiver import Receiver, receiving


@pytest.fixture(scope="package", params=[os.environ.get("AGENT_ENGINE", "chromium")])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine of this test's browser. A test of what only one has says so: `@CHROMIUM_ONLY`."""
    return str(request.param)


@pytest.fixture(scope="package")
def server() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(server: Receiver) -> Receiver:
    """The receiver, with nothing in it."""
    server.status = 202
    server.judges_clicks = False
    server.arrived.clear()
    server.pages.clear()
    return server


@pytest.fixture(scope="package")
def tea_shop(server: Receiver) -> Iterator[str]:
    """The demo shop, whose pages have the agent."""
    with running_shop(collector=server.address, key="k-1") as address:
        yield address


def close_quietly(context: BrowserContext) -> None:
    """Closes a visitor's tabs, which report nothing more: Firefox sends the last of a tab after it is closed, and so to the next test."""
    for tab in context.pages:
        # One that the test is closing has nothing to run this.
        with suppress(PlaywrightError):
            tab.evaluate("if (globalThis.journeyUser) journeyUser.beforeSend = () => null; 0")
    context.close()


@pytest.fixture
@needs("browser")
def visitor(request: pytest.FixtureRequest, engine: str, receiver: Receiver) -> Iterator[BrowserContext]:
    """A visitor with an empty browser."""
    browser: Browser = request.getfixturevalue("chrome" if engine == "chromium" else engine)
    context = browser.new_context(**(UNCHANGED if engine == "firefox" else {}))
    yield context
    if engine == "firefox":
        close_quietly(context)
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A tab of the visitor's. No error of the agent's ever reaches a page."""
    tab = visitor.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    assert not [error for error in errors if "agent.js" in error or "not yours" in error or "Cannot read" in error]
