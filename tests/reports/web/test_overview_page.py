"""The overview: searched, filtered, grouped by tag, with the last days of each journey."""

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from tests.support.services.dashboard import Visited, made

NAME = re.compile(r'<th role="rowheader" data-label="journey" scope="row"><a href="/journeys/([\w-]+)')


@pytest.fixture(scope="module")
def served(lasting: Callable[[str], Callable[..., Visited]]) -> Visited:
    found = lasting("overview")()
    for name, status, tags in (
        ("buy", "failed", ("shop", "critical")),
        ("browse", "passed", ("shop",)),
        ("login", "passed", ("portal",)),
        ("ping", "error", ()),
        ("rechnungsadresse-aendern-und-abschliessen", "passed", ("portal",)),
    ):
        found.store.add(replace(made(journey=name, status=status), tags=tags))
    return found


def listed(served: Visited, query: str) -> list[str]:
    return NAME.findall(served.get(f"/?range=1h&{query}").body.decode())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=BUY", ["buy"]),
        ("q=portal+log", ["login"]),
        ("q=expected+the+cart", ["buy", "ping"]),
        ("status=failed", ["buy"]),
        ("status=error", ["ping"]),
        ("tag=shop", ["browse", "buy"]),
        ("tag=shop&status=passed", ["browse"]),
        ("q=nothing+like+it", []),
        ("group=tag&tag=critical", ["buy", "buy"]),
    ],
)
def test_journeys_are_selected_by_words_status_and_tag(served: Visited, query: str, expected: list[str]) -> None:
    assert listed(served, query) == expected


def test_groups_are_by_tag_and_count_what_does_not_pass(served: Visited) -> None:
    page = served.get("/?range=1h&group=tag").body.decode()
    assert re.findall(r'<h3 id="group-\d">([\w ]+) <', page) == ["critical", "portal", "shop", "without a tag"]
    assert page.count("1 not passing") == 3
    # The other ranges keep the grouping.
    assert 'href="/?range=7d&amp;group=tag"' in page


def test_the_headline_is_about_all_journeys_whatever_is_listed(served: Visited) -> None:
    assert "buy fails" in served.get("/?range=1h&tag=portal").body.decode()


@pytest.mark.parametrize("query", ["status=green", "group=name", f"q={'x' * 101}"])
def test_what_is_not_valid_is_refused(served: Visited, query: str) -> None:
    assert served.get(f"/?{query}").status == 400


def test_each_journey_has_its_last_days_in_words(served: Visited) -> None:
    page = served.get("/?range=1h").body.decode()
    assert page.count('aria-label="Last 90 days: 1 with runs, 1 of them without a failure"') == 3


@pytest.mark.thorough
def test_a_live_update_tints_only_what_has_changed(dashboard: Callable[..., Visited], chrome: Browser) -> None:
    served = dashboard()
    for name in ("buy", "search"):
        served.store.add(made(journey=name, ago=300.0))
    page = chrome.new_page()
    page.goto(f"{served.address}/?range=1h")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    served.store.add(made(journey="buy", status="failed", ago=5.0))
    rows = page.get_by_role("region", name="Journeys").get_by_role("row")
    expect(rows.filter(has_text="buy")).to_contain_text("failed", timeout=20_000)
    expect(page.locator("tr.changed")).to_have_count(1)
    expect(rows.filter(has_text="search")).not_to_have_class("changed")
    page.close()
