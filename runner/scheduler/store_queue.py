"""Stores what has ended, in a thread of its own: tried until it works, and nothing else happens with a run before."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from runner.archive.archive import Saved
from runner.result import RunResult
from runner.store import Store, StoreDown

PAUSE = 1.0
"""Seconds between two tries."""
log = logging.getLogger("journey.store")


class Keeper:
    """Stores runs in order; `stored` hears of each, in the keeper's thread, when it is safe."""

    def __init__(self, store: Store, stored: Callable[[Saved], None]) -> None:
        self._store = store
        self._stored = stored
        self._waiting: deque[tuple[RunResult, Path | None]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self.down_since: float | None = None
        """When the store stopped working, by `time.monotonic()`; None while it works."""
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    def put(self, result: RunResult, folder: Path | None) -> None:
        """Has a run stored."""
        with self._changed:
            self._waiting.append((result, folder))
            self._changed.notify()

    @property
    def waiting(self) -> int:
        """How many runs are not stored yet."""
        return len(self._waiting)

    def stop(self, timeout: float) -> int:
        """Stores what waits, for so many seconds at the most; returns how many runs were left."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return len(self._waiting)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                result, folder = self._waiting[0]
            try:
                self._store.add(result, folder)
            except StoreDown as error:
                if self.down_since is None:
                    self.down_since = time.monotonic()
                    log.error("%s; runs wait until it works again", error)
                with self._changed:
                    # One that the store does not take must not hold up the others.
                    self._waiting.rotate(-1)
                    if self._changed.wait_for(lambda: self._stopping, PAUSE):
                        return
                continue
            if self.down_since is not None:
                log.info("the store works again")
                self.down_since = None
            with self._changed:
                self._waiting.remove((result, folder))
            self._stored(Saved(result, folder or Path()))
