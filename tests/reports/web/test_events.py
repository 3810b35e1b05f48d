"""Live updates: what a page is told, when, and that it shows it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import expect

from reports.web.pages import events
from runner.store import Store
from tests.reports.web.visitors import fill, seen
from tests.support.services.dashboard import Visited, made
from tests.support.wait import let_pass, wait_until

Start = Callable[..., Visited]
SPACED = 1.0
"""Seconds between two words about page views."""
HEAR = """() => new Promise((opened) => {
    window.heard = [];
    const events = new EventSource("/events");
    events.addEventListener("changed", (told) => window.heard.push(told.data));
    events.addEventListener("open", opened);
})"""
"""Listens as the page does."""


class Told:
    """What the stream says, as it comes."""

    def __init__(self) -> None:
        self.what: list[tuple[float, str]] = []

    def of(self, kind: str) -> list[float]:
        """When this was told."""
        return [at for at, one in self.what if one == kind]


@contextmanager
def following(served: Visited) -> Iterator[Told]:
    """The stream of a page, until the block ends."""
    told, stopped = Told(), threading.Event()
    connection = HTTPConnection("127.0.0.1", served.port)
    connection.request("GET", "/events", headers={"accept": "text/event-stream"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.readline() == b"retry: 5000\n"

    def read() -> None:
        while not stopped.is_set():
            line = answer.readline().decode().strip()
            if line.startswith("data: "):
                told.what.append((time.monotonic(), line.removeprefix("data: ")))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    yield told
    stopped.set()
    # Its end is noticed with the next line, which ends the reading.
    thread.join(events.QUIET + 5)
    connection.close()


def visited(store: Store) -> None:
    """A page view that began just now, in the roll-ups."""
    fill(store, [seen("/item/:id", time.time() - 20, 1.0)], [])


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that it does after a while it does five times as often."""
    monkeypatch.setattr(events, "LOOK", 0.4)
    monkeypatch.setattr(events, "QUIET", 0.6)
    monkeypatch.setitem(events.SPACED, "views", SPACED)


@pytest.mark.real_time
def test_a_run_and_a_page_view_are_told_apart(dashboard: Start) -> None:
    served = dashboard()
    with following(served) as told:
        served.store.add(made())
        wait_until(lambda: told.of("runs"))
        assert told.of("views") == []
        visited(served.store)
        wait_until(lambda: told.of("views"))
        assert len(told.of("runs")) == 1


@pytest.mark.thorough
@pytest.mark.real_time
def test_of_page_views_that_come_all_the_time_pages_are_told_every_few_seconds(dashboard: Start) -> None:
    served = dashboard()
    with following(served) as told:

        def told_three_times() -> bool:
            visited(served.store)
            return len(told.of("views")) >= 3

        wait_until(told_three_times)
        # The first is told at once, and each further one is kept back.
        assert told.of("views")[2] - told.of("views")[0] > 1.5 * SPACED


@pytest.mark.thorough
def test_the_page_about_users_shows_a_new_page_view_by_itself(dashboard: Start, chrome: Playwright) -> None:
    served = dashboard()
    visited(served.store)
    page = chrome.new_page()
    page.goto(f"{served.address}/users?range=1h")
    count = page.get_by_role("heading", level=2).first
    expect(count).to_have_text("1 page view, 1 session")
    expect(page.get_by_role("status")).to_have_text("live")
    visited(served.store)
    expect(count).to_have_text("2 page views, 2 sessions", timeout=20_000)
    # A page about runs does not ask again for what it does not show.
    page.goto(f"{served.address}/runs?range=1h")
    expect(page.get_by_role("status")).to_have_text("live")
    page.evaluate(HEAR)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    visited(served.store)
    page.wait_for_function("() => window.heard.includes('views')")
    let_pass(0.5, "the page must not ask for anything", page)
    assert [url for url in asked if not url.endswith("/events")] == []
    served.store.add(made())
    expect(page.get_by_role("main")).to_contain_text("buy", timeout=20_000)
    page.close()
