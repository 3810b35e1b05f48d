"""What is recorded of a visit, in a real browser."""

from playwright.sync_api import Page

from tests.reports.collector.test_browser import Site
from tests.reports.replay.conftest import Recorder, hide
from tests.servers import wait_until


def test_a_visit_is_recorded_from_a_full_picture_on(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line()}</head><h1>Tea</h1><button data-testid=buy>Buy now</button><p id=out></p>"
    page.goto(f"{site.address}/item/7?token=sesame#top")
    wait_until(lambda: recorder.rows)
    page.get_by_role("button").click()
    hide(page)
    recorder.wait_for_events(lambda events: any(event["type"] == 5 and event["data"]["tag"] == "act" for event in events))
    (first, *_) = recorder.rows
    assert (first.sequence, first.has_full_snapshot, first.app, first.page, first.traffic) == (
        0,
        True,
        "shop",
        "/item/:id",
        "real",
    )
    assert [event["type"] for event in recorder.events[:2]] == [4, 2]
    assert recorder.events[0]["data"]["href"] == f"{site.address}/item/7"
    (view,) = recorder.tagged("view")
    assert view["url"] == f"{site.address}/item/7"
    (act,) = recorder.tagged("act")
    assert act == {"type": "click", "id": act["id"], "role": "button", "name": "Buy now", "testId": "buy", "tag": "button"}
    assert recorder.recordings[0].gaps == ()
