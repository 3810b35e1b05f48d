"""Event-driven waits: the same verdicts, messages and traces as polling, as soon as the page has changed."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver import event_waits
from runner.errors import ConfigError
from runner.result import RunResult
from runner.settings.load_settings import load_settings
from tests.conftest import Monitor
from tests.runner.test_pytest_plugin import AS_A_USER
from tests.support.needs import needs
from tests.support.thorough import thorough_but
from tests.support.wait import PAUSE

pytest_plugins = ["pytester"]
HOME = os.environ.get("HOME", "")
Mode = Literal["events", "polling"]
MODES: tuple[Mode, ...] = ("events", "polling")
PAGE = """
<title>before</title><style>.red { color: rgb(255, 0, 0) } #far { margin-top: 3000px }</style>
<p id="text">one</p><ul><li>a</li></ul><input id="field"><input id="box" type="checkbox"><button id="button">Go</button>
<select id="list" multiple><option>x</option><option>y</option></select><div id="far">far</div>
"""


def opened(chrome: Browser, mode: Mode) -> BrowserContext:
    context = chrome.new_context()
    if mode == "events":
        context.add_init_script(event_waits.MARK)
    return context


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    """A page whose waits are event-driven."""
    with opened(chrome, "events") as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A server whose every path answers with PAGE."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = Thread(target=server.serve_forever, args=(PAUSE,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def change_later(page: Page, script: str, after: int = 300) -> None:
    """Changes the page in `after` ms."""
    page.evaluate("([script, after]) => { setTimeout(() => eval(script), after) }", [script, after])


TEXT = "document.querySelector('#text')"
MATCHERS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "to_have_text": (f"{TEXT}.textContent = 'two'", lambda page: expect(page.locator("#text")).to_have_text("two")),
    "to_have_text of a list": (
        "document.querySelector('ul').innerHTML += '<li>b</li>'",
        lambda page: expect(page.locator("li")).to_have_text(["a", "b"]),
    ),
    "to_contain_text": (
        f"{TEXT}.firstChild.data = 'number two'",
        lambda page: expect(page.locator("#text")).to_contain_text(re.compile("TWO", re.IGNORECASE)),
    ),
    "not_to_contain_text": (
        f"{TEXT}.textContent = ''",
        lambda page: expect(page.locator("#text")).not_to_contain_text("one"),
    ),
    "to_have_count": (
        "document.querySelector('ul').innerHTML += '<li>b</li>'",
        lambda page: expect(page.locator("li")).to_have_count(2),
    ),
    "to_be_visible": (
        "document.body.insertAdjacentHTML('beforeend', '<p id=new>new</p>')",
        lambda page: expect(page.locator("#new")).to_be_visible(),
    ),
    "to_be_hidden": (f"{TEXT}.hidden = true", lambda page: expect(page.locator("#text")).to_be_hidden()),
    "not_to_be_visible": (f"{TEXT}.remove()", lambda page: expect(page.locator("#text")).not_to_be_visible()),
    "to_be_attached": (
        "document.body.append(Object.assign(document.createElement('i'), { id: 'new' }))",
        lambda page: expect(page.locator("#new")).to_be_attached(),
    ),
    "not_to_be_attached": (f"{TEXT}.remove()", lambda page: expect(page.locator("#text")).not_to_be_attached()),
    "to_have_attribute": (
        f"{TEXT}.setAttribute('lang', 'de')",
        lambda page: expect(page.locator("#text")).to_have_attribute("lang", "de"),
    ),
    "to_have_class": (f"{TEXT}.className = 'red'", lambda page: expect(page.locator("#text")).to_have_class("red")),
    "to_contain_class": (
        f"{TEXT}.className = 'big red'",
        lambda page: expect(page.locator("#text")).to_contain_class("red"),
    ),
    "to_have_css": (
        f"{TEXT}.className = 'red'",
        lambda page: expect(page.locator("#text")).to_have_css("color", "rgb(255, 0, 0)"),
    ),
    "to_have_id": (f"{TEXT}.id = 'other'", lambda page: expect(page.locator("p").first).to_have_id("other")),
    "to_have_js_property": (f"{TEXT}.made = 1", lambda page: expect(page.locator("#text")).to_have_js_property("made", 1)),
    "to_have_value": (
        "document.querySelector('#field').value = 'typed'",
        lambda page: expect(page.locator("#field")).to_have_value("typed"),
    ),
    "to_have_values": (
        "for (const one of document.querySelectorAll('option')) one.selected = true",
        lambda page: expect(page.locator("#list")).to_have_values(["x", "y"]),
    ),
    "to_be_checked": (
        "document.querySelector('#box').checked = true",
        lambda page: expect(page.locator("#box")).to_be_checked(),
    ),
    "to_be_disabled": (
        "document.querySelector('#button').disabled = true",
        lambda page: expect(page.locator("#button")).to_be_disabled(),
    ),
    "not_to_be_enabled": (
        "document.querySelector('#button').disabled = true",
        lambda page: expect(page.locator("#button")).not_to_be_enabled(),
    ),
    "not_to_be_editable": (
        "document.querySelector('#field').readOnly = true",
        lambda page: expect(page.locator("#field")).not_to_be_editable(),
    ),
    "to_be_empty": (f"{TEXT}.textContent = ''", lambda page: expect(page.locator("#text")).to_be_empty()),
    "to_be_focused": (
        "document.querySelector('#field').focus()",
        lambda page: expect(page.locator("#field")).to_be_focused(),
    ),
    "to_be_in_viewport": (
        "document.querySelector('#far').scrollIntoView()",
        lambda page: expect(page.locator("#far")).to_be_in_viewport(),
    ),
    "to_have_role": (
        f"{TEXT}.setAttribute('role', 'alert')",
        lambda page: expect(page.locator("#text")).to_have_role("alert"),
    ),
    "to_have_accessible_name": (
        "document.querySelector('#button').textContent = 'Buy'",
        lambda page: expect(page.locator("#button")).to_have_accessible_name("Buy"),
    ),
    "to_have_accessible_description": (
        "document.querySelector('#button').title = 'at once'",
        lambda page: expect(page.locator("#button")).to_have_accessible_description("at once"),
    ),
    "to_have_accessible_error_message": (
        "const field = document.querySelector('#field'); field.setAttribute('aria-invalid', 'true'); "
        "field.setAttribute('aria-errormessage', 'text')",
        lambda page: expect(page.locator("#field")).to_have_accessible_error_message("one"),
    ),
    "to_match_aria_snapshot": (
        "document.querySelector('ul').innerHTML += '<li>b</li>'",
        lambda page: expect(page.locator("ul")).to_match_aria_snapshot("- list:\n  - listitem: a\n  - listitem: b"),
    ),
    "to_have_title": ("document.title = 'after'", lambda page: expect(page).to_have_title("after")),
    "not_to_have_title": ("document.title = 'after'", lambda page: expect(page).not_to_have_title("before")),
    "to_have_url": ("location.hash = 'there'", lambda page: expect(page).to_have_url(re.compile("#there$"))),
    "to_have_url of a pushed state": (
        "history.pushState({}, '', '?pushed')",
        lambda page: expect(page).to_have_url(re.compile("pushed$")),
    ),
    "wait_for visible": (f"{TEXT}.innerHTML = '<b>new</b>'", lambda page: page.locator("b").wait_for()),
    "wait_for hidden": (f"{TEXT}.hidden = true", lambda page: page.locator("#text").wait_for(state="hidden")),
    "wait_for detached": (f"{TEXT}.remove()", lambda page: page.locator("#text").wait_for(state="detached")),
    "wait_for_selector": (
        f"{TEXT}.innerHTML = '<b>new</b>'",
        lambda page: expect(page.locator("b")).to_have_count(1) if page.wait_for_selector("b") else None,
    ),
    "wait_for_selector of a frame": (
        f"{TEXT}.innerHTML = '<b>new</b>'",
        lambda page: expect(page.locator("b")).to_have_count(1) if page.main_frame.wait_for_selector("b") else None,
    ),
    "wait_for_function": (f"{TEXT}.made = 1", lambda page: page.wait_for_function(f"{TEXT}.made === 1").dispose()),
    "text_content": (f"{TEXT}.innerHTML = '<b>new</b>'", lambda page: expect(page.locator("b")).to_have_text(page.text_content("b") or "-")),
    "click on a new element": (
        "document.body.insertAdjacentHTML('afterbegin', '<button id=new>Go</button>')",
        lambda page: page.locator("#new").click(),
    ),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("mode", "part"), thorough_but(1, [("events", 4), ("events", 1), ("polling", 1)]))
def test_each_wait_ends_with_the_change_it_is_for(chrome: Browser, site: str, mode: Mode, part: int) -> None:
    """Every matcher and wait, each for a change that comes later; of a part, every fourth of them."""
    with opened(chrome, mode) as context:
        page = context.new_page()
        for name, (script, wait) in [*MATCHERS.items()][::part]:
            page.goto(site)
            change_later(page, script)
            try:
                wait(page)
            except (AssertionError, PlaywrightError) as error:
                pytest.fail(f"{name}: {error}")


COUNTING = """() => {
    // Changes the page up to 40 times, each time after a check has seen the change before.
    const text = document.querySelector("#text");
    let reads = 0, before = -1, changes = 0;
    Object.defineProperty(text, "changes", { get() { reads++; return changes; } });
    const change = () => {
        if (reads > before && changes < 40) {
            before = reads;
            text.textContent = ++changes;
        }
        setTimeout(change, 5);
    };
    change();
}"""


def test_a_wait_checks_again_after_each_change(page: Page) -> None:
    """Polling would need 19 s for 40 checks."""
    page.set_content(PAGE)
    page.evaluate(COUNTING)
    expect(page.locator("#text")).to_have_js_property("changes", 40, timeout=18_000)


@pytest.mark.thorough
def test_contexts_without_the_mark_poll(chrome: Browser) -> None:
    with opened(chrome, "polling") as context:
        page = context.new_page()
        page.set_content(PAGE)
        page.evaluate(COUNTING)
        with pytest.raises(AssertionError, match=r"Actual value: 1?\d\b"):
            expect(page.locator("#text")).to_have_js_property("changes", 40)


def attempts(page: Page) -> int:
    """How often a click that fails after 3 s was attempted."""
    page.set_content("<button disabled>Go</button><p></p>")
    page.evaluate("setInterval(() => { document.querySelector('p').textContent = Math.random() }, 20)")
    with pytest.raises(PlaywrightError) as failed:
        page.get_by_role("button").click(timeout=3_000)
    return sum(int(times or 1) for times in re.findall(r"(?:(\d+) × )?waiting for element to be visible", str(failed.value)))


@pytest.mark.thorough
def test_an_action_is_attempted_again_after_a_change(chrome: Browser, page: Page) -> None:
    with opened(chrome, "polling") as context:
        assert attempts(page) > attempts(context.new_page()) >= 5


@pytest.mark.thorough
def test_a_page_that_changes_all_the_time_is_checked_at_growing_intervals(page: Page) -> None:
    page.set_content(PAGE)
    page.evaluate("() => { window.changes = 0; setInterval(() => { document.title = ++window.changes }, 4) }")
    page.evaluate(
        "() => { window.reads = 0; Object.defineProperty(document.querySelector('#text'), 'x', { get: () => ++window.reads }) }"
    )
    with pytest.raises(AssertionError):
        expect(page.locator("#text")).to_have_js_property("x", "never", timeout=3_000)
    reads, changes = page.evaluate("[window.reads, window.changes]")
    assert 0 < reads < changes


FAILING: dict[str, Callable[[Page], object]] = {
    "to_have_text": lambda page: expect(page.locator("#text")).to_have_text("two", timeout=2_000),
    "to_have_text of a list": lambda page: expect(page.locator("li")).to_have_text(["a", "b"], timeout=2_000),
    "to_be_visible": lambda page: expect(page.locator("#none")).to_be_visible(timeout=2_000),
    "not_to_be_visible": lambda page: expect(page.locator("#text"), "custom").not_to_be_visible(timeout=2_000),
    "to_have_count": lambda page: expect(page.locator("li")).to_have_count(2, timeout=2_000),
    "to_have_title": lambda page: expect(page).to_have_title("after", timeout=2_000),
    "to_have_url": lambda page: expect(page).to_have_url("http://127.0.0.1/none", timeout=2_000),
    "to_match_aria_snapshot": lambda page: expect(page.locator("ul")).to_match_aria_snapshot("- button", timeout=2_000),
    "not strict": lambda page: expect(page.locator("input")).to_be_visible(timeout=2_000),
    "not a selector": lambda page: expect(page.locator("p[")).to_be_visible(timeout=2_000),
    "wait_for": lambda page: page.locator("#none").wait_for(timeout=2_000),
    "wait_for hidden": lambda page: page.locator("#text").wait_for(state="hidden", timeout=2_000),
    "wait_for_selector": lambda page: page.wait_for_selector("#none", timeout=2_000),
    "wait_for_function": lambda page: page.wait_for_function("() => false", timeout=2_000),
    "click on nothing": lambda page: page.click("#none", timeout=2_000),
    "click on a disabled button": lambda page: page.locator("#off").click(timeout=3_000),
    "click on a covered button": lambda page: page.locator("#under").click(timeout=3_000),
    "fill of a hidden field": lambda page: page.locator("#hidden").fill("x", timeout=3_000),
    "select of no option": lambda page: page.locator("#list").select_option("none", timeout=3_000),
    "frame": lambda page: page.frame_locator("iframe").locator("b").click(timeout=2_000),
}
FOUR = """<button id="off" disabled>Off</button><input id="hidden" hidden><button id="under">Under</button>
<div style="position: fixed; inset: 0"></div>"""


def message_of(page: Page, wait: Callable[[Page], object]) -> list[str]:
    """The lines of a failing wait's message, without how often and how long."""
    with pytest.raises((AssertionError, PlaywrightError)) as failed:
        wait(page)
    lines = [re.sub(r"\d+ × |\d+(?=ms)", "", line).strip(" -") for line in str(failed.value).splitlines()]
    return list(dict.fromkeys(lines))


