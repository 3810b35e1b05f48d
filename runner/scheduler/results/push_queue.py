"""Results on their way to the Pushgateway: the newest state of each journey waits while the gateway cannot be reached."""

import logging
from collections.abc import Callable
from typing import Literal

from runner.errors import PushError
from runner.metrics.pushgateway import delete_group, push_result
from runner.result import RunResult
from runner.scheduler.results.retry_queue import RetryQueue
from runner.settings.settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two tries while the gateway cannot be reached; doubled each time."""
Outcome = Literal["pushed", "failed", "replaced", "deleted"]
log = logging.getLogger("journey.push")


class PushQueue:
    """Pushes the newest result of each journey as soon as the gateway accepts it.

    A waiting result is replaced by a newer one of its journey. The metrics carry the times of the run itself, so that a late push
    never looks fresh. `report` is called with the outcome of each push, mostly in the queue's thread.
    """

    def __init__(self, settings: Settings, report: Callable[[str, Outcome], None]) -> None:
        self._settings = settings
        self._report = report
        self._queue = RetryQueue[RunResult | None](
            "push",
            self._send,
            error=PushError,
            failed=self._note_failure,
            done=self._note_success,
            first_pause=FIRST_PAUSE,
            longest_pause=LONGEST_PAUSE,
        )

    def put(self, result: RunResult) -> None:
        """Adds a result that is to be pushed."""
        self._put(result.journey, result)

    def delete(self, journey: str) -> None:
        """Adds a journey whose group is to be deleted from the gateway."""
        self._put(journey, None)

    def _put(self, journey: str, result: RunResult | None) -> None:
        if self._queue.put(journey, result) is not None:
            self._report(journey, "replaced")

    @property
    def waiting(self) -> int:
        """The number of journeys whose newest state the gateway does not have."""
        return self._queue.waiting

    def stop(self, timeout: float) -> int:
        """Pushes what waits, for at most `timeout` seconds; returns how many journeys are left."""
        return self._queue.stop(timeout)

    def _send(self, journey: str, result: RunResult | None) -> None:
        if result is None:
            delete_group(journey, self._settings)
        else:
            push_result(result, self._settings)

    def _note_failure(self, journey: str, error: Exception) -> None:
        self._report(journey, "failed")
        log.warning("%s", error, extra={"journey": journey})

    def _note_success(self, journey: str, result: RunResult | None) -> None:
        self._report(journey, "deleted" if result is None else "pushed")
