"""Pushes that wait for a gateway that is away: the newest state of each journey, pushed in a thread of their own."""

import logging
import threading
from collections.abc import Callable
from typing import Literal

from runner.errors import PushError
from runner.metrics.pushgateway import delete_group, push_result
from runner.result import RunResult
from runner.settings.settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two tries while the gateway is away; doubled each time."""
Outcome = Literal["pushed", "failed", "replaced", "deleted"]
log = logging.getLogger("journey.push")


class PushQueue:
    """Pushes the newest result of each journey, in order, as soon as the gateway takes it.

    A result that waits is replaced by a newer one of its journey; the metrics carry the run's own times, so that what is
    pushed late never looks fresh. `told` hears the outcome of each, in the queue's thread.
    """

    def __init__(self, settings: Settings, told: Callable[[str, Outcome], None]) -> None:
        self._settings = settings
        self._told = told
        self._waiting: dict[str, RunResult | None] = {}
        """By journey; None asks for the group to be deleted."""
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="push", daemon=True)
        self._thread.start()

    def put(self, result: RunResult) -> None:
        """Has a result pushed."""
        self._put(result.journey, result)

    def delete(self, journey: str) -> None:
        """Has the group of a journey deleted."""
        self._put(journey, None)

    def _put(self, journey: str, what: RunResult | None) -> None:
        with self._changed:
            if self._waiting.pop(journey, None) is not None:
                self._told(journey, "replaced")
            self._waiting[journey] = what
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """How many journeys have a state that the gateway does not have."""
        return len(self._waiting)

    def stop(self, timeout: float) -> int:
        """Pushes what waits, for so many seconds at the most; returns how much was left."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return len(self._waiting)

    def _work(self) -> None:
        pause = FIRST_PAUSE
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                journey, what = next(iter(self._waiting.items()))
            try:
                self._send(journey, what)
                pause = FIRST_PAUSE
            except PushError as error:
                self._told(journey, "failed")
                log.warning("%s", error, extra={"journey": journey})
                with self._changed:
                    if self._stopping:
                        return
                    self._changed.wait_for(lambda: self._stopping, pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _send(self, journey: str, what: RunResult | None) -> None:
        if what is None:
            delete_group(journey, self._settings)
        else:
            push_result(what, self._settings)
        with self._changed:
            if self._waiting.get(journey) is what:
                del self._waiting[journey]
        self._told(journey, "deleted" if what is None else "pushed")