@pytest.mark.thorough
def test_failing_waits_say_the_same(chrome: Browser, site: str) -> None:
    messages: dict[Mode, dict[str, list[str]]] = {}
    for mode in MODES:
        with opened(chrome, mode) as context:
            page = context.new_page()
            page.goto(site)
            page.evaluate("html => document.body.insertAdjacentHTML('beforeend', html)", FOUR)
            messages[mode] = {name: message_of(page, wait) for name, wait in FAILING.items()}
    assert messages["events"] == messages["polling"]
    assert any("Timeout" in line for line in messages["events"]["wait_for"])


def actions(file: Path) -> list[tuple[str, str]]:
    """The calls in a trace, with the error of each."""
    with zipfile.ZipFile(file) as trace:
        names = [name for name in trace.namelist() if name.endswith(".trace")]
        events = [json.loads(line) for name in names for line in trace.read(name).splitlines()]
    errors = {event["callId"]: event.get("error", {}).get("name", "") for event in events if event["type"] == "after"}
    return [
        (f"{event.get('class')}.{event['method']}", errors[event["callId"]])
        for event in events
        if event["type"] == "before" and event["callId"] in errors
    ]


@pytest.mark.thorough
def test_a_trace_holds_one_action_a_call(chrome: Browser, site: str, tmp_path: Path) -> None:
    traced = {}
    for mode in MODES:
        with opened(chrome, mode) as context:
            context.tracing.start(snapshots=True)
            page = context.new_page()
            page.goto(site)
            change_later(page, f"{TEXT}.innerHTML = '<b>new</b>'")
            expect(page.locator("b")).to_have_text("new")
            change_later(page, "document.querySelector('#button').remove()")
            page.locator("#button").wait_for(state="detached")
            with pytest.raises(AssertionError):
                expect(page.locator("#button")).to_be_visible(timeout=500)
            context.tracing.stop(path=tmp_path / f"{mode}.zip")
        traced[mode] = actions(tmp_path / f"{mode}.zip")
    assert traced["events"] == traced["polling"]
    assert [name for name, _ in traced["events"]].count("Frame.expect") == 2


