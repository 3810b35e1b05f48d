"""The recorded pages once more, in a Chromium without a network: there Playwright finds the locator of each element.

What is rebuilt was sent by an untrusted browser. rrweb puts it into a frame that runs no scripts; every request is refused, by the
page's content policy and by the browser's.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from reports.codegen.action import RecordedAction
from reports.codegen.locators import (
    MOST,
    Candidate,
    apply_locator,
    is_masked,
    list_candidates,
    locator_from_page,
    parse_locator,
)
from reports.codegen.rrweb.nodes import FULL, INCREMENTAL, MUTATION
from reports.replay.recording import Recording
from runner.authoring.recorder.code_format import quoted
from runner.browser.chromium import Browser, launch
from runner.errors import BrowserFailed, RecordingError

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SCRIPT = Path(__file__).with_name("rebuilding.js")
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline' data: blob:; img-src data: blob:; frame-src data: blob:"
PAGE = f'<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="{POLICY}"></head><body></body></html>'
OUTSIDE = 'locator("#rebuilt").content_frame'
"""How Playwright writes the frame that the page is rebuilt in."""
PATIENCE = 5_000.0
"""Milliseconds for one question to the page; it waits for nothing but itself."""
PASSED_OVER = {1, 3, 6, 12}
"""Sources of incremental events that change no element: pointers, scrolling, dragging."""


class Facts(Struct, frozen=True, kw_only=True):
    """What the rebuilt page says about an element."""

    frames: int = 0
    tag: str = ""
    type: str = ""
    field: str = ""
    """Its attribute `name`."""
    label: str = ""
    placeholder: str = ""
    method: str = ""
    """That of its form."""
    password: bool = False
    """Whether its form asks for a password."""
    submits: bool = False
    """Whether it sends its form."""


class Found(Struct, frozen=True):
    """The result of looking up an action's element."""

    facts: Facts = Facts()
    candidates: tuple[Candidate, ...] = ()
    """The best first; empty for an element that was not found again."""
    title: str = ""
    """That of the page."""
    headings: tuple[str, ...] = ()
    """Those that could be seen before the action."""
    next_is_there: bool = False
    """Whether the element of the tab's next action was in the page already, or may have been: in another document, ids are others."""


class Ending(Struct, frozen=True):
    """How a tab looked at its end."""

    title: str = ""
    headings: tuple[str, ...] = ()
    """Those that can be seen, and that are the only ones of their text; those that came last are first."""


class Rebuilt(Struct, frozen=True):
    """What was found for each action, in their order, and how each tab ended, by its number."""

    found: tuple[Found, ...]
    endings: dict[int, Ending]


def rebuild_pages(recording: Recording, actions: Sequence[RecordedAction], browser: Browser) -> Rebuilt:
    """Rebuilds each page as it was before each action.

    Raises BrowserFailed when Chromium does not start or dies, RecordingError when rrweb cannot play a tab.
    """
    from playwright.sync_api import Error as PlaywrightError
    from playwright.sync_api import sync_playwright

    # It plays what a stranger has recorded: the driver that is started from here gets no secret of this process.
    from runner.browser.driver import driver_environment  # noqa: F401

    found: dict[int, Found] = {}
    endings: dict[int, Ending] = {}
    with sync_playwright() as playwright:
        opened = launch(playwright, browser)
        try:
            with _page(opened) as page:
                for tab in sorted({one.tab for one in actions} | {one.opens for one in actions if one.opens is not None}):
                    try:
                        _tab(page, recording, tab, list(actions), found, endings)
                    except PlaywrightError as error:
                        if not opened.is_connected():
                            raise BrowserFailed(f"{browser.path} died while session {recording.session} was rebuilt") from error
                        raise RecordingError(
                            f"session {recording.session}: a tab of its recording cannot be rebuilt: {error.message.splitlines()[0]}"
                        ) from error
        finally:
            opened.close()
    return Rebuilt(tuple(found.get(number, Found()) for number in range(len(actions))), endings)


@cache
def _script() -> str:
    if not SCRIPT.is_file():
        raise RecordingError(
            f"{SCRIPT} is missing: it is built when the package is installed; install it again (docs/install.md)"
        )
    return SCRIPT.read_text(encoding="utf-8")


