"""The runs that somebody has asked for at this scheduler's location: found by a thread of its own, started by the daemon's loop."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from runner.archive.archive import Archive
from runner.dispatch.run_pool import RunPool
from runner.dsl.plan import Plan
from runner.errors import ConfigError
from runner.result import GIVEN_UP
from runner.scheduler.recovery import KILLED
from runner.scheduler.requested.events import EventRecorder
from runner.scheduler.requested.plan import find_refusal, plan_requested_run
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.timetable import Timetable
from runner.settings.settings import Settings
from runner.store import Store, StoreDown
from runner.store.scheduling.requested_runs import OrphanedRun, WaitingRun
from runner.workers.run_state import Slot

POLL = 1.0
"""Seconds between two looks for requests."""
FLUSH = 0.2
"""Seconds in which events are collected before they are stored."""
ORPHANS_EVERY = 10.0
"""Seconds between two looks for runs whose scheduler is gone."""
PRUNE_EVERY = 3_600.0
EVENTS_KEPT = timedelta(days=1)
log = logging.getLogger("journey.requests")


class RequestQueue:
    """Claims and starts requested runs. A requested run is not a slot: it goes beside its journey's schedule, and changes nothing there."""

    def __init__(
        self,
        timetable: Timetable,
        pipeline: ResultPipeline,
        settings: Settings,
        store: Store,
        archive: Archive,
        owner: str,
        wake: Callable[[], None],
    ) -> None:
        self._timetable = timetable
        self._pipeline = pipeline
        self._settings = settings
        self._store = store
        self._archive = archive
        self._owner = owner
        self._wake = wake
        self.recorder = EventRecorder(store)
        self._waiting: list[WaitingRun] = []
        self._alone = True
        """Whether no other scheduler could make what this one cannot."""
        self._orphans: list[OrphanedRun] = []
        self._uncertain: list[str] = []
        """Runs that did not begin because the store failed while they were claimed, which it may have done all the same."""
        self._had_turn = False
        """Whether a requested run was the last to start while scheduled ones waited."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="requests", daemon=True)

    def start(self) -> None:
        """Starts to look for requests."""
        self._thread.start()

    def stop(self) -> None:
        """Stores the last events and ends the thread. If it is busy for long, it ends with the process."""
        self._stopped.set()
        self.recorder.changed.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    # In the daemon's loop

    def start_runs(self, pool: RunPool, now: datetime, others_wait: bool) -> None:
        """Starts requested runs in idle workers, oldest first; while scheduled runs wait too, each kind has its turn."""
        self._finish_orphans(pool, now)
        for wanted in list(self._waiting):
            plan = self._timetable.find_plan(wanted.journey, wanted.location)
            # Workers elsewhere may not have been heard of yet: the run waits for them.
            browsers = pool.count if self._settings.dispatch == "local" else 1
            refusal = find_refusal(plan, wanted, self._settings.remote_base_urls, browsers)
            if plan is None or refusal:
                self._refuse(wanted, refusal, now)
                continue
            if not pool.can_start(plan):
                continue
            if others_wait and self._had_turn:
                self._had_turn = False
                return
            self._had_turn = others_wait
            self._discard(wanted)
            self._start(wanted, plan_requested_run(plan, wanted), pool, now)

    def _start(self, wanted: WaitingRun, plan: Plan, pool: RunPool, now: datetime) -> None:
        try:
            if not self._store.requested_runs.claim(wanted.id, self._owner, now):
                return
        except StoreDown as error:
            log.warning("%s", error)
            self._uncertain.append(wanted.id)
            return
        log.info("%s is run on demand (%s)", wanted.journey, wanted.reason, extra={"journey": wanted.journey, "run": wanted.id})
        self.recorder.follow(wanted.id)
        slot = Slot(None, wanted.id, wanted.made_at, wanted.reason)
        try:
            pool.start_run(plan, slot)
        except ConfigError as error:
            # Its folder cannot be created: the disk is full or read-only.
            self._pipeline.finish_without_worker(
                wanted.id, plan, None, wanted.made_at, "error", str(error), now, trigger=wanted.reason
            )

    def _discard(self, wanted: WaitingRun) -> None:
        # The thread may have put another list in the place of the one that was gone through.
        self._waiting = [one for one in self._waiting if one.id != wanted.id]

    def _refuse(self, wanted: WaitingRun, why: str, now: datetime) -> None:
        """Ends a run that no scheduler can make; where there are others, one of them may."""
        self._discard(wanted)
        if not self._alone:
            return
        try:
            self._store.requested_runs.close(wanted.id, "refused", why, now)
            log.warning("a run of %s was refused: %s", wanted.journey, why)
        except StoreDown as error:
            log.warning("%s", error)

    def _finish_orphans(self, pool: RunPool, now: datetime) -> None:
        """Gives each run whose scheduler was killed a result: the saved one if there is one, else an error."""
        orphans, self._orphans = self._orphans, []
        for orphan in orphans:
            folder = self._archive.folder_of(orphan.id)
            saved = self._archive.read(folder) if folder is not None else None
            plan = self._timetable.find_plan(orphan.journey, orphan.location)
            if saved is not None:
                self._pipeline.store_saved(saved.result, saved.folder)
            elif plan is not None and pool.adopt(plan, Slot(None, orphan.id, orphan.claimed_at, orphan.reason)):
                self.recorder.follow(orphan.id, orphan.events)
                log.info("run %s of %s goes on; the scheduler that had begun it is gone", orphan.id, orphan.journey)
            elif plan is not None:
                self._pipeline.finish_without_worker(
                    orphan.id,
                    plan,
                    None,
                    orphan.claimed_at,
                    "error",
                    KILLED,
                    now,
                    trigger=orphan.reason,
                    notes=(GIVEN_UP,) if self._store.shared else (),
                )
            else:
                try:
                    self._store.requested_runs.close(orphan.id, "refused", KILLED, now)
                except StoreDown as error:
                    log.warning("%s", error)

    # In the thread

    def _work(self) -> None:
        looked = orphans = float("-inf")
        pruned = time.monotonic()
        while not self._stopped.is_set():
            if self.recorder.changed.wait(POLL):
                self._stopped.wait(FLUSH)
                self.recorder.flush()
            now = time.monotonic()
            if now - looked < POLL:
                continue
            looked = now
            try:
                if now - orphans >= ORPHANS_EVERY:
                    orphans = now
                    self._orphans += self._store.requested_runs.adopt_orphans(self._owner)
                if now - pruned >= PRUNE_EVERY:
                    pruned = now
                    self._prune(datetime.now(UTC))
                self._look(datetime.now(UTC))
            except StoreDown as error:
                log.debug("%s", error)
            if self._waiting or self._orphans:
                self._wake()
        self.recorder.flush()

    def _look(self, now: datetime) -> None:
        requests = self._store.requested_runs
        while self._uncertain:
            requests.release(self._uncertain[0], self._owner)
            del self._uncertain[0]
        requests.expire(now)
        waiting = requests.waiting(self._timetable.served(self._settings.location))
        if waiting:
            self._alone = self._store.schedulers.count_live(self._settings.location, now) <= 1
        self._waiting = waiting

    def _prune(self, now: datetime) -> None:
        kept = timedelta(seconds=max(self._settings.keep_passed, self._settings.keep_failed))
        self._store.requested_runs.prune(now - kept, now - EVENTS_KEPT)