def test_a_change_inside_a_shadow_root_ends_a_wait(page: Page) -> None:
    """The root is attached while the wait is on, which is no mutation of the document."""
    page.set_content("<my-text></my-text>")
    page.evaluate(
        """() => {
            const texts = ["one", "two", "three"];
            customElements.define("my-text", class extends HTMLElement {
                connectedCallback() {
                    const root = this.attachShadow({ mode: "open" });
                    const show = () => { root.innerHTML = `<p>${texts.shift()}</p>`; if (texts.length) setTimeout(show, 150); };
                    setTimeout(show, 150);
                }
            });
        }"""
    )
    expect(page.locator("my-text p")).to_have_text("three")


@pytest.mark.parametrize("host", thorough_but(1, ["127.0.0.1", "localhost"]))
def test_a_change_inside_a_frame_ends_a_wait(page: Page, site: str, host: str) -> None:
    """A frame of the same and of another site, which is attached while the wait is on."""
    page.goto(site)
    address = site.replace("127.0.0.1", host)
    change_later(page, f"document.body.append(Object.assign(document.createElement('iframe'), {{ src: '{address}/frame' }}))")
    inside = page.frame_locator("iframe").locator("#text")
    expect(inside).to_have_text("one")
    inside.evaluate("element => { setTimeout(() => { element.textContent = 'two' }, 200) }")
    expect(inside).to_have_text("two")


