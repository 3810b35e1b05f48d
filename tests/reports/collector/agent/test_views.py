"""Page views: what is told of one, and when there is another."""

import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time
import zlib
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from runner.browser.chromium import Browser as Program
from tests.support.engines import CHROMIUM_ONLY, MEASURED
from tests.support.services.receiver import HIDE, SHOW, Receiver, leave, look_at, vitals
from tests.support.wait import RESTING, let_pass, rest, wait_for_entries, wait_until

PAINTED = """() => new Promise((painted) => {
    const told = (list) => list.getEntries().some((one) => one.url) && painted();
    new PerformanceObserver(told).observe({ type: "largest-contentful-paint", buffered: true });
})"""
"""Waits for a picture to be the largest that was painted."""


def test_a_page_view_is_told_in_one_beacon_when_the_page_is_left(page: Page, receiver: Receiver, tea_shop: str) -> None:
    look_at(page, f"{tea_shop}/?delay=120")
    leave(page)
    (beacon,) = receiver.wait()
    let_pass(0.2, "no second one must arrive", page)
    (arrived,) = receiver.arrived
    (view,) = beacon.views
    assert (arrived.path, arrived.media_type) == ("/v1/views", "text/plain;charset=UTF-8")
    assert (beacon.app, beacon.key, beacon.release, beacon.environment) == ("shop", "k-1", "2026.11", "demo")
    assert (beacon.webdriver, beacon.synthetic, beacon.viewport) == (True, None, (1280, 720))
    assert {UUID(one).version for one in (beacon.id, beacon.session, view.id)} == {7}
    assert (view.url, view.type, view.status, view.protocol) == (f"{tea_shop}/", "navigate", 200, "http/1.1")
    assert (view.hidden, view.ended, view.title, view.referrer) == (False, True, "", "")
    assert view.transfer_bytes > 1000
    assert abs(view.started_at - time.time()) < 60
    assert view.visible_seconds is not None
    assert 0.12 <= view.visible_seconds < 60


def test_a_view_has_navigation_timing_and_web_vitals(page: Page, receiver: Receiver, tea_shop: str, engine: str) -> None:
    look_at(page, f"{tea_shop}/?delay=120")
    leave(page)
    view = receiver.view("/")
    found = vitals(view)
    assert set(view.phases) == {"redirect", "dns", "connect", "tls", "request", "response", "dom", "load", "ttfb", "total"}
    # Within what a browser rounds its times to, and a server's sleep.
    assert view.phases["request"] >= 0.12 - 0.001
    assert view.phases["total"] > view.phases["ttfb"]
    assert view.phases["ttfb"] >= 0.12 - 0.001
    assert set(found) == MEASURED[engine] - {"inp"}, "nothing was clicked"
    assert found["lcp"] >= found["fcp"] >= found["ttfb"] == view.phases["ttfb"]
    (largest,) = [vital for vital in view.vitals if vital.name == "lcp"]
    # Firefox paints a page in parts where the machine is busy: any of them may then be the largest that was painted.
    largest_element = r"html>body>.+" if engine == "firefox" else r"html>body>main>section\.hero>div>p"
    assert re.fullmatch(largest_element, str(largest.attribution["element"]))


def noise(width: int, height: int) -> bytes:
    """A picture that Chromium takes for content: one of a single colour it does not."""
    rows = b"".join(b"\0" + random.Random(row).randbytes(width * 3) for row in range(height))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.thorough
