"""The channel between page agents and the runner, through the driver and by Playwright's own means."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response
from playwright.sync_api import Error as PlaywrightError

from runner.browser.chromium import Browser as Program
from runner.browser.driver import page_channel
from runner.browser.driver import playwright_internals as bridge
from runner.browser.driver.page_channel import BindingChannel, DriverChannel, Question
from runner.page import agent
from runner.page.agent import AgentMark, PageAgent
from runner.page.clock import Window
from tests.pages import serving_pages
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until

PAGES = {
    "/": "<title>one</title><h1>one</h1>",
    "/two": "<title>two</title><img src='/picture'>",
    "/lazy": "<div style='height: 9000px'></div><iframe loading=lazy src='/'></iframe>",
    "/frames": "<iframe src='/'></iframe><iframe id='gone' src='/two'></iframe>",
}
ALWAYS = Window(0.0, 4e9)
KINDS = ["driver", "bindings"]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving_pages(PAGES) as address:
        yield address


@pytest.fixture
def context(chrome: Browser) -> Iterator[BrowserContext]:
    with chrome.new_context() as opened:
        yield opened


def watch(context: BrowserContext, kind: str, monkeypatch: pytest.MonkeyPatch) -> PageAgent:
    if kind == "bindings":
        monkeypatch.setattr(agent, "open_channel", BindingChannel)
    watched = PageAgent(context, AgentMark(journey="buy", run="1", location="here"))
    assert isinstance(watched.channel, DriverChannel if kind == "driver" else BindingChannel)
    return watched


@pytest.mark.thorough
@pytest.mark.parametrize("kind", KINDS)
def test_what_documents_report_before_they_are_replaced_is_there_at_the_next_reading(
    context: BrowserContext, site: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, kind, monkeypatch)
    watched.step_started("open")
    page = context.new_page()
    page.goto(site)
    page.evaluate("dispatchEvent(new Event('x'))")
    page.get_by_role("heading").click()
    page.goto(f"{site}/two")
    popup = context.new_page()
    popup.goto(f"{site}/frames")
    popup.close()
    assert watched.read(ALWAYS)
    assert sorted(one.url.removeprefix(site) for one in watched.documents.values()) == ["/", "/frames", "/two"]
    assert all(one.navigation and one.navigation.load_event_start for one in watched.documents.values())
    assert {one.what for one in watched.causes} >= {"input", "navigation"}
    assert (watched.trusted, watched.problems) == (True, set())


@pytest.mark.parametrize("kind", thorough_but(1, KINDS))
def test_a_page_that_asks_for_the_step_gets_its_name(
    context: BrowserContext, site: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, kind, monkeypatch)
    watched.step_started('say "hello"')
    page = context.new_page()
    page.goto(site)
    page.evaluate("() => { __journeySynthetic.step(Date.now() + 1000).then((name) => { globalThis.told = name }) }")
    watched.read(ALWAYS)
    wait_until(lambda: page.evaluate("globalThis.told") == 'say "hello"')


def ask(watched: PageAgent, page: Page, expression: str, seconds: float = 20.0) -> object:
    return watched.channel.ask([Question(page.main_frame, expression, seconds)])[0]


@pytest.mark.parametrize("kind", thorough_but(1, KINDS))
def test_answers_come_in_order_with_what_failed_in_its_place(
    context: BrowserContext, site: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, kind, monkeypatch)
    page = context.new_page()
    page.goto(f"{site}/frames")
    first, second = page.frames[1:]
    page.evaluate("document.getElementById('gone').remove()")

    async def beside() -> str:
        return "beside"

    questions = [
        Question(page.main_frame, "document.querySelectorAll('iframe').length", 20),
        Question(second, "1", 20),
        Question(first, "new Promise(() => {})", 0.01),
        Question(first, "throw new Error('wrong')", 20),
        Question(first, "(async () => document.title)()", 20),
    ]
    number, gone, late, wrong, title, other = watched.channel.ask(questions, [beside()])
    assert (number, title, other) == (1, "one", "beside")
    assert gone is None or "detached" in str(gone)
    assert isinstance(late, TimeoutError)
    assert "wrong" in str(wrong) or "SyntaxError" in str(wrong)


def test_the_next_document_answers_for_one_that_is_replaced(
    context: BrowserContext, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, "driver", monkeypatch)
    page = context.new_page()
    page.goto(site)
    leaving = "location.pathname === '/' ? (location.href = '/two', new Promise(() => {})) : location.pathname"
    assert ask(watched, page, leaving) == "/two"


def test_a_frame_that_gets_its_document_while_it_is_asked_is_asked_again(
    context: BrowserContext, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, "driver", monkeypatch)
    page = context.new_page()
    page.goto(f"{site}/lazy")
    frame = page.frames[1]
    assert not frame.url
    ask_all, seconds = watched.channel.ask, []

    def ask_and_load(questions: list[Question]) -> list[object]:
        answers = ask_all(questions)
        seconds.append([one.seconds for one in questions])
        page.locator("iframe").scroll_into_view_if_needed()
        wait_until(lambda: frame.url, page=page)
        return answers

    monkeypatch.setattr(watched.channel, "ask", ask_and_load)
    assert watched.read(ALWAYS)
    assert seconds[:2] == [[agent.PATIENCE, agent.EMPTY_PATIENCE], [agent.SHORT_PATIENCE]]
    assert (watched.trusted, watched.problems) == (True, set())


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_that_goes_while_it_is_asked_is_not_waited_for(
    context: BrowserContext, site: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, kind, monkeypatch)
    page = context.new_page()
    page.goto(f"{site}/frames")
    leaving = "(setTimeout(() => frameElement.remove()), globalThis.never = new Promise(() => {}))"
    answer = watched.channel.ask([Question(page.frames[-1], leaving, 20)])[0]
    assert isinstance(answer, PlaywrightError)
    assert page.frames[1:] == [page.frames[1]]


def test_more_reports_than_can_be_kept_end_the_belief_in_the_page(
    context: BrowserContext, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, "driver", monkeypatch)
    page = context.new_page()
    page.goto(site)
    watched.read(ALWAYS)
    page.evaluate("for (let i = 0; i < 3000; i++) __journeyReport('{}')")
    watched.read(ALWAYS)
    assert not watched.trusted
    assert [one for one in watched.problems if "reports were lost" in one]


def test_a_closed_context_has_no_answers(chrome: Browser, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with chrome.new_context() as context:
        watched = watch(context, "driver", monkeypatch)
        page = context.new_page()
        page.goto(site)
    answer = ask(watched, page, "1")
    assert answer is None or "closed" in str(answer)


@pytest.mark.parametrize("kind", KINDS)
def test_responses_are_as_large_as_playwright_says(
    context: BrowserContext, site: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(context, kind, monkeypatch)
    page = context.new_page()
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"{site}/two")
    sizes = [one.request.sizes() for one in responses]
    (measured,) = bridge.gather(context, [watched.channel.measure(responses)], 20)
    assert len(measured) == 2
    assert [one.transferred for one in measured] == [one["responseHeadersSize"] + one["responseBodySize"] for one in sizes]
    # They are not compressed; without our part in the driver nothing is known of that.
    assert [one.decoded for one in measured] == [one["responseBodySize"] if kind == "driver" else None for one in sizes]


@pytest.mark.thorough
def test_a_driver_that_was_started_elsewhere_is_asked_by_playwrights_own_means(chromium: Program) -> None:
    code = f"""
from playwright.sync_api import sync_playwright
from runner.browser.driver import event_waits, page_channel
event_waits.is_preloaded = lambda: True
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path={str(chromium.path)!r})
    print(type(page_channel.open_channel(browser.new_context(), print)).__name__)
    browser.close()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.stdout.strip(), ended.returncode) == ("BindingChannel", 0), ended.stderr


def test_all_contexts_of_a_browser_share_a_session(chrome: Browser) -> None:
    with chrome.new_context() as one, chrome.new_context() as other:
        for context in (one, other):
            page_channel.open_channel(context, lambda _: None)
        assert list(page_channel._sessions) == [chrome]
