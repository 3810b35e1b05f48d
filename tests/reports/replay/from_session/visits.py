"""Visits to real pages in a real browser, recorded as the agent records them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from playwright.sync_api import Page, sync_playwright

from reports.replay.recording import Recording, Tab
from runner.browser.chromium import Browser
from tests.support.npm import INSTALL, build, node, npm
from tests.support.wait import rest

PROJECT = Path(__file__).parent / "recorder"
SCRIPT = PROJECT / "recorder.js"
P = ParamSpec("P")
T = TypeVar("T")


def aside(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Does what starts a Playwright in a thread of its own: in this one another test's may run, and there can be one in each."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, *given, **named).result()


def script() -> str:
    """The script that records, built when it is not there yet."""
    build(PROJECT, SCRIPT, npm(PROJECT, *INSTALL), node(PROJECT, "build.js"))
    return SCRIPT.read_text(encoding="utf-8")


def record(chromium: Browser, base_url: str, walk: Callable[[Page], None], mask_text: bool = False) -> Recording:
    """What is recorded of a walk; `mask_text` has all text of the pages masked."""
    return aside(_record, chromium, base_url, walk, mask_text)


def _record(chromium: Browser, base_url: str, walk: Callable[[Page], None], mask_text: bool) -> Recording:
    tabs: dict[Page, list[dict[str, Any]]] = {}

    def note(source: Any, event: str) -> None:
        tabs.setdefault(source["page"], []).append(json.loads(event))

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium.path) as browser:
        context = browser.new_context(base_url=base_url)
        context.expose_binding("recorded", note)
        context.add_init_script(f"window.maskText = {json.dumps(mask_text)};\n{script()}")
        page = context.new_page()
        page.set_default_timeout(20_000)
        walk(page)
        # The last changes are told of a moment after they are made.
        for one in context.pages:
            rest(one)
        context.close()
    found = tuple(Tab(id=f"tab-{number}", events=events) for number, events in enumerate(tabs.values()))
    return Recording(app="shop", session=str(uuid4()), tabs=found, gaps=())
