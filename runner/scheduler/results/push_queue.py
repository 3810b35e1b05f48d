"""Results on their way to the Pushgateway: the newest state of each journey waits while the gateway cannot be reached."""

import logging
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from runner.errors import PushError
from runner.metrics.pushgateway import delete_group, push_result
from runner.result import RunResult
from runner.scheduler.results.retry_queue import RetryQueue
from runner.scheduler.slots import Key
from runner.settings.settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two tries while the gateway cannot be reached; doubled each time."""
Outcome = Literal["pushed", "failed", "replaced", "deleted"]
log = logging.getLogger("journey.push")


class _Group(Struct):
    """A group of metrics that is to be pushed, or, without a result, deleted."""

    key: Key
    result: RunResult | None


class PushQueue:
    """Pushes the newest result of each journey at each place as soon as the gateway accepts it.

    A waiting result is replaced by a newer one of its journey. The metrics carry the times of the run itself, so that a late push
    never looks fresh. `report` is called with the outcome of each push, mostly in the queue's thread.
    """

    def __init__(self, settings: Settings, report: Callable[[Key, Outcome], None]) -> None:
        self._settings = settings
        self._report = report
        self._queue = RetryQueue[_Group](
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
        self._put(Key(result.journey, result.location), result)

    def delete(self, key: Key) -> None:
        """Adds a journey at a place whose group is to be deleted from the gateway."""
        self._put(key, None)

    def _put(self, key: Key, result: RunResult | None) -> None:
        replaced = self._queue.put("\n".join(key), _Group(key, result))
        if replaced is not None and replaced.result is not None:
            self._report(key, "replaced")

    @property
    def waiting(self) -> int:
        """The number of journeys whose newest state the gateway does not have."""
        return self._queue.waiting

    def stop(self, timeout: float) -> int:
        """Pushes what waits, for at most `timeout` seconds; returns how many journeys are left."""
        return self._queue.stop(timeout)

    def _send(self, _: str, group: _Group) -> None:
        if group.result is None:
            delete_group(*group.key, self._settings)
        else:
            push_result(group.result, self._settings)

    def _note_failure(self, key: str, error: Exception) -> None:
        journey, location = key.split("\n")
        self._report(Key(journey, location), "failed")
        log.warning("%s", error, extra={"journey": journey})

    def _note_success(self, _: str, group: _Group) -> None:
        self._report(group.key, "deleted" if group.result is None else "pushed")
