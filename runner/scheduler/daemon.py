"""The daemon: starts each journey at its slots until it is stopped.

One loop in one thread waits for workers and for the clock. What can be slow (the database, the gateway, files that change) is
done in threads of their own, which wake the loop through a pipe.
"""

import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from runner.archive.archive import Archive
from runner.browser.chromium import Browser
from runner.dispatch.run_pool import RunPool
from runner.errors import DiscoveryError
from runner.events import Listener
from runner.result import RunResult
from runner.scheduler.capacity import CapacityLog, read_durations
from runner.scheduler.elsewhere import StrayIntake, handle_abandoned
from runner.scheduler.loader import LoadedJourneys, LoadRequest, load_in_subprocess
from runner.scheduler.location_health import LocationHealth, LocationMonitor, OwnLocation
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.recovery import finish_orphaned_runs, store_saved_runs
from runner.scheduler.requested.queue import RequestQueue
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.run_queue import RunQueue
from runner.scheduler.schedule_gauges import ScheduleGauges
from runner.scheduler.slots import SlotLedger
from runner.scheduler.timetable import Timetable
from runner.scheduler.watcher import Watcher
from runner.settings.parsers.values import Engine
from runner.settings.settings import Settings
from runner.store import Store, StoreDown
from runner.store.scheduling.slots import OpenSlot

CLOCK_JUMP = 5.0
"""Seconds of difference between the wall clock and the monotonic clock from which on the wall clock counts as set."""
STALLED = 30.0
"""Seconds without a turn of the loop from which on the daemon is not healthy."""
log = logging.getLogger("journey.schedule")