# Layout shifts and long animation frames.
@CHROMIUM_ONLY
def test_what_made_a_vital_slow_is_told_with_it(page: Page, receiver: Receiver) -> None:
    slow = "const ends = performance.now() + 120; while (performance.now() < ends);"
    body = f"""
      <form><input name="id" type="hidden"><img src="/hero.png" width="400" height="400" class="big wide"></form><button id="go">Go</button>
      <script>go.onclick = function slowly() {{ {slow} }};
      setTimeout(() => {{ const pushed = document.createElement("div"); pushed.style.height = "150px";
        document.body.prepend(pushed); }}, 250);</script>"""
    address = receiver.page(body)
    page.route("**/hero.png", lambda route: route.fulfill(body=noise(100, 100), content_type="image/png"))
    look_at(page, address)
    page.wait_for_function("performance.now() > 500")
    # Whatever is drawn after the first click counts no more.
    page.evaluate(PAINTED)
    page.click("#go")
    wait_for_entries(page, "event", "entry.name === 'click'")
    wait_for_entries(page, "long-animation-frame", "entry.scripts.some((one) => one.sourceFunctionName === 'slowly')")
    rest(page)
    leave(page)
    told = {vital.name: vital for vital in receiver.view("/page").vitals}
    lcp, inp, cls = (told[name].attribution for name in ("lcp", "inp", "cls"))
    assert (lcp["element"], lcp["url"]) == ("html>body>form>img.big.wide", f"{receiver.address}/hero.png")
    assert {"resource_seconds", "render_delay_seconds"} <= set(lcp)
    assert (inp["element"], inp["function"]) == ("#go", "slowly")
    assert told["inp"].value >= 0.12
    assert float(inp["processing_seconds"]) >= 0.12
    assert inp["script"] == f"{receiver.address}/page"
    assert told["cls"].value == cls["largest_shift"] != 0


# Layout shifts.
@CHROMIUM_ONLY
def test_a_vital_that_changes_is_told_again_under_its_id(page: Page, receiver: Receiver) -> None:
    look_at(page, receiver.page("<h1>A page</h1>"))
    push = "document.body.prepend(Object.assign(document.createElement('div'), { style: 'height: 120px' }))"
    for number in (1, 2):
        page.evaluate(f"setTimeout(() => {push}, 10)")
        wait_for_entries(page, "layout-shift", count=number)
        page.evaluate(HIDE)
        page.evaluate(SHOW)
    told = [vital for beacon in receiver.wait(2) for vital in beacon.views[0].vitals if vital.name == "cls"]
    assert len(told) == 2
    assert told[0].id == told[1].id
    assert told[1].value > told[0].value > 0
    assert len({view.id for view in receiver.views}) == 1


