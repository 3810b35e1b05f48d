"""Runs that have ended on their way to the store: each is stored before anything else happens with it."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from runner.archive.archive import Saved
from runner.result import RunResult
from runner.scheduler.results.retry_queue import RetryQueue
from runner.store import Store, StoreDown

PAUSE = 1.0
"""Seconds between two tries."""
log = logging.getLogger("journey.store")


class StoreQueue:
    """Stores runs; `stored` is called for each, in the queue's thread, when it is stored."""

    def __init__(self, store: Store, stored: Callable[[Saved], None]) -> None:
        self._store = store
        self._stored = stored
        self.down_since: float | None = None
        """When the store stopped working, by `time.monotonic()`; None while it works."""
        self._queue = RetryQueue[tuple[RunResult, Path | None]](
            "store",
            self._add,
            error=StoreDown,
            failed=self._note_failure,
            done=self._note_success,
            first_pause=PAUSE,
            longest_pause=PAUSE,
        )

    def put(self, result: RunResult, folder: Path | None) -> None:
        """Adds a run that is to be stored."""
        self._queue.put(result.id, (result, folder))

    @property
    def waiting(self) -> int:
        """The number of runs that are not stored yet."""
        return self._queue.waiting

    def stop(self, timeout: float) -> int:
        """Stores what waits, for at most `timeout` seconds; returns how many runs are left."""
        return self._queue.stop(timeout)

    def _add(self, _: str, run: tuple[RunResult, Path | None]) -> None:
        result, folder = run
        if self._store.add(result, folder) or result.assumed or not self._store.is_given_up(result.id):
            return
        # It was given up, here or by another scheduler while the database could not be reached from here.
        if self._store.replace(result, folder):
            log.info("the result of run %s of %s came after it had been given up: %s", result.id, result.journey, result.status)

    def _note_failure(self, _: str, error: Exception) -> None:
        if self.down_since is None:
            self.down_since = time.monotonic()
            log.error("%s; runs wait until it works again", error)

    def _note_success(self, _: str, run: tuple[RunResult, Path | None]) -> None:
        if self.down_since is not None:
            log.info("the store works again")
            self.down_since = None
        result, folder = run
        self._stored(Saved(result, folder or Path()))
