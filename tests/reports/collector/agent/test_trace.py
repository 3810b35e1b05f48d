"""`/trace.js`: one trace per page view on the page's own requests, to its own and to listed origins, and to no other."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from msgspec import Struct
from playwright.sync_api import BrowserContext, Page

from tests.support.services.noting_site import Site, serving_notes
from tests.support.services.receiver import AGENT, Receiver, leave

HEADER = "traceparent"
PAGE = """<!doctype html><title>Shop</title>
<script src="RUM/trace.js" data-origins="LISTED" ATTRIBUTES></script>
<script>const early = fetch("/early");</script>
<script src="RUM/agent.js" data-app="test" defer></script>
<img src="OTHER/pixel.gif">
<script>
function xhr(method, address, headers = {}) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    for (const name in headers) request.setRequestHeader(name, headers[name]);
    request.onloadend = done;
    request.send();
  });
}
async function load() {
  await early;
  await fetch("/fetch", { headers: { "X-Own": "1" } });
  await fetch(new Request("/request", { method: "POST", body: "a body", referrer: "", headers: [["x-own", "2"]] }));
  await fetch(new URL("/url", location.href), new Request("/ignored", { headers: { "x-own": "3" } }));
  await xhr("GET", "/xhr", { "X-Own": "4" });
  await fetch("/theirs", { headers: { Traceparent: "theirs" } });
  await xhr("GET", "/theirs-too", { TraceParent: "theirs" });
  await fetch("LISTED/listed");
  await fetch("OTHER/fetch");
  await fetch("OTHER/post", { method: "POST", body: "x" });
  await fetch(new Request("OTHER/request"));
  await xhr("GET", "OTHER/xhr");
  await fetch("data:text/plain,x");
  await fetch("LISTED/blind", { mode: "no-cors" });
  const wrong = await fetch("http://[").catch((error) => error.name);
  const twice = await fetch("/", { method: "GET", body: "x" }).catch((error) => error.name);
  return [wrong, twice];
}
</script>"""


class Sites(Struct, frozen=True):
    """The page's own, one that it lists, and a third party."""

    own: Site
    listed: Site
    other: Site

    def give(self, receiver: Receiver, attributes: str) -> None:
        """Puts the page onto the first one."""
        page = PAGE.replace("LISTED", self.listed.address).replace("OTHER", self.other.address)
        self.own.page = page.replace("RUM", receiver.address).replace("ATTRIBUTES", attributes)


@pytest.fixture
def sites() -> Iterator[Sites]:
    with ExitStack() as stack:
        yield Sites(*(stack.enter_context(serving_notes()) for _ in range(3)))


def sent(site: Site) -> dict[str, str | None]:
    """The header of each request but those of the browser itself."""
    return {one.path: one.headers.get(HEADER) for one in site.seen if one.method != "OPTIONS" and one.path != "/favicon.ico"}


def test_requests_to_own_and_listed_origins_are_in_the_view_s_trace_and_no_other_has_a_preflight(
    page: Page, receiver: Receiver, sites: Sites
) -> None:
    sites.give(receiver, 'data-sample="1"')
    page.goto(sites.own.address)
    assert page.evaluate("load()") == ["TypeError", "TypeError"], "the browser says itself what is wrong"
    own = sent(sites.own)
    assert own.pop("/") is None, "a document cannot have it"
    assert (own.pop("/theirs"), own.pop("/theirs-too")) == ("theirs", "theirs")
    assert own.pop("/url") is None, "options that inherit are left as they are"
    value = own["/early"]
    assert value is not None
    assert own == dict.fromkeys(("/early", "/fetch", "/request", "/xhr"), value)
    version, trace, span, flags = value.split("-")
    assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
    assert [sites.own.header(path, "x-own") for path in ("/fetch", "/request", "/url", "/xhr")] == ["1", "2", "3", "4"]
    assert sites.own.header("/request", "referer") is None, "what the request said of its referrer stays"
    assert sent(sites.listed) == {"/listed": value, "/blind": None}
    assert sent(sites.other) == dict.fromkeys(("/pixel.gif", "/fetch", "/post", "/request", "/xhr"))
    assert [one.path for one in sites.other.seen if one.method == "OPTIONS"] == []
    assert [one.path for one in sites.listed.seen if one.method == "OPTIONS"] == ["/listed"]
    leave(page)
    assert receiver.view("/").trace == trace


def test_each_view_has_its_own_trace(page: Page, receiver: Receiver, sites: Sites) -> None:
    sites.give(receiver, 'data-sample="1"')
    page.goto(sites.own.address)
    page.evaluate("history.pushState(null, '', '/soft')")
    page.evaluate("fetch('/after').then(() => 0)")
    leave(page)
    first, second = receiver.view("/").trace, receiver.view("/soft").trace
    assert first != second
    assert [str(sites.own.header(path)).split("-")[1] for path in ("/early", "/after")] == [first, second]


@pytest.mark.parametrize(
    ("attributes", "mark"), [('data-sample="0"', ""), ('data-sample="1"', "window.__journeySynthetic = {}")]
)
def test_a_view_that_is_not_sampled_and_one_of_a_journey_have_no_header(
    visitor: BrowserContext, page: Page, receiver: Receiver, sites: Sites, attributes: str, mark: str
) -> None:
    visitor.add_init_script(mark or "0")
    sites.give(receiver, attributes)
    page.goto(sites.own.address)
    page.evaluate("fetch('/after').then(() => 0)")
    leave(page)
    assert receiver.view("/").trace == ""
    assert sent(sites.own) == dict.fromkeys(("/", "/early", "/after"))


def test_it_is_small() -> None:
    assert len(gzip.compress(AGENT.with_name("trace.js").read_bytes(), 9)) <= 1100