def test_a_popup_is_waited_for_like_a_page(page: Page, site: str) -> None:
    page.goto(site)
    with page.expect_popup() as popup:
        page.evaluate("window.open('/popup')")
    change_later(popup.value, f"{TEXT}.textContent = 'two'")
    expect(popup.value.locator("#text")).to_have_text("two")


def test_a_navigation_in_mid_wait_is_survived(page: Page, site: str) -> None:
    page.goto(site)
    change_later(page, "location.href = '/next'")
    expect(page).to_have_url(f"{site}/next")
    change_later(page, "location.href = '/last#there'")
    change_later(page, f"{TEXT}.id = 'gone'", after=10)
    expect(page.locator("#text")).to_have_text("one")
    page.wait_for_url("**/last#there")


@pytest.mark.parametrize("mode", thorough_but(1, MODES))
def test_a_crash_or_a_closed_page_ends_a_wait(chrome: Browser, site: str, mode: Mode) -> None:
    with opened(chrome, mode) as context:
        page = context.new_page()
        page.goto(site)
        with context.expect_page() as popup:
            page.evaluate("window.open('/popup').setTimeout('window.close()', 300)")
        with pytest.raises(PlaywrightError, match="closed"):
            popup.value.locator("#none").wait_for()
        session = context.new_cdp_session(page)

        def crash(_: Request) -> None:
            session.send("Page.crash")

        page.once("request", crash)
        page.evaluate("setTimeout(() => fetch('/now'), 300)")
        with pytest.raises(PlaywrightError, match="crash"):
            page.locator("#none").wait_for()


