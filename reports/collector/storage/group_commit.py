"""Stores beacons in groups: while one group is committed the next gathers, so many beacons share a commit."""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self

from msgspec import Struct

from reports.collector.accepted_beacon import Arrival
from reports.collector.storage.background import StorageCleaner
from reports.collector.storage.beacon_batch import QuickBacks, store_beacons
from reports.collector.storage.retention import RetentionPolicy
from reports.collector.storage.series import Directory
from runner.errors import JourneyError
from runner.store import Store, StoreDown
from runner.store.bulk_insert import Link, Unstorable

GATHER = 0.005
"""Seconds that a group gathers after its first beacon …"""
ENOUGH = 128
"""… or until so many are there. A beacon in a group of 200 costs half of one in a group of 50."""
SLICE = 0.001
LARGEST = 512
"""Beacons in one group."""
PAUSE = 1.0
"""Seconds after a failure in which beacons are rejected at once, before the store is tried again."""
PROBED = 1.0
"""Seconds for which the answer holds whether the database works: anybody may ask."""
PATIENCE = 5.0
"""Seconds after which callers no longer wait for a commit."""
log = logging.getLogger("journey.collector")

Outcome = bool | Exception


class Busy(JourneyError):
    """More beacons wait to be stored than are let in; the sender is to try again later."""

    exit_code = 3


class Waiting(Struct, gc=False):
    """A beacon and its waiter: a future of an event loop, or of a thread if there is no loop."""

    arrival: Arrival
    future: Any
    loop: asyncio.AbstractEventLoop | None


