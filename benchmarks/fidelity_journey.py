"""The journey that benchmarks/fidelity.py runs: every kind of wait, at every delay, by both of Playwright's ways to wait."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator

from runner import Page, Params, Step, expect, journey

DELAYS = (0, 30, 90, 120, 200, 300, 360, 400, 700, 870, 1200, 1900, 2900)
WAITS = ("expect", "wait_for")


LOADED = "() => performance.timeOrigin + performance.getEntriesByType('navigation')[0].loadEventEnd"
CLICKED = "() => addEventListener('pointerdown', event => { window.clicked = performance.timeOrigin + event.timeStamp; })"


def load_event(page: Page) -> float:
    """Navigation Timing's load event in ms since the epoch, read without anything of the runner's."""
    at: float = page.evaluate(LOADED)
    return at


def wait(locator: Locator, how: str) -> None:
    """Waits until it is visible, in one of the two ways."""
    if how == "expect":
        expect(locator).to_be_visible()
    else:
        locator.wait_for()


@journey(timeout="10m")
def fidelity(page: Page, step: Step, params: Params) -> None:
    """One step a kind, delay and way to wait; its name says which. The truth of each goes to the file `params["truth"]`."""
    delays = [int(delay) for delay in params["delays"].split(",")]
    truth: dict[str, Any] = {}
    for how in WAITS:
        for delay in delays:
            with step(f"document {delay} {how}"):
                page.goto(f"/search?q=tea&delay={delay}")
                wait(page.get_by_role("heading", name="Results"), how)
            truth[f"document {delay} {how}"] = load_event(page) - page.evaluate("performance.timeOrigin")
        for kind in ("request", "route"):
            for delay in delays:
                page.goto(f"/switch/{'xhr' if kind == 'request' else 'route'}?delay={delay}")
                with step(f"{kind} {delay} {how}"):
                    page.get_by_role("button", name="Go").click()
                    wait(page.get_by_text("done"), how)
                truth[f"{kind} {delay} {how}"] = delay
        for delay in delays:
            page.goto(f"/switch/popup?delay={delay}")
            page.evaluate(CLICKED)
            with step(f"popup {delay} {how}"):
                with page.expect_popup() as popup:
                    page.get_by_role("button", name="Go").click()
                wait(popup.value.get_by_role("heading", name="Results"), how)
            truth[f"popup {delay} {how}"] = load_event(popup.value) - page.evaluate("window.clicked")
            popup.value.close()
    Path(params["truth"]).write_text(json.dumps(truth))
