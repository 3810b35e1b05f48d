"""What a session has begun ends with it: streams, downloads, open pages."""

import asyncio
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Playwright
from playwright.sync_api import expect

from reports.trace_viewer import viewer_folder
from reports.web.access import session_watch
from reports.web.access.session_watch import SessionWatch
from reports.web.access.users_file import read_users, write_users
from reports.web.pages import events
from tests.reports.web.test_access import PASSWORD, WITH_TOKEN, Clock, hashed, users
from tests.support.services.dashboard import TOKEN, Visited, made
from tests.support.thorough import thorough_but
from tests.support.wait import wait_until

__all__ = ["hashed", "users"]
Start = Callable[..., Visited]


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks more often."""
    monkeypatch.setattr(session_watch, "PERIOD", 0.1)
    monkeypatch.setattr(events, "LOOK", 0.2)


class Stream:
    """A stream of events that somebody follows."""

    def __init__(self, served: Visited, cookie: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", served.port)
        self._connection.request("GET", "/events", headers={"cookie": cookie})
        self.answer = self._connection.getresponse()
        assert self.answer.status == 200
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while self.answer.readline():
            pass
        self._connection.close()
        self.ended.set()


@pytest.mark.parametrize("how", thorough_but(2, ["signed out", "ended from elsewhere", "removed", "expired"]))
def test_a_stream_ends_with_its_session(dashboard: Start, users: Path, how: str) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    cookie, other = (served.sign_in(name="bob", password=PASSWORD) for _ in range(2))
    stays, ends = Stream(served, other), Stream(served, cookie)
    if how == "signed out":
        served.post("/sign-out", {}, cookie=cookie)
    elif how == "ended from elsewhere":
        page = served.get("/account", cookie=other).body.decode()
        (id_,) = re.findall(r'name="session" value="([0-9a-f]{64})"', page)
        served.post("/account/sessions/end", {"session": id_, "password": PASSWORD}, cookie=other)
    elif how == "removed":
        write_users(users, {name: one for name, one in read_users(users).items() if name != "bob"})
    else:
        later = datetime.now(UTC) + timedelta(hours=2)
        served.access._now = lambda: later
    wait_until(ends.ended.is_set)
    if how in {"signed out", "ended from elsewhere"}:
        served.store.add(made())
        assert not stays.ended.is_set()
        served.post("/sign-out", {}, cookie=other)
    wait_until(stays.ended.is_set)


def test_following_a_stream_is_not_to_use_a_session(dashboard: Start) -> None:
    served = dashboard(WITH_TOKEN)
    cookie = served.sign_in(token=TOKEN)
    began = datetime.now(UTC)
    served.access._now = lambda: began + timedelta(minutes=50)
    assert served.get("/account/session", cookie=cookie, accept="application/json").json()["seconds"] in range(590, 601)
    stream = Stream(served, cookie)
    # Opening the stream was a use.
    served.access._now = lambda: began + timedelta(minutes=105)
    assert served.get("/account/session", cookie=cookie, accept="application/json").json()["seconds"] in range(290, 301)
    assert not stream.ended.is_set()
    served.access._now = lambda: began + timedelta(minutes=111)
    wait_until(stream.ended.is_set)
    assert served.get("/account/session", cookie=cookie, accept="application/json").status == 401


def test_a_download_ends_with_its_session(dashboard: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def over(self: SessionWatch) -> bool:
        asked.append(1)
        return len(asked) > 1

    served = dashboard(WITH_TOKEN)
    cookie = served.sign_in(token=TOKEN)
    monkeypatch.setattr(SessionWatch, "is_over", over)
    connection = HTTPConnection("127.0.0.1", served.port)
    large = max(viewer_folder().rglob("*.js"), key=lambda one: one.stat().st_size)
    assert large.stat().st_size > 4 * 65_536
    connection.request("GET", f"/viewer/{large.relative_to(viewer_folder())}", headers={"cookie": cookie})
    answer = connection.getresponse()
    with closing(connection), pytest.raises(IncompleteRead) as caught:
        answer.read()
    assert len(caught.value.partial) == 65_536


def test_an_open_page_shows_nothing_once_its_session_is_over(dashboard: Start, users: Path, chrome: Playwright) -> None:
    served = dashboard({"JOURNEY_SERVE_USERS": str(users)})
    served.store.add(made())
    with chrome.new_context() as context:
        page, other = context.new_page(), context.new_page()
        page.clock.install()
        page.goto(f"{served.address}/sign-in?next=/runs%3Fstatus=passed")
        page.get_by_label("Name", exact=True).fill("bob")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("main")).to_contain_text("buy")
        page.clock.run_for(61_000)
        expect(page.get_by_role("main")).to_contain_text("buy")
        other.goto(served.address)
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        page.clock.run_for(61_000)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.url == f"{served.address}/sign-in?next=%2Fruns%3Fstatus%3Dpassed"
        assert "buy" not in page.content()
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_watch_asks_from_time_to_time_and_remembers_the_end() -> None:
    clock, asked, there = Clock(), [], [True]

    async def is_signed_in() -> bool:
        asked.append(clock.now)
        return there[0]

    async def look() -> list[bool]:
        watch = SessionWatch(is_signed_in, clock)
        seen = []
        for step in (0.0, 0.05, 0.06, 0.2, 0.2):
            clock.now += step
            seen.append(await watch.is_over())
            there[0] = len(seen) < 3
        return seen

    # Playwright's loop runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, look()).result() == [False, False, False, True, True]
    assert len(asked) == 2
