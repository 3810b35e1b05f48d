"""What a context's pages showed, recorded by rrweb in the page: small, and played in the dashboard without a video.

The recorder is an init script (runner/page/agent/src/journeyReplay.js). Its events come through a binding in pieces, which nothing
in the page waits for, and are put together when the attempt has ended. Everything typed is masked before it leaves the page.
"""

import gzip
import time
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Raw, Struct
from playwright.sync_api import BrowserContext, Page

from runner.artifacts.recorder import Recorded, Recorder, Workspace
from runner.browser.driver import playwright_internals as bridge
from runner.settings.artifact_kinds import Policy
from runner.untrusted_text import decode_json, encode_json

BINDING = "__journeyReplay"
CUSTOM = 5
"""rrweb's type of an event that is not its own."""
FLUSH = "() => globalThis.__journeyReplayFlush?.()"
PATIENCE = 2.0
"""Seconds that a busy page gets to hand over its last events."""
MOST = 50_000_000
"""Bytes of events of one page; the rest is not kept."""


class Chunk(Struct, frozen=True, kw_only=True):
    """A page's recording, in the form in which real users' browsers send theirs (docs/replay.md)."""

    version: int = 1
    app: str
    session: str = ""
    tab: str
    sequence: int = 0
    first: bool = True
    events: list[Raw]


_pieces = msgspec.json.Decoder(list[Raw])


class ReplayRecorder(Recorder):
    """A replay of each page."""

    def __init__(self, workspace: Workspace, policy: Policy) -> None:
        super().__init__(workspace, policy)
        self._replays: Replays | None = None

    def start(self, context: BrowserContext) -> None:
        self._replays = Replays(context)

    def stop(self, context: BrowserContext, kept: bool) -> None:
        if self._replays is not None and kept and not self.workspace.silent:
            self._replays.gather()

    def save(self) -> Iterator[Recorded]:
        if self._replays is None:
            return
        if self._replays.cut:
            self.workspace.notes.append("replay: not whole, a page changed more than is kept")
        for recording in self._replays.written(self.workspace.journey):
            yield Recorded(gzip.compress(self.workspace.redact_json(recording), 6))


class Replays:
    """The recordings of one attempt's pages. Raises FileNotFoundError in a bare checkout, where nothing has been built."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._events: dict[Page, list[Raw]] = {}
        self._sizes: dict[Page, int] = {}
        self.cut = False
        """True once a page had more to tell than is kept."""
        script = files("runner.page").joinpath("replay.js").read_text(encoding="utf-8")
        context.expose_binding(BINDING, lambda source, text: self._receive(source["page"], text))
        context.add_init_script(script)

    def _receive(self, page: Page, text: Any) -> None:
        size = self._sizes.get(page, 0) + len(text) if isinstance(text, str) else 0
        if not size or size > MOST:
            self.cut = self.cut or size > MOST
            return
        try:
            pieces = decode_json(text, _pieces)
        except msgspec.DecodeError:
            # The page's own scripts can call the binding too.
            return
        self._sizes[page] = size
        self._events.setdefault(page, []).extend(pieces)

    def gather(self) -> None:
        """Has the pages hand over what they still hold; to be called before the context is closed."""
        pages = [page for page in self._context.pages if not page.is_closed()]
        bridge.gather(self._context, [bridge.evaluate(page.main_frame, FLUSH) for page in pages], PATIENCE)
        # A page that stood still to the end is shown to the end: a failure often comes long after the last change.
        end = Raw(encode_json({"type": CUSTOM, "timestamp": time.time() * 1000, "data": {"tag": "end", "payload": {}}}))
        for page in pages:
            if len(self._events.get(page, ())) > 1:
                self._events[page].append(end)

    def written(self, journey: str) -> list[bytes]:
        """The recording of each page that showed something, as JSON; in the order in which the pages began."""
        return [
            encode_json(Chunk(app=journey, tab=f"page-{number}", events=events))
            for number, events in enumerate(self._events.values(), start=1)
            if len(events) > 1
        ]
