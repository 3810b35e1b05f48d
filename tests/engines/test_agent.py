"""The agent in Firefox and WebKit: what these have is reported, and what they lack is absent, not zero."""

import gzip
import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import runner.page
from reports.collector.frustration import KINDS, RAGE_CLICKS, RAGE_SECONDS, came_back, count_frustration
from reports.source_maps.resolver import Lookup, resolve
from reports.source_maps.stack import parse_stack
from tests.reports.collector.agent.test_trace import Sites, sent
from tests.support.engines import MEASURED, Tab, rested
from tests.support.services.noting_site import serving_notes
from tests.support.services.receiver import HIDE, SHOW, Receiver, vitals
from tests.support.wait import wait_until

BUSY = "const ends = performance.now() + 120; while (performance.now() < ends);"


def left(tab: Tab, receiver: Receiver, count: int = 1) -> None:
    """Leaves the page, as a visitor does who goes to another site; waits for so many beacons."""
    tab.open("about:blank")
    receiver.wait(count)


@pytest.mark.thorough
def test_a_page_view(tab: Tab, receiver: Receiver, tea_shop: str) -> None:
    tab.open(f"{tea_shop}/?delay=120")
    rested(tab)
    left(tab, receiver)
    (beacon,) = receiver.beacons
    (view,) = beacon.views
    assert (beacon.app, beacon.key, beacon.webdriver) == ("shop", "k-1", True)
    assert (view.url, view.type, view.ended, view.hidden) == (f"{tea_shop}/", "navigate", True, False)
    assert set(vitals(view)) == MEASURED[tab.engine] - {"inp"}, "nothing was clicked"
    assert {"request", "response", "dom", "load", "total"} <= set(view.phases)
    # Engines round their times, and say that a request began when they have written it.
    assert view.phases["request"] >= 0.1
    assert view.transfer_bytes > 1000
    assert view.visible_seconds is not None
    assert view.visible_seconds > 0.1


@pytest.mark.thorough
def test_routes_and_what_was_done(tab: Tab, receiver: Receiver, tea_shop: str) -> None:
    tab.open(f"{tea_shop}/app")
    rested(tab)
    tab.write("main input[type=search]", "black tea")
    tab.click("main form button")
    wait_until(lambda: tab.run("return document.querySelectorAll('a[href*=lapsang]').length"), "the result")
    tab.click("a[href*=lapsang]")
    wait_until(lambda: tab.run("return location.pathname") == "/app/item/lapsang", "the route")
    rested(tab)
    tab.run("history.back()")
    wait_until(lambda: tab.run("return location.pathname") == "/app", "the way back")
    left(tab, receiver)
    views = receiver.views
    assert [(urlsplit(view.url).path, view.type) for view in views] == [
        ("/app", "navigate"),
        ("/app/item/lapsang", "soft"),
        ("/app", "soft"),
    ]
    loaded, item, back = views
    assert [one.role for one in loaded.interactions] == ["searchbox", "button", "search", "link"]
    assert [one.type for one in loaded.interactions] == ["change", "click", "submit", "click"]
    assert (item.referrer, back.referrer) == (loaded.url, item.url)
    assert set(vitals(item)) <= {"inp"}, "soft navigations have no paints of their own here"


@pytest.mark.thorough
def test_a_slow_interaction(tab: Tab, receiver: Receiver) -> None:
    tab.open(receiver.page(f"<h1>A page</h1><button id=go>Go</button><script>go.onclick = () => {{ {BUSY} }}</script>"))
    rested(tab)
    tab.click("#go")
    rested(tab)
    left(tab, receiver)
    view = receiver.view("/page")
    told = {vital.name: vital for vital in view.vitals}
    assert set(told) == MEASURED[tab.engine]
    assert view.interaction_counts == {"click": 1}
    if "inp" in told:
        assert told["inp"].value >= 0.1
        assert told["inp"].attribution["element"] == "#go"
        assert "script" not in told["inp"].attribution, "there are no long animation frames here"


JUDGED = "await new Promise((resolve) => setTimeout(resolve, 2600))"
"""Until the page has judged the clicks so far, 2.5 s after each: its timers go off in order, however late."""


@pytest.mark.thorough
def test_clicks_without_an_effect_are_dead_and_others_are_not(tab: Tab, receiver: Receiver) -> None:
    receiver.judges_clicks = True
    body = "<button id=dead>Dead</button><button id=alive onclick='this.textContent = 1'>Alive</button><p>"
    tab.open(receiver.page(body + "<button id=asks onclick='fetch(\"/page\")'>Asks</button>"))
    rested(tab)
    for one in ("#dead", "#alive", "#asks", "#dead"):
        tab.click(one)
        tab.run(JUDGED)
    left(tab, receiver)
    view = receiver.view("/page")
    assert [one.element for one in view.interactions if one.type == "dead-click"] == ["#dead", "#dead"]
    assert view.interaction_counts["click"] == 4


