"""Recordings of pages in a real browser, taken in by a real collector."""

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page
from sqlalchemy import text

from reports.replay.chunk_store import FOLDER, ChunkStore
from reports.replay.recording import ChunkRow, Recording, read_chunk_rows, read_recording
from reports.web.routes import page_routes
from reports.web.server.bounded_http import ConnectionGuard
from reports.web.server.composite import build_application
from reports.web.server.server import Server, open_socket
from reports.web.site import Site as Dashboard
from runner.archive.archive import Archive
from runner.store import Store
from tests.reports.collector.test_browser import site as site
from tests.support.asking import ask
from tests.support.browsers import chrome as chrome
from tests.support.browsers import driver as driver
from tests.support.raw_http import CHROME
from tests.support.services.collector import Served
from tests.support.services.collector import served as served
from tests.support.services.databases import copied
from tests.support.services.receiver import HIDE
from tests.support.wait import wait_until


class Recorder:
    """A collector that takes recordings, and what it has of them."""

    def __init__(self, collector: Served, store: Store, chunk_store: ChunkStore) -> None:
        self.collector = collector
        self.address = collector.address
        self.store = store
        self.chunk_store = chunk_store

    def line(self, replay: str = "1", **data: str) -> str:
        """The line that embeds the agent."""
        attributes = {"app": "shop", "replay": replay, **{name.replace("_", "-"): value for name, value in data.items()}}
        written = " ".join(f'data-{name}="{value}"' for name, value in attributes.items() if value is not None)
        return f'<script src="{self.address}/agent.js" {written} defer></script>'

    @property
    def rows(self) -> list[ChunkRow]:
        """The chunks that have come, of all sessions."""
        with self.store.connected() as connection:
            sessions = connection.execute(text("SELECT DISTINCT session FROM replay_chunks")).scalars().all()
        return [row for session in sessions for row in ask(self.store, read_chunk_rows, session)]

    @property
    def recordings(self) -> list[Recording]:
        """What has come, read again."""
        found = [
            read_recording(self.store, self.chunk_store.folder, session)
            for session in dict.fromkeys(row.session for row in self.rows)
        ]
        return [one for one in found if one is not None]

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events."""
        return [event for one in self.recordings for tab in one.tabs for event in tab.events]

    def tagged(self, tag: str) -> list[dict[str, Any]]:
        """What our own events of a kind hold."""
        return [event["data"]["payload"] for event in self.events if event["type"] == 5 and event["data"]["tag"] == tag]

    def bytes(self) -> bytes:
        """Every byte that is stored, unpacked: of files, and of rows."""
        files = b"".join(gzip.decompress(file.read_bytes()) for file in sorted(self.chunk_store.folder.rglob("*.json.gz")))
        return files + msgspec.json.encode(self.rows)

    def wait_for_events(self, wanted: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """All events, once those that are wanted are among them."""
        wait_until(lambda: wanted(self.events))
        return self.events


@pytest.fixture
def chunk_store(tmp_path: Path, empty: Path) -> Iterator[ChunkStore]:
    """An empty one."""
    with Store(copied(empty, tmp_path)) as store:
        yield ChunkStore(store, tmp_path / "runs" / FOLDER)


@pytest.fixture
def recorder(served: Callable[..., Served], chunk_store: ChunkStore) -> Recorder:
    """A collector that takes recordings of pages of this machine."""
    return Recorder(served("", chunk_store=chunk_store), chunk_store.store, chunk_store)


@pytest.fixture
def visitor(chrome: Browser) -> Iterator[BrowserContext]:
    """A visitor with an empty browser, who looks like a person."""
    context = chrome.new_context(user_agent=CHROME)
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });")
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A tab of the visitor's; no error of ours ever reaches it."""
    tab = visitor.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(f"{error} {error.stack}"))
    yield tab
    assert not [error for error in errors if "agent.js" in error or "replay.js" in error]


def hurry(page: Page) -> None:
    """What a page does every so often it does five times as often: the recorder looks at its bounds each second, not every five."""
    page.add_init_script(
        "const own = setInterval; globalThis.setInterval = (work, pause, ...more) => own(work, pause / 5, ...more);"
    )


def hide(page: Page) -> None:
    """Puts the tab into the background: what is not sent yet is sent."""
    page.evaluate(HIDE)


class Pages:
    """The dashboard's pages as a part of an application."""

    direct: Mapping[str, Any] = {}

    def __init__(self, site: Dashboard) -> None:
        self.routes = page_routes(site)


@pytest.fixture
def dashboard(chunk_store: ChunkStore) -> Iterator[str]:
    """The dashboard over the same store; its address."""
    site = Dashboard(store=chunk_store.store, archive=Archive(chunk_store.folder.parent))
    listening = open_socket("127.0.0.1:0")
    port = listening.getsockname()[1]
    server = Server(build_application([Pages(site)]), ConnectionGuard(lambda _: None))
    thread = threading.Thread(target=server.serve_until_stopped, args=(listening,))
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()
    thread.join(20)


def played(page: Page, address: str) -> FrameLocator:
    """The recorded page in the player, once it is there."""
    page.goto(address)
    page.locator("html[data-replay=ready]").wait_for(timeout=60_000)
    return page.frame_locator(".stage iframe")
