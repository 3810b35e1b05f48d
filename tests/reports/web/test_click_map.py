"""Click maps: what was clicked is counted for all visitors, and framed on a recorded page of the same width."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import expect

from reports.collector.accepted_beacon import Arrival
from reports.collector.beacon import Interaction
from reports.replay.chunk_store import FOLDER, ChunkStore
from runner.archive.run_id import run_id
from tests.reports.collector.arrivals import arrival, view
from tests.reports.replay.synthetic import still_session
from tests.reports.web.test_every_page import look
from tests.reports.web.visitors import EVIL, fill
from tests.support.services.dashboard import Visited
from tests.support.services.databases import BOTH

JSON = {"accept": "application/json"}
PAY = Interaction(type="click", role="button", name="Pay", element="html>body>button.pay")
"""As the agent reports it."""
PLACE = "html>body>div.card"


def node(number: int, tag: str, text: str, **attributes: str) -> dict[str, Any]:
    """An element of a recording."""
    inside = {"type": 3, "textContent": text, "id": number + 1}
    return {"type": 2, "tagName": tag, "attributes": attributes, "childNodes": [inside], "id": number}


def visit(page: str, now: float, width: int, acts: tuple[Interaction, ...], session: str = "") -> Arrival:
    """A page view a minute ago."""
    made = view(started_at=now - 70, url=f"https://shop.example{page}", interactions=acts)
    return arrival(made, at=now - 10, page=page, session=session or run_id(), viewport=(width, 600))


@pytest.fixture
def shop(request: pytest.FixtureRequest, dashboard: Callable[..., Visited]) -> Visited:
    """A dashboard on SQLite, or on what the test's parameter names."""
    postgres = getattr(request, "param", "sqlite") == "postgres"
    served = dashboard({"JOURNEY_DATABASE": request.getfixturevalue("postgres_copy")()} if postgres else {})
    nodes = [
        node(5001, "button", "Pay", **{"class": "pay"}),
        node(5003, "div", "••••••", **{"class": "card", "style": "width: 300px; height: 40px"}),
        node(5005, "button", "Add", **{"class": "add"}),
        node(5007, "button", "Add", **{"class": "add"}),
        node(5011, "p", "far below", style="margin-top: 900px"),
        node(5009, "button", "Renamed", **{"class": "other", "data-testid": "help"}),
    ]
    session = still_session(ChunkStore(served.store, served.archive.folder / FOLDER), *nodes)
    now = time.time()
    acts = (
        *[PAY] * 3,
        Interaction(type="click", element=PLACE),
        Interaction(type="dead-click", element=PLACE),
        Interaction(type="click", role="button", name="Add", element="html>body>button.add"),
        Interaction(type="click", role="button", name="Renamed", test_id="help", element="html>body>button.before"),
        Interaction(type="click", role="link", name=EVIL, element="html>body>a.gone"),
        Interaction(type="change", role="textbox", name="Name"),
    )
    views = [
        visit("/", now, 800, acts, session),
        visit("/", now, 900, (PAY,)),
        visit("/", now, 390, (PAY,)),
        visit("/other", now, 800, (PAY,)),
    ]
    fill(served.store, views, [])
    return served


@pytest.mark.parametrize("shop", BOTH, indirect=True)
def test_clicks_are_counted_by_element_for_a_page_and_a_width(shop: Visited) -> None:
    data = shop.get("/api/v1/clicks?range=1h&page=/&width=tablet", **JSON).json()
    assert (data["views"], data["width"]) == (2, "tablet")
    assert [(one["name"] or one["element"], one["count"], one["dead"]) for one in data["elements"]][:2] == [
        ("Pay", 4, 0),
        (EVIL, 1, 0),
    ]
    assert [(one["count"], one["dead"]) for one in data["elements"] if one["element"] == PLACE] == [(1, 1)]
    assert len(data["elements"]) == 5
    phone = shop.get("/api/v1/clicks?range=1h&page=/&width=phone", **JSON).json()
    assert (phone["views"], [one["count"] for one in phone["elements"]], phone["snapshot"]) == (1, [1], None)
    assert shop.get("/clicks?width=wide").status == 400


def test_where_nothing_was_recorded_the_figures_are_there_alone(shop: Visited) -> None:
    page = shop.get("/clicks?range=1h&page=/&width=phone").body.decode()
    assert "No visit to this page in a window of this width was recorded" in page
    assert "Pay" in page
    assert "No clicks on /" in shop.get("/clicks?range=1h&page=/&width=desktop").body.decode()


@pytest.mark.thorough
def test_each_element_is_framed_where_it_is_on_the_recorded_page(shop: Visited, chrome: Playwright) -> None:
    context = chrome.new_context(reduced_motion="reduce")
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{shop.address}/clicks?range=1h&page=/&width=tablet")
    expect(page.get_by_role("status").filter(has_text="4 of 5 elements are on the recorded page")).to_be_visible(timeout=30_000)
    where = {row.locator("td.mono").inner_text(): row.locator("td").last.inner_text() for row in page.locator("tbody tr").all()}
    assert where == {
        "html>body>button.pay": "yes",
        PLACE: "yes",
        "html>body>button.add": "2 alike",
        "html>body>button.before": "yes",  # its class has changed, its name has not
        "html>body>a.gone": "not on the recorded page",
    }
    # All of the page is shown, and nothing below it.
    heights = "one => [one.clientHeight, one.contentDocument.documentElement.scrollHeight]"
    shown, whole = page.locator(".stage iframe").evaluate(heights)
    assert shown == whole
    recorded = page.frame_locator(".stage iframe")
    for name, label in (("button.pay", "1: 4"), ("button.other", "1")):
        box = recorded.locator(name).bounding_box()
        frame = page.locator(".hit", has_text=label).first.bounding_box()
        assert box
        assert frame
        if name == "button.pay":
            assert [round(frame[side] - box[side]) for side in ("x", "y", "width", "height")] == [0, 0, 0, 0]
    assert recorded.locator("div.card").inner_text() == "••••••"
    assert page.locator(".hit.dead").count() == 1
    assert look(page) + wrong == []
    context.close()
