"""Background work on stored page views: added to the roll-ups, and removed when they expire.

Of several collectors on one database, one does it.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from reports.attempts import Attempts
from reports.collector.storage import retention
from reports.collector.storage.day_partitions import drop_first, make_days_ahead
from reports.collector.storage.retention import MINUTES, RetentionPolicy
from reports.collector.storage.rollup import roll_up
from reports.collector.storage.rollup_retention import prune_rollups_to_size
from runner.store import Store, StoreDown
from runner.store.bulk_insert import Link, Unstorable

ROLL = 5.0
"""Maximum seconds that the roll-ups lag behind while the store keeps up."""
PRUNE = 60.0
"""Seconds between two checks for expired rows."""
PRUNE_LABELS = 3600.0
WORK = "page views"
log = logging.getLogger("journey.collector")
Result = TypeVar("Result")


class StorageCleaner:
    """A thread; `turn` is held while it writes, so that it and the writer do not block each other's transactions."""

    def __init__(self, store: Store, turn: threading.Lock, keep: RetentionPolicy) -> None:
        self._store = store
        self._turn = turn
        self._keep = keep
        self._attempts = Attempts(log, StoreDown, Unstorable)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="tidy", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Brings the roll-ups up to date and ends."""
        self._closing.set()
        self._thread.join(30.0)

    def _work(self) -> None:
        link = Link(self._store)
        prune_at = labels_at = time.monotonic()
        closing = False
        while not closing:
            closing = self._closing.wait(ROLL)
            if not self._attempts.make(WORK, lambda: link.lead(WORK)):
                continue
            self._attempts.make("roll-ups", lambda: self._again(lambda: roll_up(link, self._turn, time.time() - MINUTES)))
            if time.monotonic() >= prune_at and not closing:
                prune_at = time.monotonic() + PRUNE
                self._attempts.make("retention", lambda: self._prune(link))
            if time.monotonic() >= labels_at and not closing:
                labels_at = time.monotonic() + PRUNE_LABELS
                if not link.sqlite:
                    self._attempts.make("partitions", lambda: make_days_ahead(link, time.time()))
                self._attempts.make(
                    "retention of labels", lambda: self._in_turn(lambda: retention.prune_labels(link, self._keep, time.time()))
                )
        link.close()

    def _prune(self, link: Link) -> None:
        self._again(lambda: self._in_turn(lambda: retention.prune_by_age(link, self._keep, time.time())))
        self._again(lambda: self._in_turn(lambda: retention.prune_to_size(link, self._keep)))
        if not link.sqlite:
            drop_first(link)
        self._again(lambda: self._in_turn(lambda: prune_rollups_to_size(link, self._keep.rollups_size, time.time())))

    def _again(self, some: Callable[[], int]) -> None:
        while some() and not self._closing.is_set():
            # Others are let in between two pieces.
            time.sleep(0.005)

    def _in_turn(self, some: Callable[[], Result]) -> Result:
        with self._turn:
            return some()
