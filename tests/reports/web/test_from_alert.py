"""From an alert to the trace in two clicks: with a real scheduler, a webhook that takes the alert, and `journey serve`."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import expect

from tests.runner.alerts.test_alerts import webhook
from tests.support.services.daemon import Daemon
from tests.support.services.serve import Serve
from tests.support.services.servers import free_port
from tests.support.wait import wait_until

BROKEN = """
    @journey(every="1s")
    def buy(page, step):
        with step("open the shop"):
            page.goto("/")
        with step("pay"):
            page.get_by_role("button", name="Nobody made this").click(timeout=700)
"""
SLOW = """
    @journey(every="1s")
    def buy(page, step):
        with step("pay", budget="1ms"):
            page.goto("/")
"""


@pytest.fixture
def served(daemon: Daemon) -> Iterator[Serve]:
    """The dashboard of the scheduler's folder."""
    one = Serve(daemon.folder)
    one.start()
    yield one
    one.stop()


@pytest.mark.thorough
def test_from_the_alert_to_the_action_that_failed_in_two_clicks(daemon: Daemon, served: Serve, chrome: Playwright) -> None:
    port = free_port()
    daemon.write(BROKEN)
    with webhook(port) as posts:
        daemon.start(
            JOURNEY_ALERT_URLS=f"json://127.0.0.1:{port}/alert", JOURNEY_ALERT_AFTER="1", JOURNEY_PUBLIC_URL=served.address
        )
        wait_until(lambda: posts)
        daemon.stop()
    assert posts[0]["title"] == "buy is failing (local)"
    link = re.search(r"http://\S+/runs/\S+", posts[0]["message"])
    assert link, posts[0]["message"]

    page = chrome.new_page()
    page.goto(link[0])  # the first click
    expect(page.get_by_role("heading", name="Why")).to_be_in_viewport()
    expect(page.get_by_text("timeout in step “pay”")).to_be_in_viewport()
    expect(page.get_by_role("img", name="The page when “pay” failed")).to_be_visible()
    page.get_by_role("link", name="Open the trace at “pay”").click()  # the second
    chosen = page.frame_locator("iframe.viewer").get_by_role("treeitem", selected=True).first
    expect(chosen).to_contain_text("Nobody made this", timeout=20_000)
    page.close()


@pytest.mark.thorough
def test_an_alert_of_a_budget_leads_to_the_steps(daemon: Daemon, served: Serve, chrome: Playwright) -> None:
    port = free_port()
    daemon.write(SLOW)
    with webhook(port) as posts:
        daemon.start(
            JOURNEY_ALERT_URLS=f"json://127.0.0.1:{port}/alert",
            JOURNEY_ALERT_BUDGET_AFTER="1",
            JOURNEY_PUBLIC_URL=served.address,
        )
        wait_until(lambda: posts)
        daemon.stop()
    link = re.search(r"http://\S+/runs/\S+", posts[0]["message"])
    assert link, posts[0]["message"]
    page = chrome.new_page()
    page.goto(link[0])
    expect(page.get_by_role("heading", name="Steps")).to_be_in_viewport()
    expect(page.get_by_role("row", name=re.compile("^pay")).locator(".poor")).to_be_visible()
    page.close()
