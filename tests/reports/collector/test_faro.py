"""Grafana Faro's web SDK, pointed here: its real messages, recorded from version 2.12.1 in Chromium."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.services.collector import SHOP, Served

PATH = "/faro/collect"
MESSAGES = json.loads((Path(__file__).parent / "faro_messages.json").read_text())


def send(collector: Served, message: dict[str, Any]) -> int:
    headers = {name.lower().replace("-", "_"): text for name, text in message["headers"].items() if name != "Origin"}
    return collector.post(message["body"], PATH, **headers).status


def test_everything_that_the_sdk_sends_is_taken(collector: Served) -> None:
    assert [send(collector, one) for one in MESSAGES] == [202] * len(MESSAGES)
    beacons = [one.beacon for one in collector.kept.arrivals]
    assert {(one.app, one.session, one.release, one.environment) for one in beacons} == {
        ("shop", "ZhRJn1w9F8", "1.4.2", "production")
    }
    load = beacons[0].views[0]
    assert (load.url, load.status, load.phases["total"], load.phases["ttfb"]) == (f"{SHOP}/item/7", 200, 0.06, 0.006)
    assert load.phases.keys() == {"redirect", "dns", "connect", "request", "response", "ttfb", "total"}
    vitals = {vital.name: vital.value for one in beacons for view in one.views if view.id == load.id for vital in view.vitals}
    assert vitals.keys() == {"ttfb", "fcp", "lcp", "cls", "inp"}
    assert (vitals["lcp"], vitals["ttfb"]) == (0.04, 0.006)
    errors = [error for one in beacons for view in one.views for error in view.errors]
    assert [(error.type, error.message) for error in errors] == [
        ("Error", "console.error: stock of tea is wrong for •••"),
        ("TypeError", "cart is not defined"),
        ("Error", "no stock"),
    ]
    assert errors[1].stack == "    at ? (https://shop.example/item/7:2:243)"
    names = [one.name for beacon in beacons for view in beacon.views for one in view.interactions]
    assert names == ["cart_add"]
    (failed,) = [request for one in beacons for view in one.views for request in view.requests]
    assert (failed.url, failed.status) == (f"{SHOP}/missing", 404)
    assert not [word for word in ("s3cret", "ann@", "token", "utm") if word in str(beacons)]


def test_its_vitals_belong_to_the_page_that_was_loaded_and_its_errors_to_the_page_that_is_shown(collector: Served) -> None:
    for one in MESSAGES:
        send(collector, one)
    seen = {(view.type, view.url) for one in collector.kept.arrivals for view in one.beacon.views}
    assert seen == {("navigate", f"{SHOP}/item/7"), ("soft", f"{SHOP}/cart")}
    assert collector.metric("page_load_time_seconds_count", page="/item/:slug") == 1
    assert collector.metric("page_views_total", app="shop") == 2
    assert collector.metric("page_errors_total", app="shop") == 3


def test_a_message_that_is_sent_again_counts_once(collector: Served) -> None:
    assert [send(collector, MESSAGES[0]), send(collector, MESSAGES[0])] == [202, 202]
    assert len(collector.kept.arrivals) == 1


def test_the_headers_that_the_sdk_sends_are_allowed(collector: Served) -> None:
    answer = collector.request("OPTIONS", PATH, origin=SHOP, access_control_request_method="POST")
    allowed = answer.headers["access-control-allow-headers"].split(", ")
    assert {"content-type", "idempotency-key", "x-api-key", "x-faro-session-id"} <= set(allowed)


def test_its_api_key_is_the_key_of_the_app(collector: Served) -> None:
    def status(**headers: str) -> int:
        return collector.post({"meta": {"app": {"name": "blog"}}}, PATH, origin="https://blog.example", **headers).status

    assert [status(), status(x_api_key="wrong-key"), status(x_api_key="blog-key-1")] == [401, 401, 202]


def test_error_logs_are_kept_and_others_are_not(collector: Served) -> None:
    logs = [
        {"message": "hello", "level": "info"},
        {"message": "out of tea", "level": "error", "timestamp": "2026-11-24T21:38:41.814Z"},
    ]
    assert collector.post({"meta": {"app": {"name": "shop"}}, "logs": logs}, PATH).status == 202
    assert [error.message for error in collector.newest.beacon.views[0].errors] == ["out of tea"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"meta": {"app": {"name": "shop"}, "session": {"id": "x" * 500}, "page": {"url": "y" * 10_000}}},
        {"meta": {"app": {"name": "shop"}, "browser": {"viewportWidth": "²", "viewportHeight": -1}}},
        {
            "measurements": [
                {"type": "web-vitals", "values": {"lcp": -5, "x" * 300: 1e300}, "timestamp": "never", "context": {"id": 7}}
            ]
        },
        {
            "events": [
                {"name": "faro.performance.navigation", "attributes": {"duration": "unknown", "responseStatus": [1], "name": 5}}
            ]
        },
        {"exceptions": [{"value": "z" * 20_000, "stacktrace": {"frames": [{"lineno": -1, "filename": "f" * 9_000}] * 3}}]},
        {"events": [{"name": "e" * 300, "timestamp": "9999-12-31T23:59:59Z"}] * 180},
    ],
)
def test_odd_values_are_put_into_bounds(collector: Served, body: dict[str, Any]) -> None:
    assert collector.post(body, PATH).status == 202


@pytest.mark.parametrize("body", [b"x", b"[]", {"meta": 5}, {"events": [{"name": 5}]}, {"meta": {"app": {"name": "nobody"}}}])
def test_what_is_no_message_is_refused(collector: Served, body: object) -> None:
    assert collector.post(body, PATH).status in {400, 404, 422}


@pytest.mark.parametrize("kind", ["events", "measurements", "exceptions", "logs"])
def test_a_message_of_more_things_than_the_sdk_sends_is_refused(collector: Served, kind: str) -> None:
    assert collector.post({"meta": {"app": {"name": "shop"}}, kind: [{}] * 1001}, PATH).status == 422
    assert collector.post({"meta": {"app": {"name": "shop"}}, kind: [{}] * 1000}, PATH).status == 202


def test_a_number_that_no_float_holds_is_as_good_as_none(collector: Served) -> None:
    attributes = {"name": f"{SHOP}/", "responseStatus": 10**400, "duration": 10**400}
    event = {"name": "faro.performance.navigation", "attributes": attributes}
    assert collector.post({"meta": {"app": {"name": "shop"}}, "events": [event]}, PATH).status == 202
    assert collector.newest.beacon.views[0].status == 0
