"""Pages that were written for the two simple endpoints work unchanged."""

import pytest

from reports.collector.admission.anonymous_ids import AnonymousIds
from reports.collector.beacon import View
from tests.support.raw_http import CHROME
from tests.support.services.collector import SHOP, Served


def test_a_load_time_in_milliseconds_is_counted_in_seconds(collector: Served) -> None:
    answer = collector.post({"load_time": 812.5, "page": "ignored", "user": "ann"}, "/log-page-load")
    assert (answer.status, answer.json(), answer.headers["access-control-allow-origin"]) == (200, {"status": "ok"}, SHOP)
    assert collector.metric("page_load_time_seconds_sum", app="shop") == 0.8125
    assert collector.newest.beacon.views[0].phases == {"total": 0.8125}
    assert "ann" not in str(collector.newest)


def test_a_text_with_a_number_is_taken_too(collector: Served) -> None:
    assert collector.post({"load_time": "812"}, "/log-page-load", content_type="text/plain").status == 200


def test_an_interaction_is_counted_by_its_type(collector: Served) -> None:
    assert collector.post({"type": "click"}, "/log-interaction").status == 200
    assert collector.post({"type": "swipe<script>"}, "/log-interaction").status == 200
    assert collector.metric("user_interactions_total", app="shop", type="click") == 1
    assert collector.metric("user_interactions_total", app="shop", type="custom") == 1, "types are few"
    assert collector.metric("page_views_total") == 0, "an interaction alone is no page view"


def test_an_interaction_belongs_to_the_page_that_was_loaded(collector: Served) -> None:
    page = {"referer": f"{SHOP}/item/sencha?token=x"}
    collector.post({"load_time": 500}, "/log-page-load", **page)
    collector.post({"type": "click"}, "/log-interaction", **page)
    load, click = (one.beacon for one in collector.kept.arrivals)
    assert (click.session, click.views[0].id, click.views[0].started_at) == (
        load.session,
        load.views[0].id,
        load.views[0].started_at,
    )
    assert (load.views[0].url, collector.newest.pages) == (f"{SHOP}/item/sencha", ("/item/:slug",))
    collector.post({"type": "click"}, "/log-interaction", **page, user_agent=CHROME.replace("156", "155"))
    assert collector.newest.beacon.session != load.session, "another browser"


def test_a_page_whose_address_is_not_told_is_unknown(collector: Served) -> None:
    collector.post({"load_time": 500}, "/log-page-load", referer=f"{SHOP}/")
    assert collector.newest.pages == ("__unknown__",)


def test_the_app_is_that_of_the_origin_or_the_one_that_is_named(collector: Served) -> None:
    assert collector.post({"load_time": 1}, "/log-page-load", origin="https://blog.example").status == 401, "the blog has a key"
    assert (
        collector.post({"load_time": 1}, "/log-page-load?app=blog&key=blog-key-1", origin="https://blog.example").status == 200
    )
    assert collector.newest.beacon.app == "blog"
    unnamed = collector.post({"load_time": 1}, "/log-page-load", origin="")
    assert (unnamed.status, "?app=NAME" in unnamed.json()["fix"]) == (404, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/log-page-load", {"load_time": -1}),
        ("/log-page-load", {"load_time": "soon"}),
        ("/log-page-load", {}),
        ("/log-page-load", [1]),
        ("/log-page-load", b"x"),
        ("/log-interaction", {"type": ""}),
        ("/log-interaction", {"type": 7}),
        ("/log-interaction", b"\xff"),
    ],
)
def test_a_wrong_message_is_refused(collector: Served, path: str, body: object) -> None:
    answer = collector.post(body, path)
    assert answer.status in {400, 422}
    assert answer.json()["error"]
    assert not collector.kept.arrivals


def test_one_network_cannot_displace_the_views_of_all_others() -> None:
    ids = AnonymousIds(views=40)
    for number in range(10):
        ids.opened(f"honest {number}", page(number), f"198.51.{number}.0/24")
    for number in range(1_000):
        ids.opened(f"invented {number}", page(number), "192.0.2.0/24")
    assert [number for number in range(10) if ids.newest(f"honest {number}")] == list(range(10))
    assert [number for number in range(1_000) if ids.newest(f"invented {number}")] == list(range(990, 1_000))
    # Many networks together have no more than there is.
    for number in range(1_000):
        ids.opened(f"other {number}", page(number), f"203.{number // 250}.{number % 250}.0/24")
    assert sum(1 for number in range(1_000) if ids.newest(f"other {number}")) == 40
    assert ids.newest("honest 0") is None


def test_long_addresses_take_no_more_memory_than_there_is_for_all() -> None:
    ids = AnonymousIds(views=1_000, size=400_000)
    ids.opened("honest", page(0), "198.51.100.0/24")
    address = f"https://shop.example/{chr(0x1F375) * 3_900}"
    for number in range(100):
        ids.opened(f"long {number}", page(number, address), "192.0.2.0/24")
    known = [number for number in range(100) if ids.newest(f"long {number}")]
    assert known == list(range(94, 100)), "a quarter of the memory: each takes 16 kB"
    for number in range(100):
        ids.opened(f"other {number}", page(number, address), f"203.0.{number}.0/24")
    assert sum(1 for number in range(100) if ids.newest(f"other {number}")) * 4 * 3_900 <= 400_000
    assert ids.newest("honest") is None
    # What was forgotten counts no more.
    ids.opened("honest", page(0), "198.51.100.0/24")
    assert ids.newest("honest")


def page(number: int, url: str = "https://shop.example/") -> View:
    return View(id=f"view-{number:08d}", url=url, started_at=1.0)