@pytest.mark.thorough
def test_clicks_in_a_row_are_rage_clicks(tab: Tab, receiver: Receiver) -> None:
    tab.open(receiver.page("<script>times = []</script><button id=go onclick='times.push(event.timeStamp)'>Go</button>"))
    rested(tab)

    def click() -> bool:
        tab.click_in_a_row("#go", RAGE_CLICKS)
        within = (RAGE_SECONDS - 0.1) * 1000
        return bool(
            tab.run("const [count, within] = given; return times.at(-1) - times.at(-count) < within", RAGE_CLICKS, within)
        )

    # A busy machine may take longer over them: then they are made again.
    wait_until(click, f"{RAGE_CLICKS} clicks within {RAGE_SECONDS:g} s")
    clicks = tab.run("return times.length")
    left(tab, receiver)
    view = receiver.view("/page")
    assert view.interaction_counts == {"click": clicks}
    assert count_frustration(view)[KINDS.index("rage click")] >= 1


@pytest.mark.thorough
def test_a_route_that_is_gone_back_to_says_so(tab: Tab, receiver: Receiver) -> None:
    receiver.judges_clicks = True
    tab.open(receiver.page('<button id=it onclick=\'history.pushState(0, "", "/item")\'>Go</button>', path="/app"))
    rested(tab)
    tab.run("await import('/clicks.js')")
    can_tell = tab.run("return Boolean(globalThis.navigation?.currentEntry)")
    tab.click("#it")
    for way in ("back", "forward"):
        tab.run(f"await new Promise((done) => {{ addEventListener('popstate', () => setTimeout(done)); history.{way}(); }})")
    left(tab, receiver)
    wait_until(lambda: len(receiver.views) >= 4, "all views")
    assert [(urlsplit(one.url).path, [act.type for act in one.interactions]) for one in receiver.views] == [
        ("/app", ["click"]),
        ("/item", []),
        ("/app", ["back"] if can_tell else []),
        ("/item", []),
    ]
    # A site whose pages are loaded tells it by the type of the view, as the test of the cache shows.
    assert [came_back(one.type, one.interactions) for one in receiver.views] == [False, False, can_tell, False]


