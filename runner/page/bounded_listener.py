"""Hearing what a page can say any number of times, without letting it hold up the journey.

A page writes 20,000 messages or throws as many errors in a second. To hear all of them takes ten times as long, in which the journey's
own calls wait.
"""

from collections.abc import Callable
from typing import Any, Literal

from playwright.sync_api import BrowserContext

BURST = 1_000
"""Events of one kind that are heard in one step."""


class BoundedListener:
    """Calls `hear` with each event of a context, at most BURST of them until `renew`; then calls `cut` once."""

    def __init__(
        self,
        context: BrowserContext,
        event: Literal["console", "weberror"],
        hear: Callable[[Any], None],
        cut: Callable[[], object] = lambda: None,
    ) -> None:
        self._context: Any = context  # for type checkers each event is another method
        self._event = event
        self._hear = hear
        self._cut = cut
        self._heard = 0
        self._listens = False
        self.renew()

    def renew(self) -> None:
        """A step begins: listens for as many events again."""
        self._heard = 0
        if not self._listens:
            self._listens = True
            self._context.on(self._event, self._take)

    def _take(self, what: object) -> None:
        self._heard += 1
        if self._heard <= BURST:
            self._hear(what)
        elif self._listens:
            self._listens = False
            # The driver sends no more console messages then.
            self._context.remove_listener(self._event, self._take)
            self._cut()
