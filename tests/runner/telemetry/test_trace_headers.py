"""`traceparent` in a real browser: it goes to the origins that are listed, below the right step, and causes no preflight elsewhere."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from runner.browser.driver.page_channel import BindingChannel
from runner.page.request_trace import is_listed
from runner.telemetry.spans import build_spans
from runner.telemetry.trace_headers import TraceHeaders
from runner.telemetry.trace_ids import step_span_id, trace_id
from tests.conftest import Monitor
from tests.support.services.noting_site import Site, serving_notes

PAGE = """<!doctype html><title>Shop</title><h1>Shop</h1><img src="OTHER/pixel.gif"><script src="OTHER/script.js"></script>
<button onclick="load()">Load</button><p id="done"></p>
<script>
async function load() {
  await fetch("/api");
  await fetch("OTHER/simple", {method: "POST", body: "x"});
  await fetch("OTHER/away");
  document.querySelector("#done").textContent = "loaded";
}
</script>"""


@pytest.fixture
def sites() -> Iterator[tuple[Site, Site]]:
    """The shop, and a third party that its page uses."""
    with ExitStack() as stack:
        own, other = stack.enter_context(serving_notes()), stack.enter_context(serving_notes())
        own.page = PAGE.replace("OTHER", other.address)
        own.redirects["/go"] = f"{other.address}/landed"
        yield own, other


JOURNEY = """
@journey(retries=1)
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("load"):
        page.get_by_role("button").click()
        expect(page.locator("#done")).to_have_text("loaded")
    with step("leave"):
        page.goto("/go")
"""


def test_listed_origins_get_the_step_as_parent_and_third_parties_neither_header_nor_preflight(
    monitor: Monitor, sites: tuple[Site, Site]
) -> None:
    own, other = sites
    result = monitor.run(JOURNEY, base_url=own.address, trace_origins=[own.address], trace_baggage=True)
    assert result.status == "passed", result.failure
    assert result.trace_id == trace_id(result.id)
    for path, index in {"/": 0, "/api": 1, "/go": 2}.items():
        assert own.header(path) == f"00-{result.trace_id}-{step_span_id(result.id, 1, index)}-01"
    assert own.header("/", "baggage") == f"journey.run.id={result.id}"
    assert {one.path for one in other.seen} >= {"/pixel.gif", "/script.js", "/simple", "/away", "/landed"}
    assert [one for one in other.seen if "traceparent" in one.headers or "baggage" in one.headers] == []
    assert sum(one.method == "OPTIONS" for one in (*own.seen, *other.seen)) == 0


def test_without_listed_origins_no_request_has_a_header(monitor: Monitor, sites: tuple[Site, Site]) -> None:
    own, other = sites
    result = monitor.run(JOURNEY, base_url=own.address)
    assert (result.status, result.trace_id) == ("passed", "")
    assert not any("traceparent" in one.headers for one in (*own.seen, *other.seen))


POPUP = """
@journey
def walk(page, step):
    with step("open"):
        page.goto("/more")
    with step("popup"):
        with page.expect_popup() as popup:
            page.evaluate("window.open('/popup'); 0")
        popup.value.wait_for_load_state()
        popup.value.evaluate("fetch('/from-popup').then(() => 0)")
    with step("frame"):
        page.frames[1].evaluate("fetch('/from-frame').then(() => 0)")
"""


def test_popups_frames_of_other_origins_and_subdomains_are_followed(monitor: Monitor, sites: tuple[Site, Site]) -> None:
    own, other = sites
    port, third = own.address.rpartition(":")[2], other.address.rpartition(":")[2]
    own.page = f"<iframe src='http://a.localhost:{third}/'></iframe>"
    origins = [f"http://*.localhost:{port}", f"http://a.localhost:{third}"]
    result = monitor.run(POPUP, base_url=f"http://shop.localhost:{port}", trace_origins=origins)
    assert result.status == "passed", result.failure
    expected = {"/more": 0, "/popup": 1, "/from-popup": 1}
    for site, path, index in (*((own, *one) for one in expected.items()), (other, "/", 0), (other, "/from-frame", 2)):
        assert site.header(path) == f"00-{result.trace_id}-{step_span_id(result.id, 1, index)}-01"


API = """<!doctype html><title>Shop</title><img src="OTHER/pixel.gif"><iframe src="OTHER/frame"></iframe>
<button onclick="load()">Load</button><p id="done"></p>
<script>
const native = [fetch.name, fetch.length, XMLHttpRequest.prototype.open.name, "journeyTrace" in globalThis, typeof journeyTrace];
const xhr = (address, headers = {}) => new Promise((done) => {
  const request = new XMLHttpRequest();
  request.open("GET", address);
  for (const name in headers) request.setRequestHeader(name, headers[name]);
  request.onloadend = done;
  request.send();
});
async function load() {
  await fetch("/api");
  await fetch(new Request("/request", { method: "POST", body: "x" }));
  await xhr("/xhr");
  await fetch("/theirs", { headers: { TraceParent: "theirs" } });
  await xhr("/theirs-too", { traceparent: "theirs" });
  await fetch("OTHER/simple", {method: "POST", body: "x"});
  await fetch(new Request("OTHER/request"));
  await xhr("OTHER/xhr");
  const worker = new Worker(URL.createObjectURL(new Blob([`fetch("${location.origin}/worker").then(() => postMessage(0))`])));
  await new Promise((done) => { worker.onmessage = done; });
  document.querySelector("#done").textContent = native.join(" ");
}
</script>"""
API_JOURNEY = """
@journey
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("load"):
        page.get_by_role("button").click()
        expect(page.locator("#done")).to_have_text("fetch 1 open false undefined")