# Entries of soft navigations, and their paints.
@CHROMIUM_ONLY
def test_routes_of_a_single_page_app_are_views_of_their_own(page: Page, receiver: Receiver, tea_shop: str) -> None:
    look_at(page, f"{tea_shop}/app")
    page.get_by_label("What are").fill("black tea")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Lapsang").click()
    expect(page.get_by_role("heading", name="Lapsang")).to_be_visible()
    wait_for_entries(page, "soft-navigation")
    wait_for_entries(page, "interaction-contentful-paint")
    rest(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Browse")).to_be_visible()
    leave(page)
    (beacon,) = receiver.wait()
    assert [(urlsplit(view.url).path, view.type) for view in beacon.views] == [
        ("/app", "navigate"),
        ("/app/item/lapsang", "soft"),
        ("/app", "soft"),
    ]
    loaded, item, back = beacon.views
    assert {"lcp", "fcp", "cls"} <= set(vitals(item))
    assert "ttfb" not in vitals(item)
    assert [one.role for one in loaded.interactions] == ["searchbox", "button", "search", "link"]
    assert (item.referrer, back.referrer) == (loaded.url, item.url)
    assert (item.phases, item.status) == ({}, 0)
    assert loaded.started_at < item.started_at < back.started_at


def test_routes_are_seen_in_browsers_without_the_navigation_api(
    visitor: BrowserContext, page: Page, receiver: Receiver
) -> None:
    visitor.add_init_script("delete window.navigation")
    page.goto(receiver.page())
    page.evaluate(
        "history.pushState({}, '', '/one'); history.replaceState({}, '', '/one?a=1'); history.replaceState({}, '', '/two')"
    )
    page.evaluate("history.back()")
    page.wait_for_url("**/page")
    leave(page)
    (beacon,) = receiver.wait()
    assert [urlsplit(view.url).path for view in beacon.views] == ["/page", "/one", "/two", "/page"]


@pytest.mark.thorough
def test_a_page_that_comes_back_from_the_back_forward_cache_is_a_view_of_its_own(
    driver: Playwright, receiver: Receiver, tea_shop: str
) -> None:
    # The headless shell has no such cache, the whole Chromium has; Playwright turns it off unless told otherwise.
    program = shutil.which("chromium")
    assert program, "the whole Chromium is missing; on Debian: apt-get install chromium"
    browser = driver.chromium.launch(executable_path=program, ignore_default_args=["--disable-back-forward-cache"])
    page = browser.new_page()
    look_at(page, f"{tea_shop}/cart")
    look_at(page, f"{tea_shop}/login")
    page.evaluate("history.back()")
    wait_until(lambda: len(receiver.arrived) >= 2)
    # Playwright does not notice that the page is another one again, so it can be asked nothing but by the browser's own protocol.
    tab = page.context.new_cdp_session(page)
    tab.send("Runtime.evaluate", {"expression": f"({RESTING})()", "awaitPromise": True})
    tab.send("Page.navigate", {"url": "about:blank"})
    receiver.wait(3)
    browser.close()
    # Two that are sent at once may come in either order.
    cart, login, again = sorted(receiver.views, key=lambda view: view.started_at)
    assert [(urlsplit(view.url).path, view.type) for view in (cart, login, again)] == [
        ("/cart", "navigate"),
        ("/login", "navigate"),
        ("/cart", "bfcache"),
    ]
    assert again.id != cart.id
    assert {beacon.session for beacon in receiver.beacons} == {receiver.beacons[0].session}
    assert {"fcp", "lcp"} <= set(vitals(again))
    assert (again.phases, again.hidden, again.referrer) == ({}, False, "")
    assert {vital.id for vital in again.vitals}.isdisjoint(vital.id for vital in cart.vitals)


def test_a_prerendered_page_is_told_once_it_is_looked_at(chromium: Program, receiver: Receiver, tmp_path: Path) -> None:
    # Chromium prerenders nothing while something like Playwright is attached to it: it is started by itself.
    rules = '<script type="speculationrules">{"prerender": [{"source": "list", "urls": ["/next"], "eagerness": "immediate"}]}</script>'
    go = "<script>setTimeout(() => { location.href = '/next' }, 1200)</script>"
    leaving = "<script>document.addEventListener('prerenderingchange', () => setTimeout(() => { location.href = '/end' }, 400))</script>"
    receiver.page(leaving, path="/next")
    address = receiver.page(go, head=rules)
    command = [str(chromium.path), "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", address]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        view = receiver.view("/next")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
    assert [urlsplit(one.url).path for one in receiver.views] == ["/page", "/next"]
    assert (view.type, view.hidden) == ("prerender", False)
    assert view.phases["total"] == view.phases["ttfb"] == 0, "it was there before it was wanted"
    assert view.visible_seconds is not None
    assert 0.4 <= view.visible_seconds < 60


def test_a_tab_that_is_closed_while_it_loads_is_told_of_without_its_load(page: Page, receiver: Receiver, tea_shop: str) -> None:
    page.goto(receiver.page(f"<h1>Here</h1><img src='{tea_shop}/switch/hang'>"), wait_until="commit")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    rest(page)
    page.close(run_before_unload=True)
    view = receiver.view("/page")
    assert "ttfb" in view.phases
    assert {"load", "total"}.isdisjoint(view.phases)
    assert "fcp" in vitals(view)


def test_a_page_in_the_background_from_its_start_says_so(visitor: BrowserContext, page: Page, receiver: Receiver) -> None:
    visitor.add_init_script("""
        Object.defineProperty(Document.prototype, "visibilityState", { get: () => "hidden" });
        const entries = performance.getEntriesByType.bind(performance);
        performance.getEntriesByType = (type) => (type === "visibility-state" ? [{ name: "hidden", startTime: 0 }] : entries(type));
    """)
    page.goto(receiver.page())
    leave(page)
    view = receiver.view("/page")
    assert (view.hidden, view.visible_seconds) == (True, 0)
    assert {"fcp", "lcp"}.isdisjoint(vitals(view))


def test_a_page_inside_a_page_and_a_second_copy_say_nothing(page: Page, receiver: Receiver) -> None:
    receiver.page(path="/inner")
    copy = '<script src="/agent.js" data-app="test" defer></script>'
    page.goto(receiver.page("<iframe src='/inner'></iframe>", head=copy))
    rest(page)
    leave(page)
    receiver.wait()
    let_pass(0.2, "no second one must arrive", page)
    assert [urlsplit(view.url).path for view in receiver.views] == ["/page"]