@pytest.mark.thorough
def test_a_page_that_hangs_is_waited_for_until_the_timeout(page: Page, site: str) -> None:
    page.goto(site)
    change_later(page, "const ends = Date.now() + 2500; while (Date.now() < ends);", after=200)
    with pytest.raises(PlaywrightError, match="Timeout 1000ms exceeded"):
        page.locator("#none").wait_for(timeout=1_000)
    change_later(page, f"{TEXT}.textContent = 'two'")
    expect(page.locator("#text")).to_have_text("two", timeout=10_000)


def test_an_installed_clock_holds_no_wait_up(page: Page, site: str) -> None:
    page.clock.install()
    page.goto(site)
    page.clock.pause_at("2100-01-01")
    page.evaluate(f"setTimeout(() => {{ {TEXT}.textContent = 'two' }}, 60_000)")
    with pytest.raises(AssertionError):
        expect(page.locator("#text")).to_have_text("two", timeout=700)
    page.clock.run_for(60_000)
    expect(page.locator("#text")).to_have_text("two")


def test_a_page_may_replace_the_functions_that_waits_use(page: Page, site: str) -> None:
    """40 changes, each after a check of the one before it: the page hears of checks as Playwright's traces do."""
    page.add_init_script(
        "document.addEventListener('__playwright_mark_target__', () => { window.checks = (window.checks ?? 0) + 1 });"
        "for (const name of ['MutationObserver', 'Promise', 'setTimeout', 'WeakSet', 'performance', 'NodeFilter'])"
        " window[name] = undefined;"
        "EventTarget.prototype.addEventListener = Document.prototype.createTreeWalker = () => {};"
    )
    page.goto(site)
    page.evaluate(
        f"let checks = 0, count = 0; setInterval(() => {{"
        f"if (window.checks > checks && count < 40) {{ checks = window.checks; {TEXT}.textContent = ++count }} }}, 5)"
    )
    expect(page.locator("#text")).to_have_text("40", timeout=10_000)


