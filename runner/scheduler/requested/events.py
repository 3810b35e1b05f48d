"""What happens in requested runs, recorded in the store for whoever follows them."""

import logging
import threading
from datetime import UTC, datetime

from runner.codec import encode
from runner.events import Moment, RunEnded, RunStarted, StepEnded, slim_step
from runner.store import Store, StoreDown
from runner.store.scheduling.requested_runs import MOST_EVENTS

MOST_KEPT = 5_000
"""Events that wait for a store that is down; later ones are dropped. The results are stored all the same."""
log = logging.getLogger("journey.schedule")


class EventRecorder:
    """Collects the events of the runs that it was given, until `flush` stores them. Any thread may call anything."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._waiting: list[tuple[str, int, datetime, str]] = []
        self.changed = threading.Event()
        """Set when there is something to store."""

    def follow(self, run: str, known: int = 0) -> None:
        """Records the events of this run from now on; another scheduler has recorded the first `known` of them."""
        with self._lock:
            self._numbers[run] = known

    def __call__(self, moment: Moment) -> None:
        """Listens to all runs."""
        if isinstance(moment, RunEnded):
            # The result itself is stored, and has everything.
            with self._lock:
                self._numbers.pop(moment.result.id, None)
            return
        data = encode(slim_step(moment) if isinstance(moment, StepEnded) else moment).decode()
        with self._lock:
            number = self._numbers.get(moment.run)
            if number is None or number >= MOST_EVENTS or len(self._waiting) >= MOST_KEPT:
                return
            if number and isinstance(moment, RunStarted):
                # That a run which was taken over has begun was recorded by the scheduler before.
                return
            self._numbers[moment.run] = number + 1
            self._waiting.append((moment.run, number, datetime.now(UTC), data))
        self.changed.set()

    def flush(self) -> None:
        """Stores what has been collected; keeps it while the store is down."""
        self.changed.clear()
        with self._lock:
            events, self._waiting = self._waiting, []
        if not events:
            return
        try:
            self._store.requested_runs.add_events(events)
        except StoreDown as error:
            log.warning("what happens in requested runs cannot be stored: %s", error)
            with self._lock:
                self._waiting = events + self._waiting
