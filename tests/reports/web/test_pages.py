"""The pages in a real browser: what they do, and that the keyboard reaches all of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import Page, Route, expect

from runner.browser.chromium import Browser
from runner.workers.pool import Workers
from tests.conftest import Monitor
from tests.reports.web.accessible import violations
from tests.support.services.dashboard import TOKEN, Visited, made, many
from tests.support.thorough import thorough_but

BREAKS = """
@journey(trace="on", screenshots="on")
def walk(page, step):
    with step("open the shop"):
        page.goto("/")
    with step("look for what is not there"):
        page.get_by_role("button", name="Nobody made this").click(timeout=700)
"""
PASSES = """
@journey(trace="on", screenshots="on")
def walk(page, step):
    with step("open the shop"):
        page.goto("/")
    with step("look for what is not there"):
        page.goto("/product/sencha")
"""


class Seen:
    """A dashboard with real runs and made ones, looked at."""

    def __init__(self, served: Visited, chrome: Playwright, runs: dict[str, str]) -> None:
        self.served = served
        self.runs = runs
        self.told: list[str] = []
        self.elsewhere: list[str] = []
        self._browser = chrome

    def open(self, path: str, **options: Any) -> Page:
        """A page in a window of its own; what its console says and where it sends is noted."""
        context = self._browser.new_context(**options)

        def only_here(route: Route) -> None:
            if route.request.url.startswith(f"{self.served.address}/"):
                route.continue_()
            else:
                self.elsewhere.append(route.request.url)
                route.abort()

        context.route("**/*", only_here)
        page = context.new_page()
        page.on("console", lambda line: self.told.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.goto(f"{self.served.address}{path}")
        return page

    def paths(self) -> dict[str, str]:
        """Every page there is."""
        failed, passed = self.runs["failed"], self.runs["passed"]
        return {
            "overview": "/?range=24h",
            "journey": "/journeys/buy?range=24h",
            "journey of a month": "/journeys/walk?range=30d",
            "runs": "/runs?range=24h",
            "no runs": "/runs?from=2020-01-01T00:00&to=2020-01-02T00:00",
            "failed run": f"/runs/{failed}",
            "passed run": f"/runs/{passed}",
            "trace": f"/runs/{failed}/trace",
            "API": "/api/v1",
            "not found": "/nothing",
        }


@pytest.fixture(scope="module")
def ran(
    lasting: Callable[[str], Callable[..., Visited]],
    tmp_path_factory: pytest.TempPathFactory,
    shop: str,
    chromium: Browser,
    pool: Workers,
) -> tuple[Visited, dict[str, str]]:
    """Two real runs of a journey on the shop, and a hundred made ones of three others."""
    monitor = Monitor(tmp_path_factory.mktemp("monitor"), shop, chromium, pool)
    served = lasting("ran")(budgets={"buy": 1.0})
    for one in many(100):
        served.store.add(one)
    runs: dict[str, str] = {}
    for code in (PASSES, BREAKS):
        result = monitor.run(code)
        served.store.add(result, monitor.saved())
        runs[result.status] = result.id
    assert set(runs) == {"passed", "failed"}
    return served, runs


@pytest.fixture
def seen(ran: tuple[Visited, dict[str, str]], chrome: Playwright) -> Seen:
    """What has come of them."""
    return Seen(ran[0], chrome, ran[1])


@pytest.fixture
def only_one(dashboard: Callable[..., Visited], chrome: Playwright) -> Seen:
    """One made run."""
    served = dashboard()
    one = made()
    served.store.add(one)
    return Seen(served, chrome, {"passed": one.id, "failed": one.id})


@pytest.mark.parametrize("scheme", thorough_but(1, ["light", "dark"]))
def test_the_sign_in_page_is_accessible_and_works(dashboard: Callable[..., Visited], chrome: Playwright, scheme: str) -> None:
    seen = Seen(dashboard({"JOURNEY_SERVE_TOKEN": TOKEN}), chrome, {})
    page = seen.open("/runs?range=7d", color_scheme=scheme)
    assert violations(page, []) == []
    page.get_by_role("textbox", name="Token").fill("wrong")
    page.get_by_role("button", name="Sign in with the token").click()
    expect(page.get_by_role("alert")).to_have_text("The token is wrong.")
    assert violations(page, []) == []
    page.get_by_role("textbox", name="Token").fill(TOKEN)
    page.get_by_role("button", name="Sign in with the token").click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"{seen.served.address}/runs")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert [line for line in seen.told if "401" not in line] == []


@pytest.mark.thorough
def test_everything_is_reached_with_the_keyboard_and_shows_where_it_is(seen: Seen) -> None:
    for name, path in seen.paths().items():
        page = seen.open(path)
        page.wait_for_load_state("load")
        page.evaluate("document.querySelector('.viewer')?.remove()")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content", name
        # A list may have hundreds of links: the first of each kind stand for the others.
        wanted = page.evaluate(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex=\"0\"]')]"
            ".filter(e => e.checkVisibility({visibilityProperty: true}) && !e.closest('details:not([open]) > :not(summary)')"
            " && !(e.type === 'radio' && !e.checked) && !e.disabled).length"
        )
        reached = 1
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            where = page.evaluate(
                "(() => {const e = document.activeElement; return e === document.body ? null"
                " : getComputedStyle(e).outlineStyle + ' ' + getComputedStyle(e).outlineWidth})()"
            )
            if where is None:
                break
            assert where.startswith(("solid 2", "auto")), (name, where, page.evaluate("document.activeElement.outerHTML"))
            reached += 1
        assert reached >= wanted, name
        page.context.close()


def test_a_run_that_is_stored_appears_on_the_open_page(only_one: Seen) -> None:
    page = only_one.open("/?range=24h")
    expect(page.get_by_role("heading", level=1)).to_have_text("buy passes")
    expect(page.get_by_role("status")).to_have_text("live")
    page.evaluate("window.same = true")
    only_one.served.store.add(made(status="failed", ago=1, message="the till is on fire"))
    expect(page.get_by_role("heading", level=1)).to_have_text("buy fails", timeout=20_000)
    expect(page.get_by_role("link", name="the till is on fire").first).to_be_visible()
    assert page.evaluate("window.same"), "the page was loaded anew"
    assert only_one.told == []


@pytest.mark.thorough
def test_a_run_that_is_stored_while_the_connection_is_lost_appears_when_it_is_back(only_one: Seen) -> None:
    page = only_one.open("/?range=24h")
    page.route("**/events", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("status")).to_have_text("connection lost")
    only_one.served.store.add(made(status="failed", ago=1, message="the till is on fire"))
    expect(page.get_by_role("heading", level=1)).to_have_text("buy passes")
    page.unroute_all()
    expect(page.get_by_role("heading", level=1)).to_have_text("buy fails", timeout=30_000)
    expect(page.get_by_role("status")).to_have_text("live")


@pytest.mark.thorough
def test_the_trace_opens_where_the_run_failed(seen: Seen) -> None:
    page = seen.open(f"/runs/{seen.runs['failed']}")
    page.get_by_role("link", name="Open the trace at “look for what is not there”").click()
    viewer = page.frame_locator("iframe.viewer")
    selected = viewer.get_by_role("treeitem", selected=True).first
    expect(selected).to_be_visible(timeout=20_000)
    expect(selected).to_contain_text("Nobody made this")
    assert seen.told == []
    assert seen.elsewhere == []


@pytest.mark.thorough
def test_a_failed_run_is_held_against_the_last_one_that_passed(seen: Seen) -> None:
    page = seen.open(f"/runs/{seen.runs['failed']}")
    part = page.get_by_role("region", name="Compared with the last passed run")
    expect(part.get_by_role("link")).to_have_attribute("href", f"/runs/{seen.runs['passed']}")
    expect(part.get_by_role("row", name=re.compile("^look for what is not there"))).to_contain_text("passed → failed")
    # The first step did the same in both: no request of it is new or gone.
    first = part.get_by_role("row", name=re.compile("^open the shop"))
    expect(first).not_to_contain_text("→ failed")
    expect(part.get_by_text("gone", exact=True)).not_to_have_count(0)
    part.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("passed")
    expect(page.get_by_role("region", name="Compared with the last passed run")).to_have_count(0)


def test_a_journey_is_paused_and_resumed_from_its_page(only_one: Seen) -> None:
    page = only_one.open("/journeys/buy")
    page.get_by_label("Pause for").select_option("an hour")
    page.get_by_label("Reason").fill("the bank moves")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("the bank moves")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_text("the bank moves")).to_have_count(0)
    assert only_one.told == []


def test_light_and_dark_are_chosen_and_remembered(only_one: Seen) -> None:
    page = only_one.open("/", color_scheme="light")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Light or dark").click()
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.goto(f"{only_one.served.address}/runs")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after
