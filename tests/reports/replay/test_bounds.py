"""When recording pauses, ends, and begins again, in a real browser; the page's own line makes the bounds small."""

import shutil
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Playwright

from tests.reports.collector.test_browser import Site
from tests.reports.replay.conftest import Recorder, hide, hurry
from tests.support.raw_http import CHROME
from tests.support.wait import let_pass, rest, wait_until

GO_AWAY = """Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));"""
COME_BACK = 'delete document.visibilityState; document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));'
PERSON = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });"


def begun(recorder: Recorder, site: Site, page: Page, **bounds: str) -> None:
    """Opens a page that is recorded within these bounds."""
    hurry(page)
    site.html = f"<head>{recorder.line(**bounds)}</head><h1>Tea</h1><p>at first</p>"
    page.goto(site.address)
    wait_until(lambda: recorder.rows)


def show(page: Page, text: str) -> None:
    page.evaluate("text => { document.querySelector('p').textContent = text; }", text)


def is_there(recorder: Recorder, text: str) -> bool:
    return text.encode() in recorder.bytes()


def assert_noted(recorder: Recorder, page: Page, text: str) -> None:
    """What the page shows now gets into the recording."""
    show(page, text)

    def arrived() -> bool:
        hide(page)
        return is_there(recorder, text)

    wait_until(arrived, f"{text!r} in the recording")


def assert_not_noted(recorder: Recorder, page: Page, text: str) -> None:
    """What the page shows now does not get into the recording."""
    show(page, text)
    hide(page)
    let_pass(0.7, "it must not arrive", page)
    assert not is_there(recorder, text)


@pytest.mark.thorough
def test_a_tab_that_nobody_sees_is_not_recorded_until_somebody_comes_back(recorder: Recorder, site: Site, page: Page) -> None:
    begun(recorder, site, page, replay_idle="0.01")
    assert_noted(recorder, page, "seen")
    page.evaluate(GO_AWAY)
    names = (f"unseen {number}" for number in range(100))
    wait_until(lambda: not _is_sent(recorder, page, next(names)))
    show(page, "nobody sees this")
    let_pass(0.3, "it must not be recorded", page)
    show(page, "seen again")
    page.evaluate(COME_BACK)
    wait_until(lambda: sum(row.has_full_snapshot for row in recorder.rows) == 2)
    assert b"seen again" in recorder.bytes()
    assert b"nobody sees this" not in recorder.bytes()
    assert recorder.tagged("gave-up") == []
    assert_noted(recorder, page, "and goes on")


def _is_sent(recorder: Recorder, page: Page, text: str) -> bool:
    """Whether a text that the page shows now, in the background, gets into the recording."""
    show(page, text)
    page.evaluate('document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))')
    let_pass(0.7, "it would arrive", page)
    return is_there(recorder, text)


def lasting(page: Page) -> None:
    rest(page)


def changing(page: Page) -> None:
    page.evaluate("for (let i = 0; i < 300; i++) document.body.append(document.createElement('i'))")


def growing(page: Page) -> None:
    show(page, "a long text " * 500)
    hide(page)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("bounds", "does", "why"),
    [
        ({"replay_minutes": "0.02"}, lasting, "0.02 minutes are over"),
        ({"replay_bytes": "5000"}, growing, "it sent "),
        ({"replay_changes": "200"}, changing, "the page changed "),
    ],
)
def test_a_recording_that_is_long_enough_ends_and_says_why(
    recorder: Recorder, site: Site, page: Page, bounds: dict[str, str], does: Callable[[Page], None], why: str
) -> None:
    begun(recorder, site, page, **bounds)
    does(page)
    (told,) = wait_until(lambda: recorder.tagged("gave-up"))
    assert told["why"].startswith(why)
    assert_not_noted(recorder, page, "too late")
    # Neither does it begin again when the visitor comes back to the tab.
    page.evaluate(COME_BACK)
    assert_not_noted(recorder, page, "much too late")
    assert recorder.recordings[0].gaps == ()


@pytest.mark.thorough
def test_a_bound_that_makes_no_sense_is_the_usual_one(recorder: Recorder, site: Site, page: Page) -> None:
    begun(recorder, site, page, replay_changes="nonsense", replay_minutes="-1", replay_bytes="", replay_idle="0")
    page.evaluate("for (let i = 0; i < 400; i++) document.body.append(document.createElement('i'))")
    let_pass(1.5, "it looks at its bounds in this time and must not give up", page)
    assert_noted(recorder, page, "goes on")
    assert recorder.tagged("gave-up") == []


@pytest.mark.thorough
def test_a_page_from_the_back_forward_cache_is_recorded_again(recorder: Recorder, site: Site, driver: Playwright) -> None:
    # The headless shell has no such cache, the whole Chromium has; Playwright turns it off unless told otherwise.
    program = shutil.which("chromium")
    assert program, "the whole Chromium is missing; on Debian: apt-get install chromium"
    site.html = f"<head>{recorder.line()}</head><p>at first</p>"
    with driver.chromium.launch(executable_path=program, ignore_default_args=["--disable-back-forward-cache"]) as browser:
        page = browser.new_page(user_agent=CHROME)
        page.add_init_script(PERSON)
        page.goto(f"{site.address}/one")
        wait_until(lambda: recorder.rows)
        # What only this document has: it is not the page loaded anew.
        show(page, "from before")
        page.goto(f"{site.address}/two")
        wait_until(lambda: sum(row.has_full_snapshot for row in recorder.rows) == 2)
        page.evaluate("history.back()")
        wait_until(lambda: sum(row.has_full_snapshot for row in recorder.rows) == 3)
        # Playwright does not notice that the page is another one again: it is left, as a visitor does.
        page.context.new_cdp_session(page).send("Page.navigate", {"url": "about:blank"})
        wait_until(lambda: [one["url"].rpartition("/")[2] for one in recorder.tagged("view")] == ["one", "two", "one"])
    (recording,) = recorder.recordings
    assert (len(recording.tabs), recording.gaps) == (1, ())
    assert [row.sequence for row in recorder.rows] == list(range(len(recorder.rows)))
    pictures = [str(event["data"]) for event in recorder.events if event["type"] == 2]
    assert ["from before" in one for one in pictures] == [False, False, True]


@pytest.mark.parametrize("scripts", ["'nonce-oolong'", "'nonce-oolong' 'strict-dynamic'"])
def test_a_page_with_a_strict_policy_is_recorded(recorder: Recorder, site: Site, page: Page, scripts: str) -> None:
    line = recorder.line().replace("<script ", '<script nonce="oolong" ')
    site.headers = {"content-security-policy": f"default-src 'none'; script-src {scripts}; connect-src {recorder.address}"}
    site.html = f"<head>{line}</head><p>at first</p>"
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(site.address)
    wait_until(lambda: recorder.rows)
    assert_noted(recorder, page, "noted")
    # The browser asks for an icon by itself.
    assert not [text for text in said if "favicon" not in text], said
