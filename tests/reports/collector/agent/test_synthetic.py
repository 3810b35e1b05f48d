"""Page views of a journey are told from those of visitors."""

from urllib.parse import urlsplit

from playwright.sync_api import Page

from tests.conftest import Monitor
from tests.support.services.receiver import Receiver, leave
from tests.support.wait import wait_until

JOURNEY = """
@journey
def walk(page, step, request):
    with step("open the app"):
        page.goto("/app")
        expect(page.get_by_role("heading", name="Browse")).to_be_visible()
    with step("find"):
        page.get_by_label("What are").fill("black tea")
        page.get_by_role("button", name="Find").click()
        expect(page.get_by_text("2 found")).to_be_visible()
    with step("look at one"):
        page.get_by_role("link", name="Lapsang").click()
        expect(page.get_by_role("heading", name="Lapsang")).to_be_visible()
    with step("leave the app"):
        page.goto("/switch/popup")
    with step("open a window"):
        with page.expect_popup() as popup:
            page.get_by_role("button", name="Go").click()
        expect(popup.value.get_by_role("heading", name="Results")).to_be_visible()
    with step("close it"):
        popup.value.goto("about:blank")
        page.goto("about:blank")
        # What is on its way when a browser context is closed is lost.
        while int(request.get("{receiver}/views").text()) < 4:
            page.wait_for_timeout(50)
"""


def test_the_views_of_a_journey_are_marked_with_its_run_and_step(monitor: Monitor, receiver: Receiver, tea_shop: str) -> None:
    result = monitor.run(JOURNEY.replace("{receiver}", receiver.address), base_url=tea_shop, location="berlin")
    assert result.failure is None
    wait_until(lambda: len(receiver.views) >= 4)
    marked = {
        urlsplit(view.url).path: (beacon.synthetic.step if beacon.synthetic else None)
        for beacon in receiver.beacons
        for view in beacon.views
    }
    assert marked == {
        "/app": "open the app",
        "/app/item/lapsang": "look at one",
        "/switch/popup": "leave the app",
        "/search": "open a window",
    }
    assert {
        (one.synthetic.journey, one.synthetic.run, one.synthetic.location) for one in receiver.beacons if one.synthetic
    } == {("walk", result.id, "berlin")}
    assert not [request for step in result.steps for request in step.requests.entries if "/v1/views" in request.url]
    assert all(step.clock == "page" for step in result.steps[:5])


def test_a_real_visitor_has_no_mark(page: Page, receiver: Receiver) -> None:
    page.goto(receiver.page())
    leave(page)
    assert receiver.wait()[0].synthetic is None