@pytest.mark.thorough
def test_a_locator_handler_is_called_in_mid_wait(page: Page, site: str) -> None:
    page.goto(site)
    page.add_locator_handler(page.get_by_role("dialog"), lambda dialog: dialog.evaluate("element => element.remove()"))
    change_later(page, "document.body.insertAdjacentHTML('beforeend', '<p role=dialog>Cookies?</p>')")
    change_later(page, f"if (!document.querySelector('[role=dialog]')) {TEXT}.textContent = 'two'", after=1_500)
    expect(page.locator("#text")).to_have_text("two", timeout=10_000)


def test_programs_that_the_driver_starts_get_the_options_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--trace-uncaught")
    with event_waits.preloaded():
        assert "preload.cjs" in os.environ["NODE_OPTIONS"]
        shown = subprocess.run(
            [Path(sys.modules["playwright"].__path__[0]) / "driver" / "node", "-p", "process.env.NODE_OPTIONS"],
            capture_output=True,
            text=True,
            check=True,
        )
    assert shown.stdout.strip() == os.environ["NODE_OPTIONS"] == "--trace-uncaught"
    assert "JOURNEY_NODE_OPTIONS" not in os.environ


def test_an_untested_playwright_polls_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    event_waits.untested_version.cache_clear()
    monkeypatch.setattr(event_waits, "version", lambda _: "2.3.4")
    monkeypatch.setattr(event_waits, "_preloaded", False)
    try:
        with event_waits.preloaded():
            assert "preload" not in os.environ.get("NODE_OPTIONS", "")
        assert event_waits.unavailable() == (
            "waits are polling: event-driven waits have been tested with Playwright 1.65, and 2.3.4 is installed"
        )
    finally:
        event_waits.untested_version.cache_clear()


KEEPING_UP = """
@journey({options})
def keep_up(page, step):
    with step("changes"):
        page.set_content("<p id=text>")
        page.evaluate({counting!r})
        expect(page.locator("#text")).to_have_js_property("changes", 40, timeout=12_000)
"""


@pytest.mark.thorough
def test_a_journey_waits_for_events_unless_it_or_a_setting_says_otherwise(monitor: Monitor) -> None:
    """40 changes within the 12 s of an assertion are too many for polling."""

    def run(options: str = "", **settings: str) -> RunResult:
        return monitor.run(KEEPING_UP.format(options=options, counting=COUNTING), **settings)

    assert (run().status, run().notes) == ("passed", ())
    assert run("waits='polling'").status == run(waits="polling").status == "failed"
    assert run("waits='polling'", waits="events").status == "passed"


@pytest.mark.thorough
@needs("browser", "real_time")
def test_a_journey_waits_for_events_under_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", HOME)
    (pytester.path / "journeys").mkdir()
    code = "from runner import expect, journey\n" + KEEPING_UP.format(options="", counting=COUNTING)
    (pytester.path / "journeys" / "walk.py").write_text(code)
    (pytester.path / "test_step.py").write_text(
        "from playwright.sync_api import expect\n"
        "def test_step(page, step):\n"
        "    with step('changes'):\n"
        "        page.set_content('<p id=text>')\n"
        f"        page.evaluate({COUNTING!r})\n"
        "        expect(page.locator('#text')).to_have_js_property('changes', 40, timeout=12_000)\n"
    )
    ran = partial(pytester.runpytest_subprocess, *AS_A_USER, "journeys", "test_step.py")
    ran().assert_outcomes(passed=2)
    monkeypatch.setenv("JOURNEY_WAITS", "polling")
    ran().assert_outcomes(failed=2)


def test_waits_are_events_or_polling() -> None:
    with pytest.raises(ConfigError, match="JOURNEY_WAITS: 'sometimes' is not valid; choose one of events, polling"):
        load_settings(Path.cwd(), {}, {"JOURNEY_WAITS": "sometimes"})
