"""The agent for real users, on the shop and on pages of its own, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from runner.demo import running_shop
from tests.support.browsers import chrome as chrome
from tests.support.browsers import driver as driver
from tests.support.services.receiver import Receiver, receiving


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


@pytest.fixture
def visitor(chrome: Browser, receiver: Receiver) -> Iterator[BrowserContext]:
    """A visitor with an empty browser."""
    context = chrome.new_context()
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A tab of the visitor's. No error of the agent's ever reaches a page."""
    tab = visitor.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    assert not [error for error in errors if "agent.js" in error or "not yours" in error or "Cannot read" in error]