class Scheduler:
    """Runs journeys on their schedules until it is stopped."""

    def __init__(
        self,
        request: LoadRequest,
        settings: Settings,
        store: Store,
        archive: Archive,
        exporter: Exporter,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        everywhere: bool = False,
        health: LocationHealth | None = None,
        listeners: Sequence[Listener] = (),
        forgotten: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`everywhere`: the pool walks journeys at all places, and not only at that of this scheduler; `health` knows
        whether they have workers.

        `forgotten` gets the name of each journey that leaves the schedule.

        Raises ConfigError and DiscoveryError when no journey can be put on the schedule.
        """
        self._settings = settings
        self._store = store
        self._archive = archive
        self._exporter = exporter
        self._now = now
        self.owner = str(uuid4())
        """Its name among the schedulers that share a database or a broker."""
        self._broken: dict[Path, str] = {}
        self._stop_by: float | None = None
        self._turned = time.monotonic()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._pool: RunPool | None = None
        self._health = health
        self._locations: LocationMonitor | None = None
        self._timetable = Timetable(request.start, everywhere=everywhere)
        self._watcher = Watcher(request, settings, store, self.owner, self.wake)
        pause_reason = self._watcher.pause_reason
        self._ledger = SlotLedger(store, self.owner, exporter, pause_reason)
        self._pipeline = ResultPipeline(self._timetable, settings, store, archive, exporter, pause_reason, listeners, forgotten)
        self._requests = RequestQueue(self._timetable, self._pipeline, settings, store, archive, self.owner, self.wake)
        self._queue = RunQueue(self._timetable, self._ledger, self._pipeline, exporter, settings, pause_reason)
        self._strays = StrayIntake(store, archive, self._pipeline)
        self._gauges = ScheduleGauges(exporter, self._timetable, self._queue, self._pipeline, pause_reason)
        self._capacity = CapacityLog()
        loaded = load_in_subprocess(request)
        if loaded.unknown or not any(one.schedule for one in loaded.planned):
            problems = "\n".join([*loaded.unknown, *(problem.message for problem in loaded.problems)])
            raise DiscoveryError(problems or "no journey has a schedule; give one every='5m' or cron='*/5 * * * *'")
        self._report_problems(loaded, first=True)
        self._timetable.apply(loaded, self._now())
        if not self._timetable.entries:
            named = sorted({place for places in self._timetable.locations.values() for place in places})
            raise DiscoveryError(
                f"no journey is walked at {settings.location!r}: they name {', '.join(named)}; set location to one of them"
            )

    @property
    def count(self) -> int:
        """The number of journeys on the schedule."""
        return len(self._timetable.journeys)

    @property
    def needs_browser(self) -> bool:
        """Whether there are journeys on the schedule, and not only checks."""
        return bool(self.engines)

    @property
    def engines(self) -> frozenset[Engine]:
        """The engines of the browsers that the journeys on the schedule use."""
        return frozenset(entry.plan.browser for entry in self._timetable.entries.values() if entry.plan.kind == "journey")

    @property
    def journeys(self) -> frozenset[str]:
        """The names of the journeys on the schedule."""
        return frozenset(self._timetable.journeys)

    # What others may call, from any thread or signal handler

    def wake(self) -> None:
        """Ends the current wait of the loop."""
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            # The pipe is full: the loop is about to wake anyhow.
            return

    def stop(self, within: float) -> None:
        """Starts no more runs and gives those under way `within` seconds to end. A second call can shorten that."""
        self._stop_by = min(self._stop_by or float("inf"), time.monotonic() + within)
        self.wake()

    def reload(self) -> None:
        """Loads the journeys again."""
        self._watcher.reload()

    def healthy(self) -> str:
        """What is wrong with the daemon itself; empty when it is alive."""
        silent = time.monotonic() - self._turned
        return f"the loop has not turned for {silent:.0f} s" if silent > STALLED else ""

    def ready(self) -> str:
        """What keeps the daemon from its work; empty when nothing does."""
        if self._pool is None:
            return "the workers are not started yet"
        if not self._pipeline.store_works:
            waiting = self._pipeline.unstored
            return f"the store does not work; {waiting} {'run waits' if waiting == 1 else 'runs wait'} for it"
        return self._store.find_trouble() or self.healthy()

    # The loop

    def run(self, pool: RunPool, browser: Browser | None, *, once: bool = False) -> list[RunResult]:
        """Runs until `stop`, or, with `once`, until all that is due now has ended; then returns the results of those runs."""
        results: list[RunResult] = []
        if once:
            self._pipeline.collected = results
        now = self._now()
        self._store.schedulers.register(self.owner, socket.gethostname(), os.getpid(), self._settings.location, now)
        self._recover(pool, now)
        self._pipeline.stored = pool.confirm
        pool.open(browser, self._settings, self._archive, (self._requests.recorder, *self._pipeline.listeners))
        pool.recycle_after(self._settings.worker_runs, self._settings.worker_memory)
        self._pool = pool
        own = OwnLocation(self._settings.location, pool, self._queue)
        health = self._health or (pool if isinstance(pool, LocationHealth) else own)
        self._locations = LocationMonitor(
            self._store, self.owner, self._timetable, self._exporter, self._pipeline.evaluator, health
        )
        self._locations.beat(now)
        self._watcher.beats.append(self._locations.beat)
        self._watcher.start()
        if not once:
            self._requests.start()
        self._pipeline.durations = read_durations(self._store, self._timetable.entries)
        self._queue.catch_up(now, once)
        wall, steady = now, time.monotonic()
        try:
            while True:
                now, self._turned = self._now(), time.monotonic()
                self._detect_clock_jump(now, (now - wall).total_seconds() - (self._turned - steady))
                wall, steady = now, self._turned
                self._apply_news(pool, now)
                if self._stop_by is not None:
                    self._queue.miss_all("stopped", now)
                    pool.revoke_runs()
                elif not once:
                    self._queue.enqueue_due(now)
                if self._stop_by is None:
                    self._requests.start_runs(pool, now, self._queue.has_due(now))
                self._queue.start_runs(pool, now)
                handle_abandoned(pool.take_abandoned(), self._store, self._timetable, self._pipeline, self._ledger, now)
                self._strays.take(pool)
                self._ledger.retry()
                self._gauges.update(pool, now, self._turned)
                # Without workers there are only checks, or no worker elsewhere was heard of yet.
                if self._pipeline.take_news() and pool.count:
                    self._capacity.check(self._timetable.journey_schedules, self._pipeline.durations, pool.count, now)
                if (once or self._stop_by is not None) and not pool.running and not self._queue.waiting:
                    break
                if self._stop_by is not None and time.monotonic() >= self._stop_by:
                    break
                if pool.poll(self._seconds_to_wait(now), [self._wake_read]):
                    os.read(self._wake_read, 4096)
        finally:
            self._close(pool)
        return results

    def _recover(self, pool: RunPool, now: datetime) -> None:
        """Completes what an earlier scheduler has left."""
        store_saved_runs(self._store, self._archive)
        alone = not self._store.shared
        self._finish_orphaned_runs(self._store.schedulers.adopt_orphans(self.owner, now, alone), pool, now)
        self._pipeline.restore()

    def _close(self, pool: RunPool) -> None:
        """Ends everything, in a bounded time."""
        left = pool.cancel_runs("the scheduler was stopped while the run was under way")
        self._watcher.stop()
        self._pipeline.stop()
        self._requests.stop()
        try:
            self._ledger.record_waiting()
            if left:
                log.info("%d %s on; the next scheduler takes in the results", left, "run goes" if left == 1 else "runs go")
            else:
                self._store.schedulers.unregister(self.owner)
            if self._locations is not None:
                self._locations.stop()
        except StoreDown as error:
            log.warning("%s", error)

    def _seconds_to_wait(self, now: datetime) -> float:
        upcoming = self._queue.seconds_until_next(now)
        # At most a second, as the wall clock may be set meanwhile.
        wait = 1.0 if upcoming is None else min(upcoming, 1.0)
        if self._stop_by is not None:
            wait = min(wait, self._stop_by - time.monotonic())
        return max(wait, 0.0)

    def _detect_clock_jump(self, now: datetime, drift: float) -> None:
        if abs(drift) < CLOCK_JUMP:
            return
        log.warning("the clock was set %s by %.0f s", "forward" if drift > 0 else "back", abs(drift))
        if drift < 0:
            self._timetable.restart_at(now)

    # What the watcher has found

    def _apply_news(self, pool: RunPool, now: datetime) -> None:
        loaded = self._watcher.take_loaded()
        if loaded is not None:
            self._apply_journeys(pool, loaded, now)
        self._finish_orphaned_runs(self._watcher.take_orphans(), pool, now)

    def _finish_orphaned_runs(self, orphans: Sequence[OpenSlot], pool: RunPool, now: datetime) -> None:
        finish_orphaned_runs(orphans, self._timetable, self._archive, self._pipeline, self._ledger, pool, now)

    def _apply_journeys(self, pool: RunPool, loaded: LoadedJourneys, now: datetime) -> None:
        """Puts the loaded journeys on the schedule, and takes those that are gone off it."""
        self._report_problems(loaded, first=False)
        changes = self._timetable.apply(loaded, now)
        for entry in changes.removed:
            self._queue.discard(entry)
            pool.revoke_runs(entry.name, entry.plan.location)
            self._pipeline.forget(entry.key)
            log.info("%s is no longer on the schedule", entry.label, extra={"journey": entry.name})
        if self._settings.dispatch == "local" and not pool.count and self.needs_browser:
            log.error("there are journeys on the schedule now, and this scheduler was started for checks only: restart it")
        for entry in changes.added:
            log.info("%s is on the schedule", entry.label, extra={"journey": entry.name})
        for before, after in changes.releases:
            log.info("the release changed from %s to %s", before or "none", after or "none")
        log.info("the files were read again; %d %s on the schedule", self.count, "journey" if self.count == 1 else "journeys")

    def _report_problems(self, loaded: LoadedJourneys, first: bool) -> None:
        """Logs, counts and alerts of files that have become broken or can be used again."""
        broken = {problem.file: problem.message for problem in loaded.problems}
        for file, message in broken.items():
            if self._broken.get(file) != message:
                log.error("%s%s", message, "" if first else "; what it held before stays on the schedule")
        for file in self._broken.keys() - broken.keys():
            log.info("%s can be used again", file)
        self._broken = broken
        self._exporter.broken_files.set(len(broken))
        try:
            self._pipeline.alert_files(list(broken.values()))
        except StoreDown as error:
            self._ledger.back_off(error)