@contextmanager
def _page(browser: Any) -> "Iterator[Page]":
    context = browser.new_context(service_workers="block", accept_downloads=False, viewport={"width": 1280, "height": 900})
    context.route("**/*", lambda route: route.abort())
    context.set_offline(True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.set_content(PAGE)
    page.evaluate(_script())
    try:
        yield page
    finally:
        context.close()


def _tab(
    page: "Page",
    recording: Recording,
    tab: int,
    actions: list[RecordedAction],
    found: dict[int, Found],
    endings: dict[int, Ending],
) -> None:
    events = recording.tabs[tab].events
    # Places stay the same, so that an action's is still that of its event.
    kept = [(place, event) for place, event in enumerate(events) if not _is_passed_over(event)]
    page.evaluate("text => rebuildOpen(text)", json.dumps([event for _, event in kept]))
    seen: Counter[str] = Counter()
    mine = [one for one in sorted(enumerate(actions), key=lambda one: one[1].place) if one[1].tab == tab and one[1].node]
    before: tuple[Candidate, ...] = ()
    for (number, action), (_, later) in zip_longest(mine, mine[1:], fillvalue=(0, None)):
        if action is None:
            continue
        page.evaluate("place => rebuildSeek(place)", sum(place < action.place for place, _ in kept))
        headings = page.evaluate("() => rebuildHeadings()")
        seen.update(headings)
        fresh = later is not None and any(event["type"] == FULL for event in events[action.place : later.place])
        there = later is not None and (fresh or page.evaluate("id => rebuildHas(id)", later.node))
        found[number] = replace(_find(page, action, before), headings=tuple(headings), next_is_there=there)
        # The page before an act is there until it is answered: what finds the next element must find it alone there, too.
        before = _find(page, later).candidates if later is not None and there and not fresh else ()
    page.evaluate("place => rebuildSeek(place)", len(kept))
    after = page.evaluate("() => rebuildHeadings()")
    once = [text for text in after if after.count(text) == 1 and not is_masked(repr(text))]
    endings[tab] = Ending(page.evaluate("() => rebuildTitle()"), tuple(sorted(once, key=lambda text: seen[text])))


def _is_passed_over(event: dict[str, Any]) -> bool:
    source = (event.get("data") or {}).get("source")
    return bool(event["type"] == INCREMENTAL and source != MUTATION and source in PASSED_OVER)


def _find(page: "Page", action: RecordedAction, before: Sequence[Candidate] = ()) -> Found:
    """What finds an action's element; first what did so in the page `before` the last act, too."""
    marked = page.evaluate("id => rebuildMark(id)", action.node)
    title = page.evaluate("() => rebuildTitle()")
    if marked is None:
        left = [_unchecked(one) for one in list_candidates(action.said) if one.source == "noted"]
        return Found(candidates=tuple(left), title=title)
    facts = msgspec.convert(marked, Facts)
    frame = page.frame_locator("#rebuilt")
    for _ in range(facts.frames):
        frame = frame.frame_locator("[data-acted-on=frame]")
    marked = frame.locator("[data-acted-on=here]")
    candidates = list(_candidates(page, marked, action, facts))
    lasting = [one for one in before if one.checked and _hits(page, one.code)]
    candidates = [one for one in candidates if one in lasting] + lasting + candidates
    return Found(facts, tuple({one.code: one for one in reversed(candidates)}.values())[::-1][:MOST], title)


def _unchecked(one: Candidate) -> Candidate:
    """The same, for an element that is not there to be compared with."""
    return Candidate(one.code, one.source, checked=False)


def _candidates(page: "Page", marked: "Locator", action: RecordedAction, facts: Facts) -> Iterator[Candidate]:
    from playwright.sync_api import Error as PlaywrightError

    try:
        normalized = str(marked.normalize())
    except PlaywrightError:
        normalized = ""
    own = locator_from_page(normalized, OUTSIDE)
    usable = own is not None and not is_masked(own)
    inside = own is not None and ".content_frame" in own
    # Of an element in a frame only Playwright knows the way through the frame.
    others = [] if inside else [*list_candidates(action.said), *_of_field(facts)]
    for one in others:
        if one.source == "test id" and _hits(page, one.code):
            yield one
    if own is not None and usable and _hits(page, own):
        yield Candidate(own, "playwright")
    for one in others:
        if one.source == "test id":
            continue
        if _hits(page, one.code):
            yield one
        elif one.source == "noted" and not usable:
            # Its text is masked in the page, and was not where it was noted.
            yield _unchecked(one)
    if own is not None and usable and not _hits(page, own):
        yield Candidate(own, "playwright", checked=False)


def _of_field(facts: Facts) -> Iterator[Candidate]:
    sources = {"label": "get_by_label", "placeholder": "get_by_placeholder"}
    for source, method in sources.items():
        text = getattr(facts, source)
        if text and len(text) <= 80:
            yield Candidate(f"page.{method}({quoted(text)})", source)
    if facts.field and facts.tag in {"input", "textarea", "select"}:
        yield Candidate(f"page.locator({quoted(f'{facts.tag}[name={quoted(facts.field)}]')})", "attribute")


def _hits(page: "Page", code: str) -> bool:
    """Whether a locator finds the marked element in the rebuilt page, or one around it or in it that takes the same click, alone."""
    from playwright.sync_api import Error as PlaywrightError

    tree = parse_locator(code)
    if tree is None or is_masked(code):
        return False
    try:
        located = apply_locator(tree, page.frame_locator("#rebuilt"))
        if located.count() != 1:
            return False
        return bool(
            located.evaluate(
                "one => ['matches', 'closest', 'querySelector'].some(how => one[how]('[data-acted-on=here]'))", timeout=PATIENCE
            )
        )
    except PlaywrightError:
        return False
