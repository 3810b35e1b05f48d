"""Chromium's own profilers in all sessions of a browser context: coverage, CPU, metrics (see instruments.cjs)."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from runner.browser.driver import event_waits
from runner.browser.driver import playwright_internals as bridge
from runner.browser.driver.page_channel import open_session

PATIENCE = 15.0
"""Seconds that all sessions have to answer; the driver gives up on each of them after 10."""
Command = tuple[str, Mapping[str, Any]]
"""A method of the DevTools protocol, and its parameters."""


class SessionAnswer(Struct, frozen=True):
    """What one session, a page or a frame with a process of its own, has answered."""

    id: int
    answers: list[dict[str, Any] | None]
    """To each command; None for what it refused, or did not answer in time."""
    events: list[tuple[str, dict[str, Any]]] = []


class Instruments:
    """One use of the protocol in a context. To be made before its first page, or it misses the pages that are there."""

    def __init__(self, context: BrowserContext, name: str, commands: Sequence[Command], events: Sequence[str] = ()) -> None:
        """Each session gets the commands before it loads anything, and keeps the events for `collect`. Raises playwright's Error where
        the browser or the driver cannot do that."""
        if context.browser is None or not event_waits.is_preloaded():
            tested = ", ".join(".".join(map(str, one)) for one in event_waits.TESTED)
            raise PlaywrightError(f"that has been tested with Playwright {tested} and Chromium, started by the runner")
        self._context = context
        self._place = {"context": bridge.find_guid(context), "name": name}
        self._session = open_session(context.browser)
        self._ask("Journey.instrument", {"commands": [list(one) for one in commands], "events": list(events)})

    def collect(self, *commands: Command) -> list[SessionAnswer]:
        """Sends the commands to all sessions that there have been. Raises playwright's Error or TimeoutError."""
        told = self._ask("Journey.collect", {"commands": [list(one) for one in commands]})
        return [
            SessionAnswer(one["id"], one["answers"], [(name, about) for name, about in one["events"]])
            for one in told["sessions"]
        ]

    def _ask(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        call = bridge.send(self._session, method, {**self._place, **parameters})
        (answer,) = bridge.gather(self._context, [call], PATIENCE)
        if isinstance(answer, Exception):
            raise PlaywrightError(str(answer) or "the browser did not answer in time") from answer
        return dict(answer)
