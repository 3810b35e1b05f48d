"""The journey that benchmarks/fidelity.py runs: every kind of wait, at every delay, by both of Playwright's ways to wait."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Locator, Page

from runner import expect, journey

DELAYS = (0, 30, 90, 120, 200, 300, 360, 400, 700, 870, 1200, 1900, 2900)
WAITS = ("expect", "wait_for")


def wait(locator: Locator, how: str) -> None:
    """Waits until it is visible, in one of the two ways."""
    if how == "expect":
        expect(locator).to_be_visible()
    else:
        locator.wait_for()


@journey(timeout="10m")
def fidelity(page: Page, step: Any, params: Mapping[str, str]) -> None:
    """One step a kind, delay and way to wait; its name says which."""
    delays = [int(delay) for delay in params["delays"].split(",")]
    for how in WAITS:
        for delay in delays:
            with step(f"document {delay} {how}"):
                page.goto(f"/search?q=tea&delay={delay}")
                wait(page.get_by_role("heading", name="Results"), how)
        for kind in ("request", "route"):
            for delay in delays:
                page.goto(f"/switch/{'xhr' if kind == 'request' else 'route'}?delay={delay}")
                with step(f"{kind} {delay} {how}"):
                    page.get_by_role("button", name="Go").click()
                    wait(page.get_by_text("done"), how)
        for delay in delays:
            page.goto(f"/switch/popup?delay={delay}")
            with step(f"popup {delay} {how}"):
                with page.expect_popup() as popup:
                    page.get_by_role("button", name="Go").click()
                wait(popup.value.get_by_role("heading", name="Results"), how)
            popup.value.close()