"""


def test_api_requests_get_spans_of_their_own_in_the_page_and_nothing_else_gets_a_header(
    monitor: Monitor, sites: tuple[Site, Site]
) -> None:
    own, other = sites
    own.page = API.replace("OTHER", other.address)
    result = monitor.run(
        API_JOURNEY, base_url=own.address, trace_origins=[own.address], trace_requests="api", trace_baggage=True
    )
    assert result.status == "passed", result.failure
    assert result.notes == ()
    spans = {one.url.removeprefix(own.address): one.span_id for one in result.steps[1].requests.entries if one.span_id}
    assert set(spans) == {"/api", "/request", "/xhr"}
    assert len(set(spans.values())) == 3, "each has its own"
    for path, span in spans.items():
        assert own.header(path) == f"00-{result.trace_id}-{span}-01"
        assert own.header(path, "baggage") == f"journey.run.id={result.id}"
    assert (own.header("/theirs"), own.header("/theirs-too")) == ("theirs", "theirs")
    assert (own.header("/"), own.header("/worker")) == (None, None)
    assert {one.path for one in other.seen} >= {"/pixel.gif", "/frame", "/simple", "/request", "/xhr"}
    assert [one for one in other.seen if "traceparent" in one.headers or "baggage" in one.headers] == []
    assert sum(one.method == "OPTIONS" for one in (*own.seen, *other.seen)) == 0
    sent = {one.id: one for one in build_spans(result)}
    for span in spans.values():
        assert sent[span].parent == step_span_id(result.id, 1, 1)


REDIRECTED = """
@journey
def walk(page, step):
    with step("open"):
        page.goto("/")
    with step("ask"):
        page.evaluate("fetch('/go').then(() => 0)")
"""


@pytest.mark.parametrize("requests", ["all", "api"])
def test_a_redirect_of_an_api_request_takes_the_header_along_only_where_the_page_has_put_it_there_and_that_is_a_note(
    monitor: Monitor, sites: tuple[Site, Site], requests: str
) -> None:
    own, other = sites
    result = monitor.run(REDIRECTED, base_url=own.address, trace_origins=[own.address], trace_requests=requests)
    assert result.status == "passed", result.failure
    assert str(own.header("/go")).startswith(f"00-{result.trace_id}-")
    there = ["traceparent" in one.headers for one in other.seen if (one.path, one.method) == ("/landed", "GET")]
    preflights = sum(one.method == "OPTIONS" for one in other.seen)
    if requests == "all":
        assert (there, preflights, result.notes) == ([False], 0, ())
    else:
        assert (there, preflights) == ([True], 1)
        assert result.notes == (
            f"traceparent went along with a redirect from {own.address} to {other.address}, which may reject it; "
            'trace_requests = "all" keeps it from redirects',
        )


@pytest.mark.parametrize(
    ("address", "listed"),
    [
        ("https://shop.example/a?b", True),
        ("https://shop.example:8443/", False),
        ("http://shop.example/", False),
        ("https://evil-shop.example/", False),
        ("https://a.api.example/", True),
        ("https://a.b.api.example/", True),
        ("https://api.example/", False),
        ("https://a.api.example.evil.example/", False),
        ("https://name:word@shop.example/", True),
        ("http://[", False),
    ],
)
def test_listed_addresses(address: str, listed: bool) -> None:
    assert is_listed(address, ("https://shop.example", "https://*.api.example")) is listed


def test_a_driver_that_cannot_send_headers_is_a_note() -> None:
    headers = TraceHeaders(("https://shop.example",), "1", 1)
    headers.step_started(BindingChannel.__new__(BindingChannel), 0)
    assert headers.note == (
        "no traceparent is sent: that has been tested with Playwright 1.65 and Chromium, started by the runner"
    )
