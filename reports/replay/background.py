"""Removes expired recordings, and files without a row, in the background. Of several collectors on one database, one does it."""

import logging
import threading
import time

from reports.replay.chunk_store import ChunkStore
from runner.store import StoreDown
from runner.store.bulk_insert import Link

PRUNE = 60.0
"""Seconds between two checks for recordings that are too old or too many."""
SWEEP = 3600.0
WORK = "recordings"
log = logging.getLogger("journey.collector")


class RecordingCleaner:
    """A thread that keeps a chunk store within its limits until it is closed."""

    def __init__(self, chunk_store: ChunkStore, keep: float, size: int, events_size: int) -> None:
        self._chunk_store = chunk_store
        self._keep = keep
        self._size = size
        self._events_size = events_size
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="replays", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._closing.set()
        self._thread.join(30.0)

    def _work(self) -> None:
        link = Link(self._chunk_store.store)
        try:
            self._clean(link)
        finally:
            link.close()

    def _clean(self, link: Link) -> None:
        sweep_at = 0.0
        while True:
            try:
                leads = link.lead(WORK)
                while leads and self._chunk_store.prune(self._keep, self._size, time.time()) and not self._closing.is_set():
                    pass
                while leads and self._chunk_store.prune_events(self._events_size) and not self._closing.is_set():
                    pass
                if leads and time.monotonic() >= sweep_at:
                    sweep_at = time.monotonic() + SWEEP
                    self._chunk_store.sweep(time.time())
            except (StoreDown, OSError) as error:
                log.error("cannot remove recordings at the moment: %s", error)
            if self._closing.wait(PRUNE):
                return
