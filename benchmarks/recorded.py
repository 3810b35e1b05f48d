"""Visits as a site records them: the agent on its pages, the recorder that the agent loads, the collector that takes its chunks."""

from collections.abc import Callable

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import select

from reports.replay.chunk_store import ChunkStore
from reports.replay.recording import Recording, read_recording
from runner.browser.chromium import Browser
from runner.errors import RecordingError
from runner.store.tables.replays import replay_chunks
from tests.support.raw_http import CHROME
from tests.support.services.receiver import HIDE

PERSON = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });"
LONGEST = 50
"""Looks at what has come, until two in a row have seen the same."""


def line(collector: str) -> str:
    """What a page needs, to be recorded by the collector at an address."""
    return f'<script src="{collector}/agent.js" data-app="shop" data-replay="1" defer></script>'


def recorded(chunk_store: ChunkStore, browser: Browser, base_url: str, walk: Callable[[Page], None]) -> Recording:
    """What is stored of a walk by somebody who was never there before. Raises RecordingError when nothing has come."""
    known = _sessions(chunk_store)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=browser.path) as opened:
        context = opened.new_context(base_url=base_url, user_agent=CHROME)
        context.add_init_script(PERSON)
        page = context.new_page()
        page.set_default_timeout(20_000)
        walk(page)
        # Somebody reads the last page, and turns to another window.
        page.wait_for_timeout(1_000)
        for tab in context.pages:
            tab.evaluate(HIDE)
        seen = -1
        for _ in range(LONGEST):
            count = _chunks(chunk_store)
            if count == seen:
                break
            seen = count
            page.wait_for_timeout(400)
        context.close()
    new = _sessions(chunk_store) - known
    found = read_recording(chunk_store.store, chunk_store.folder, new.pop()) if len(new) == 1 else None
    if found is None:
        raise RecordingError(f"{len(new)} sessions have come of a visit to {base_url}")
    return found


def _sessions(chunk_store: ChunkStore) -> set[str]:
    with chunk_store.store.connected() as connection:
        return set(connection.execute(select(replay_chunks.c.session).distinct()).scalars())


def _chunks(chunk_store: ChunkStore) -> int:
    with chunk_store.store.connected() as connection:
        return len(connection.execute(select(replay_chunks.c.id)).all())