class Writer:
    """One thread that stores what it is given, in order.

    A beacon of which `put` returns is on the disk, and in the roll-ups soon; one of which it raises may come again. Raises
    StoreDown and ConfigError when it is made for a database that does not work.
    """

    def __init__(self, url: str, *, keep: RetentionPolicy | None = None, largest_queue: int = 10_000) -> None:
        self._store = Store(url)
        self._largest_queue = largest_queue
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._under_way: Sequence[Waiting] = ()
        self._since: float | None = None
        self._down: StoreDown | None = None
        self._again_at = 0.0
        self._closing = threading.Event()
        self.batches = 0
        """How many groups have been committed."""
        self.stored = 0
        """How many beacons were in them, without those that came again."""
        self.last_batch = 0
        """How many beacons the last of them had."""
        self.quick_backs: QuickBacks = Counter()
        """All since the start."""
        self.commit_seconds = 0.0
        """How long all of them have taken, from the first row to the end of the commit."""
        self._probe = threading.Lock()
        self._probed_at = 0.0
        self._trouble = ""
        turn = threading.Lock()
        self._tidy = StorageCleaner(self._store, turn, keep or RetentionPolicy())
        self._thread = threading.Thread(target=self._work, args=(turn,), name="writer", daemon=True)
        self._watch = threading.Thread(target=self._look, name="writer-watch", daemon=True)
        self._thread.start()
        self._watch.start()

    @property
    def waiting(self) -> int:
        """How many beacons are not committed yet."""
        return self._queue.qsize() + len(self._under_way)

    @property
    def down(self) -> str | None:
        """Why the store does not work at the moment; None while it does."""
        return str(self._down) if self._down else None

    def find_trouble(self) -> str:
        """Why nothing can be stored at the moment; empty if it can. It may wait for the database."""
        if not self._probe.acquire(timeout=PROBED):
            # Not as many threads as there are people who ask.
            return self._trouble or f"the database {self._store.shown} has not answered for {PROBED:g} s"
        try:
            if time.monotonic() - self._probed_at > PROBED:
                self._trouble = self._store.find_trouble()
                self._probed_at = time.monotonic()
            return self._trouble
        finally:
            self._probe.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stores what waits, brings the roll-ups up to date, and lets go of the database."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._queue.put(None)
        self._thread.join(PATIENCE * 2)
        self._watch.join()
        self._tidy.close()
        self._store.close()

    async def put(self, arrival: Arrival) -> bool:
        """Returns when the beacon is committed: True, or False when one of this id was stored before.

        Raises StoreDown when the database cannot be used, Busy when too many wait, Unstorable when this one will never be taken.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        self._enter(Waiting(arrival, future, loop))
        return await future

    def put_blocking(self, arrival: Arrival) -> bool:
        """As `put`, for a thread without an event loop."""
        future: Future[bool] = Future()
        self._enter(Waiting(arrival, future, None))
        return future.result()

    def _enter(self, waiting: Waiting) -> None:
        # After a failure one group at a time tries it again.
        if self._down is not None and (time.monotonic() < self._again_at or self._since is not None):
            raise StoreDown(str(self._down))
        if self._closing.is_set():
            raise StoreDown("the collector is being stopped")
        if self._queue.qsize() >= self._largest_queue:
            raise Busy(f"{self._largest_queue} beacons wait to be stored")
        self._queue.put(waiting)

    # In the writer's thread

    def _work(self, turn: threading.Lock) -> None:
        link, directory = Link(self._store), Directory()
        going = True
        while going:
            group, going = self._gather()
            if group:
                self._under_way = group
                self._since = time.monotonic()
                with turn:
                    outcomes = self._commit(link, directory, [one.arrival for one in group])
                self._since = None
                _tell(group, outcomes)
                self._under_way = ()
        link.close()

    def _gather(self) -> tuple[list[Waiting], bool]:
        first = self._queue.get()
        if first is None:
            return [], False
        group = [first]
        until = time.monotonic() + GATHER
        while self._queue.qsize() < ENOUGH and time.monotonic() < until and not self._closing.is_set():
            time.sleep(SLICE)
        while len(group) < LARGEST:
            try:
                one = self._queue.get_nowait()
            except Empty:
                break
            if one is None:
                return group, False
            group.append(one)
        return group, True

    def _commit(self, link: Link, directory: Directory, arrivals: Sequence[Arrival]) -> Sequence[Outcome]:
        began = time.perf_counter()
        try:
            outcomes = _store(link, directory, arrivals, self.quick_backs)
        except StoreDown as error:
            if self._down is None:
                log.error("%s; beacons are rejected until it works again", error)
            self._again_at = time.monotonic() + PAUSE
            self._down = error
            return [error] * len(arrivals)
        if self._down is not None:
            log.info("the store works again")
            self._down = None
        self.batches += 1
        self.last_batch = len(arrivals)
        self.stored += sum(outcome is True for outcome in outcomes)
        self.commit_seconds += time.perf_counter() - began
        return outcomes

    # In the watch's thread

    def _look(self) -> None:
        while not self._closing.wait(0.5):
            since = self._since
            if since is not None and time.monotonic() - since > PATIENCE:
                error = StoreDown(f"the database {self._store.shown} has not answered for {PATIENCE:g} s")
                self._down, self._again_at = error, time.monotonic() + PAUSE
                left = list(self._under_way)
                while not self._closing.is_set() and not self._queue.empty():
                    one = self._queue.get()
                    left += [one] if one else []
                _tell(left, [error] * len(left))


def _store(link: Link, directory: Directory, arrivals: Sequence[Arrival], quick_backs: QuickBacks) -> Sequence[Outcome]:
    """All in one transaction; if one of them is not taken, those around it in one of their own."""
    try:
        with link.transaction():
            found: QuickBacks = Counter()
            outcomes: list[Outcome] = list(store_beacons(link, directory, arrivals, found))
    except StoreDown:
        directory.undo()
        raise
    except Exception as error:
        directory.undo()
        if len(arrivals) > 1:
            half = len(arrivals) // 2
            parts = (arrivals[:half], arrivals[half:])
            return [outcome for part in parts for outcome in _store(link, directory, part, quick_backs)]
        # It is raised again in the caller whose beacon it is.
        if not isinstance(error, Unstorable):
            log.exception("beacon %s cannot be stored", arrivals[0].beacon.id)
        return [error]
    directory.settle()
    quick_backs.update(found)
    return outcomes


def _tell(group: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    """Wakes the waiters: each event loop once for all of its own."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Any, Outcome]]] = {}
    for one, outcome in zip(group, outcomes, strict=True):
        if one.loop is None:
            _settle([(one.future, outcome)])
        else:
            by_loop.setdefault(one.loop, []).append((one.future, outcome))
    for loop, settled in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, settled)
        except RuntimeError:
            # The loop has been closed, and with it all who waited.
            continue


def _settle(settled: Sequence[tuple[Any, Outcome]]) -> None:
    for future, outcome in settled:
        if future.done():
            continue
        try:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        except InvalidStateError:
            # The watch has just reported it.
            continue
