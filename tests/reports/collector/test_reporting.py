"""What browsers report by themselves (W3C Reporting API)."""

from typing import Any

import pytest

from tests.support.services.collector import SHOP, Served

CSP = {
    "documentURL": f"{SHOP}/item/sencha",
    "blockedURL": "https://evil.example/x.js?token=s3cret",
    "effectiveDirective": "script-src-elem",
    "disposition": "enforce",
    "sourceFile": f"{SHOP}/app.js?v=1",
    "lineNumber": 12,
    "columnNumber": 3,
}


def report(kind: str, body: dict[str, Any], url: str = f"{SHOP}/item/sencha?token=s3cret") -> dict[str, Any]:
    return {"type": kind, "age": 1500, "url": url, "user_agent": "x", "body": body}


def test_reports_become_errors_of_their_kind(collector: Served) -> None:
    sent = [
        report("csp-violation", CSP),
        report(
            "deprecation", {"id": "WebSQL", "message": "WebSQL is deprecated", "sourceFile": f"{SHOP}/a.js", "lineNumber": 1}
        ),
        report("intervention", {"id": "HeavyAd", "message": "an ad was removed"}),
        report("crash", {"reason": "oom"}),
        report(
            "network-error",
            {"type": "tcp.refused", "phase": "connection", "elapsed_time": 250, "method": "GET", "status_code": 0},
        ),
        report("unheard-of", {"message": "x"}),
    ]
    answer = collector.post(sent, "/reports?app=shop", content_type="application/reports+json")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (202, SHOP)
    (view,) = collector.newest.beacon.views
    assert (view.type, view.url, collector.newest.pages) == ("report", f"{SHOP}/item/sencha", ("/item/:slug",))
    assert [(error.kind, error.message) for error in view.errors] == [
        ("csp", "script-src-elem forbids https://evil.example/x.js"),
        ("deprecation", "WebSQL is deprecated"),
        ("intervention", "an ad was removed"),
        ("crash", "the page crashed: oom"),
        ("network", "tcp.refused in phase connection"),
    ]
    assert (view.errors[0].source, view.errors[0].line, view.errors[0].type) == (f"{SHOP}/app.js", 12, "enforce")
    assert [(one.failure, one.duration_seconds) for one in view.requests] == [("tcp.refused", 0.25)]
    assert "s3cret" not in str(collector.newest)
    assert collector.metric("browser_reports_total", app="shop", kind="csp") == 1
    assert (collector.metric("page_errors_total"), collector.metric("page_views_total")) == (0, 0)


def test_the_older_form_is_taken(collector: Served) -> None:
    old = {"document-uri": f"{SHOP}/cart", "violated-directive": "img-src", "blocked-uri": "data", "line-number": 4}
    assert collector.post({"csp-report": old}, "/reports", content_type="application/csp-report").status == 202
    (error,) = collector.newest.beacon.views[0].errors
    assert (error.kind, error.message, error.line) == ("csp", "img-src forbids data", 4)


def test_reports_of_several_pages_are_kept_apart(collector: Served) -> None:
    collector.post([report("crash", {}, f"{SHOP}/{page}") for page in ("a", "b", "a")], "/reports")
    assert [(view.url, len(view.errors)) for view in collector.newest.beacon.views] == [(f"{SHOP}/a", 2), (f"{SHOP}/b", 1)]


def test_nothing_is_stored_of_reports_that_are_not_known(collector: Served) -> None:
    assert collector.post([report("unheard-of", {})], "/reports").status == 202
    assert collector.post([], "/reports").status == 202
    assert not collector.kept.arrivals


@pytest.mark.parametrize(
    "body",
    [
        [report("csp-violation", {"lineNumber": -1, "columnNumber": 1e300, "blockedURL": ["x"], "sourceFile": 5})],
        [report("network-error", {"elapsed_time": -5, "status_code": 10_000, "method": "x" * 500})],
        [report("crash", {}, "x" * 9_000)] * 6,
        [report("crash", {}, "x")] * 200,
        [{"type": "crash"}],
        [{"type": "csp-violation", "body": None, "age": -5}],
        {"csp-report": {}},
    ],
)
def test_odd_values_are_put_into_bounds(collector: Served, body: object) -> None:
    assert collector.post(body, "/reports").status == 202


@pytest.mark.parametrize("body", [b"x", b"5", [5], [{"type": 5}], [{"type": "crash", "age": "old"}]])
def test_what_is_no_report_is_refused(collector: Served, body: object) -> None:
    assert collector.post(body, "/reports").status in {400, 422}


def test_more_reports_than_a_browser_sends_are_refused(collector: Served) -> None:
    assert collector.post([{}] * 1001, "/reports").status == 422