PAY = 'import { price } from "./price";\n\nexport function pay(order) {\n  const total = price(order);\n  return total.amount;\n}\n'
PRICE = "export function price(order) {\n  return order.items.map((item) => item.price);\n}\n"
SHOP = 'import { pay } from "./pay";\n\ndocument.querySelector("#buy").onclick = () => { pay({}); };\n'


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A script as esbuild makes it, with its map; packed as uploads are kept."""
    folder = tmp_path_factory.mktemp("bundle")
    for name, code in (("pay.js", PAY), ("price.js", PRICE), ("shop.js", SHOP)):
        (folder / name).write_text(code)
    esbuild = Path(runner.page.__file__).parent / "agent" / "node_modules" / "esbuild" / "bin" / "esbuild"
    assert esbuild.exists(), "esbuild is missing, which builds the agents: pip install -e ."
    wanted = ["shop.js", "--bundle", "--minify", "--keep-names", "--sourcemap=external", "--outfile=app.js"]
    subprocess.run([esbuild, *wanted, "--log-level=error"], cwd=folder, check=True, timeout=60)
    (folder / "app.js.map.gz").write_bytes(gzip.compress((folder / "app.js.map").read_bytes()))
    return folder


@pytest.mark.thorough
def test_errors_are_told_with_frames_that_a_source_map_explains(tab: Tab, receiver: Receiver, bundle: Path) -> None:
    script = (bundle / "app.js").read_text()
    tab.open(receiver.page(f"<button id=buy>Buy</button><script>\n{script}</script>"))
    rested(tab)
    tab.click("#buy")
    tab.run("setTimeout(() => { throw 'only a text'; })")
    tab.run("Promise.reject(new RangeError('no lid')); Promise.reject(undefined)")
    tab.run("document.body.append(Object.assign(new Image(), { src: '/none.png?token=1' }))")
    tab.run("journeyUser.reportError(new TypeError('by hand'))")
    wait_until(lambda: len([error for view in receiver.views for error in view.errors]) >= 6, "all errors")
    left(tab, receiver)
    errors = {(error.kind, error.type, error.message): error for view in receiver.views for error in view.errors}
    ours = [error for key, error in errors.items() if "items" in key[2] or "order" in key[2]]
    assert {key for key, error in errors.items() if error not in ours} == {
        ("error", "", "only a text"),
        ("unhandled-rejection", "RangeError", "no lid"),
        ("unhandled-rejection", "", "no message"),
        ("resource", "", "img could not be loaded"),
        ("reported", "TypeError", "by hand"),
    }
    (error,) = ours
    assert (error.kind, error.type, error.source) == ("error", "TypeError", f"{receiver.address}/page")
    frames = parse_stack(error.stack)
    assert all(frame.script == f"{receiver.address}/page" for frame in frames)
    # The script begins with the second line of the page.
    places = tuple((frame.line - 1, frame.column) for frame in frames)
    answer = resolve(Lookup(str(bundle / "app.js.map.gz"), places))
    assert answer.trouble == ""
    found = [(Path(one.source).name, one.line) for one in answer.places if one is not None]
    assert found[:3] == [("price.js", 2), ("pay.js", 4), ("shop.js", 3)]


@pytest.mark.thorough
def test_a_page_that_comes_back_from_the_back_forward_cache_is_a_view_of_its_own(tab: Tab, receiver: Receiver) -> None:
    first = receiver.page("<h1>First</h1>", path="/first")
    second = receiver.page("<h1>Second</h1>", path="/second")
    tab.open(first)
    rested(tab)
    tab.run("globalThis.lives = true")
    tab.open(second)
    rested(tab)
    tab.go_back()
    wait_until(lambda: len(receiver.arrived) >= 2 and tab.run("return location.pathname") == "/first", "the way back")
    assert tab.run("return globalThis.lives === true"), "the cache of this engine takes pages with the agent"
    rested(tab)
    left(tab, receiver, 3)
    one, two, again = sorted(receiver.views, key=lambda view: view.started_at)
    assert [(urlsplit(view.url).path, view.type) for view in (one, two, again)] == [
        ("/first", "navigate"),
        ("/second", "navigate"),
        ("/first", "bfcache"),
    ]
    assert again.id != one.id
    assert again.phases == {}
    assert {beacon.session for beacon in receiver.beacons} == {receiver.beacons[0].session}


@pytest.mark.thorough
def test_what_is_new_is_sent_when_the_tab_is_hidden_and_again_when_the_server_was_away(tab: Tab, receiver: Receiver) -> None:
    tab.open(receiver.page("<h1>A page</h1><button id=go>Go</button>"))
    rested(tab)
    tab.run(f"({HIDE})()")
    tab.run(SHOW)
    (beacon,) = receiver.wait()
    assert (beacon.views[0].ended, receiver.arrived[0].media_type) == (False, "text/plain;charset=UTF-8")
    # A beacon that the browser refuses is kept, and sent by the next page under the same id.
    other = receiver.page("<h1>Other</h1>", path="/other")
    tab.run("Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false, configurable: true })")
    tab.click("#go")
    left(tab, receiver)
    assert len(receiver.arrived) == 1
    tab.open(other)
    wait_until(lambda: len(receiver.arrived) >= 2, "what was kept")
    assert receiver.beacons[1].views[0].id == beacon.views[0].id
    assert receiver.beacons[1].views[0].ended
    tab.open("about:blank")


@pytest.mark.thorough
def test_a_strict_content_policy(tab: Tab, receiver: Receiver) -> None:
    # The policy allows the collector to be loaded from and sent to, and no code that is made of texts.
    policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    receiver.page("<h1>A page</h1><button id=go>Go</button>", head="")
    receiver.pages["/page"] = receiver.pages["/page"].replace("<head>", f"<head>{meta}")
    tab.open(f"{receiver.address}/page")
    wait_until(lambda: tab.run("return document.readyState") == "complete")
    tab.click("#go")
    left(tab, receiver)
    view = receiver.view("/page")
    assert view.interaction_counts == {"click": 1}
    assert view.errors == ()


@pytest.mark.thorough
def test_traces_of_requests(tab: Tab, receiver: Receiver) -> None:
    with ExitStack() as stack:
        sites = Sites(*(stack.enter_context(serving_notes()) for _ in range(3)))
        sites.give(receiver, 'data-sample="1"')
        tab.open(sites.own.address)
        assert tab.run("return load()") == ["TypeError", "TypeError"]
        own = sent(sites.own)
        value = own["/early"]
        assert value is not None
        assert {path: own[path] for path in ("/fetch", "/request", "/xhr")} == dict.fromkeys(
            ("/fetch", "/request", "/xhr"), value
        )
        assert (own["/theirs"], own["/theirs-too"]) == ("theirs", "theirs")
        assert [sites.own.header(path, "x-own") for path in ("/fetch", "/request", "/url", "/xhr")] == ["1", "2", "3", "4"]
        assert sent(sites.listed) == {"/listed": value, "/blind": None}
        assert set(sent(sites.other).values()) == {None}
        assert [one.path for one in sites.other.seen if one.method == "OPTIONS"] == []
        left(tab, receiver)
    assert receiver.view("/").trace == value.split("-")[1]
    assert json.loads(receiver.arrived[0].body)["views"][0]["trace"]
