"""What a real browser does with the collector's answers, on pages of another origin."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browsers import module_chrome
from tests.support.raw_http import CHROME
from tests.support.services.collector import Served
from tests.support.wait import PAUSE, wait_until

chrome = module_chrome


class Site:
    """A web server with one page."""

    def __init__(self) -> None:
        self.html = ""
        self.headers: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = site.html.encode()
                self.send_response(200)
                for name, text in {"content-type": "text/html", "content-length": str(len(content)), **site.headers}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 (the protocol's)
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    """A site on a free port."""
    one = Site()
    thread = threading.Thread(target=one.server.serve_forever, args=(PAUSE,))
    thread.start()
    yield one
    one.server.shutdown()
    one.server.server_close()
    thread.join(10)


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    """A page of a browser that looks like a person's."""
    with chrome.new_page(user_agent=CHROME) as opened:
        yield opened


BEACON = """
const beacon = {id: crypto.randomUUID(), app: "shop", session: crypto.randomUUID(), sent_at: Date.now() / 1000,
  views: [{id: crypto.randomUUID(), url: location.href, started_at: performance.timeOrigin / 1000}]};
"""


def test_a_beacon_needs_no_preflight(served: Callable[..., Served], site: Site, page: Page) -> None:
    collector = served("")
    site.html = f"<script>{BEACON} navigator.sendBeacon('{collector.address}/v1/views', JSON.stringify(beacon))</script>"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    page.goto(f"{site.address}/item/7?token=x")
    wait_until(lambda: collector.kept.arrivals)
    assert asked == [f"GET {site.address}/item/7?token=x", f"POST {collector.address}/v1/views"]
    assert collector.newest.beacon.views[0].url == f"{site.address}/item/7"
    assert (collector.newest.pages, collector.newest.traffic) == (("/item/:id",), "real")


def test_a_page_can_read_what_was_wrong(served: Callable[..., Served], site: Site, page: Page) -> None:
    collector = served("")
    page.goto(site.address)
    told = page.evaluate(
        "url => fetch(url, {method: 'POST', headers: {'content-type': 'application/json'}, body: '{}', credentials: 'include'})"
        ".then(answer => answer.json().then(body => [answer.status, body.error]))",
        f"{collector.address}/v1/views",
    )
    assert told == [422, "Object missing required field `id`"]


def test_a_page_of_another_site_cannot(served: Callable[..., Served], site: Site, page: Page) -> None:
    collector = served()
    page.goto(site.address)
    told = page.evaluate(
        "url => fetch(url, {method: 'POST', body: '{}'}).catch(error => error.message)", f"{collector.address}/v1/views"
    )
    assert told == "Failed to fetch"


def test_a_page_written_for_the_simple_endpoints_works_unchanged(served: Callable[..., Served], site: Site, page: Page) -> None:
    collector = served("")
    site.html = f"""<button onclick="log('/log-interaction', {{type: 'click'}})">Buy</button><output></output><script>
    const log = (path, data) => fetch('{collector.address}' + path, {{
      method: 'POST', headers: {{'Content-Type': 'application/json'}}, body: JSON.stringify(data),
    }}).then(answer => answer.json()).then(data => document.querySelector('output').textContent += data.status + ' ');
    addEventListener('load', () => setTimeout(() => {{
      const [navigation] = performance.getEntriesByType('navigation');
      log('/log-page-load', {{load_time: navigation.loadEventEnd - navigation.startTime}});
    }}));
    </script>"""
    page.goto(site.address)
    expect(page.locator("output")).to_have_text("ok ")
    page.get_by_role("button", name="Buy").click()
    expect(page.locator("output")).to_have_text("ok ok ")
    assert collector.metric("page_load_time_seconds_count", app="default") == 1
    assert collector.metric("user_interactions_total", app="default", type="click") == 1
    assert 0 < collector.metric("page_load_time_seconds_sum") < 30


def test_a_browser_reports_what_a_content_policy_forbids(served: Callable[..., Served], site: Site, page: Page) -> None:
    collector = served("")
    policy = f"script-src 'none'; report-uri {collector.address}/reports?app=shop"
    site.html, site.headers = "<script>alert(1)</script>", {"content-security-policy": policy}
    page.goto(f"{site.address}/cart?token=x")
    wait_until(lambda: collector.kept.arrivals)
    (error,) = collector.newest.beacon.views[0].errors
    assert (error.kind, error.message) == ("csp", "script-src-elem forbids inline")
    assert collector.newest.beacon.views[0].url == f"{site.address}/cart"
