"""Settings and a recorded purchase."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from reports.codegen import Made, make_untried
from reports.codegen.actions import SAME
from reports.replay.recording import Recording
from runner.browser.chromium import Browser
from runner.settings.load_settings import load_settings
from runner.settings.settings import Settings
from tests.reports.replay.from_session.visits import aside, record
from tests.support.wait import let_pass

GIVEN = {"email": "tea@example.com", "address": "1 Camellia Road"}
SECRETS = {"JOURNEY_SECRET_PASSWORD": "oolong-and-milk", "JOURNEY_SECRET_CARD_NUMBER": "4242 4242 4242 4242"}


def buy(page: Page) -> None:
    """From a product to the receipt, with sign-in, a payment form in a frame, and a window of its own."""
    page.goto("/product/oolong")
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="Check out").click()
    page.get_by_label("Email").fill("tea@example.com")
    page.get_by_label("Password").press_sequentially("oolong-and-milk")
    page.get_by_label("Password").press("Enter")
    page.get_by_label("Address").fill("1 Camellia Road")
    page.get_by_role("button", name="Continue to payment").click()
    payment = page.frame_locator("iframe[title=Payment]")
    payment.get_by_label("Card number").fill("4242 4242 4242 4242")
    # Nobody clicks twice within `reduction.SAME`; a fast machine would, and the second click be taken for the first.
    let_pass(2 * SAME / 1000, "two clicks within `SAME` are one", page)
    payment.get_by_role("button", name="Pay now").click()
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Open receipt").click()
    expect(popup.value.get_by_role("heading", name="Receipt")).to_be_visible()


@pytest.fixture(scope="session")
def bought(chromium: Browser, shop: str) -> Recording:
    """A purchase at the shop."""
    return record(chromium, shop, buy)


@pytest.fixture(scope="session")
def made(bought: Recording, chromium: Browser) -> Made:
    """The journey that is made of it, not tried yet."""
    return aside(make_untried, bought, chromium)


@pytest.fixture
def settings(tmp_path: Path, shop: str) -> Callable[..., Settings]:
    """Settings in an empty folder, for the shop."""
    return lambda **options: load_settings(tmp_path, {"base_url": shop, "runs_dir": tmp_path / "runs", **options}, {})
