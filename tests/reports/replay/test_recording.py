"""What is recorded of a visit, in a real browser."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.reports.collector.test_browser import Site
from tests.reports.replay.conftest import Recorder, hide, hurry
from tests.support.wait import let_pass, rest, wait_until


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


def test_what_a_script_sets_is_told_from_what_a_visitor_types(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line()}</head><input><input type=checkbox><button>Set</button>"
    page.goto(site.address)
    wait_until(lambda: recorder.rows)
    page.get_by_role("textbox").press_sequentially("tea")
    page.evaluate("document.querySelector('[type=checkbox]').checked = true; document.querySelector('input').value = ''")
    page.get_by_role("checkbox").uncheck()
    hide(page)

    def inputs() -> list[bool]:
        return [
            event["data"]["userTriggered"] for event in recorder.events if event["type"] == 3 and event["data"]["source"] == 5
        ]

    # Letter by letter the mask is the same, so it is told once.
    wait_until(lambda: len(inputs()) == 4)
    assert inputs() == [True, False, False, True]


def test_a_visit_goes_on_on_the_next_page(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line()}</head><a href='/item/8'>Next</a>"
    page.goto(f"{site.address}/item/7")
    wait_until(lambda: recorder.rows)
    page.get_by_role("link").click()
    page.wait_for_url("**/item/8")
    # The last of the page that was left may come after the first of the next one.
    wait_until(lambda: len(recorder.tagged("view")) == 2 and recorder.tagged("act"))
    (recording,) = recorder.recordings
    assert (len(recording.tabs), recording.gaps) == (1, ())
    assert [row.sequence for row in recorder.rows] == list(range(len(recorder.rows)))
    # The click that led there is not lost with the page.
    assert [act["type"] for act in recorder.tagged("act")] == ["click"]
    assert sum(row.has_full_snapshot for row in recorder.rows) == 2


def test_the_browser_s_back_button_is_noted(recorder: Recorder, site: Site, page: Page) -> None:
    go = "history.pushState({}, '', '/item/8'); window.dispatchEvent(new PopStateEvent('popstate'))"
    change = "addEventListener('popstate', () => { document.querySelector('p').textContent = location.pathname })"
    site.html = f'<head>{recorder.line()}</head><button onclick="{go}">Next</button><p></p><script>{change}</script>'
    page.goto(f"{site.address}/item/7")
    wait_until(lambda: recorder.rows)
    page.get_by_role("button").click()
    expect(page.get_by_role("paragraph")).to_have_text("/item/8")
    page.go_back()
    expect(page.get_by_role("paragraph")).to_have_text("/item/7")
    page.goto(f"{site.address}/item/9")
    wait_until(lambda: sum(row.has_full_snapshot for row in recorder.rows) == 2)
    page.go_back()
    wait_until(lambda: len(recorder.tagged("view")) == 5)
    assert [(one["url"][-1], one.get("back", False)) for one in recorder.tagged("view")] == [
        ("7", False),
        ("8", False),
        ("7", True),
        ("9", False),
        ("7", True),
    ]


def test_until_an_error_happens_nothing_is_sent(recorder: Recorder, site: Site, page: Page) -> None:
    hurry(page)
    line = recorder.line(replay="0", replay_on_error="")
    site.html = (
        f"<head>{line}</head><button onclick='document.body.append(1)'>Add</button><button onclick='nothing()'>Break</button>"
    )
    with page.expect_event("requestfinished", lambda request: "replay.js" in request.url):
        page.goto(site.address)
    # Then it begins to record, when the page has nothing to do.
    rest(page)
    page.get_by_role("button", name="Add").click()
    let_pass(1.5, "it looks at what there is to send in this time and must not send it", page)
    assert recorder.rows == []
    page.get_by_role("button", name="Break").click()
    wait_until(lambda: recorder.rows)
    assert [event["type"] for event in recorder.events[:2]] == [4, 2]
    # What led to it is there.
    assert [act["name"] for act in recorder.tagged("act")] == ["Add", "Break"]


def test_who_asks_for_privacy_is_not_recorded(recorder: Recorder, site: Site, page: Page) -> None:
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });")
    site.html = f"<head>{recorder.line(replay_on_error='')}</head><h1>Tea</h1>"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.address)
    let_pass(1.5, "the recorder must not be loaded", page)
    assert not [url for url in asked if "replay" in url]


def test_who_is_not_in_the_sample_does_not_load_the_recorder(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line(replay='0')}</head><h1>Tea</h1>"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.address)
    let_pass(1.5, "the recorder must not be loaded", page)
    assert not [url for url in asked if "replay" in url]


def test_recording_gives_up_where_it_slows_a_page_down(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line(replay_cost='0.01')}</head><h1>Tea</h1><p></p>"
    page.goto(site.address)
    (told,) = wait_until(lambda: recorder.tagged("gave-up"))
    assert told["why"].startswith("it took ")
    count = len(recorder.events)
    page.evaluate("document.querySelector('p').textContent = 'later'")
    hide(page)
    let_pass(1, "nothing must arrive", page)
    assert len(recorder.events) == count


@pytest.mark.thorough
def test_a_collector_that_was_away_gets_everything(recorder: Recorder, site: Site, page: Page) -> None:
    site.html = f"<head>{recorder.line()}</head><button>Buy</button>"
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        route.fulfill(status=503)

    page.route("**/v1/replay", refuse)
    page.goto(site.address)
    wait_until(lambda: refused, page=page)
    page.get_by_role("button").click()
    assert recorder.rows == []
    page.unroute("**/v1/replay")
    wait_until(lambda: bool(recorder.rows) and bool(recorder.tagged("act")))
    assert recorder.recordings[0].gaps == ()
