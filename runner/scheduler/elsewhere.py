"""Runs elsewhere that do not come back as they were sent: given up, taken in by another scheduler, late, or delivered twice."""

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from runner.archive.archive import Archive
from runner.archive.assumed_runs import AssumedRuns
from runner.dispatch.run_pool import Abandoned, RunPool
from runner.dispatch.save_result import save_result
from runner.events import RunEnded
from runner.result import GIVEN_UP, RunResult
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.slots import Key, SlotLedger
from runner.scheduler.timetable import Timetable
from runner.store import Store, StoreDown

RETRY = 5.0
"""Seconds in which a database that does not work is not asked again."""
REMOVAL_PERIOD = 600.0
"""Seconds between two removals of what was assumed."""
log = logging.getLogger("journey.schedule")


def handle_abandoned(
    abandoned: Iterable[Abandoned],
    store: Store,
    timetable: Timetable,
    pipeline: ResultPipeline,
    ledger: SlotLedger,
    now: datetime,
) -> None:
    """Gives each run of which nothing more is expected a result that says so, or its slot the reason for which it was missed."""
    for one in abandoned:
        entry = timetable.entries.get(Key(one.plan.journey, one.plan.location))
        if entry is not None and one.slot.at is not None:
            entry.busy = False
        if one.taken_elsewhere or _is_stored(store, one.run):
            continue
        if one.nobody_there and one.slot.at is not None:
            ledger.close_missed(one.plan.journey, one.run, "no worker")
        else:
            pipeline.finish_without_worker(
                one.run, one.plan, one.slot.at, one.started_at, one.status, one.message, now, one.slot.trigger, (GIVEN_UP,)
            )


def _is_stored(store: Store, run: str) -> bool:
    try:
        return not store.missing([run])
    except StoreDown as error:
        log.warning("%s", error)
        return False


class AssumedRunRemoval:
    """Removes what is saved here of runs that were given up and whose own result another scheduler has stored."""

    def __init__(self, store: Store, runs: Path) -> None:
        self._store = store
        self._assumed = AssumedRuns(Archive(runs))
        self._next = -float("inf")

    def beat(self, _: datetime) -> None:
        """Looks now and then, at the first call too. Raises StoreDown."""
        if time.monotonic() < self._next:
            return
        try:
            runs = set(self._assumed.list())
            # What is not stored yet waits for the store.
            replaced = runs - self._store.given_up_among(runs) - self._store.missing(runs) if runs else set()
            if count := self._assumed.remove(replaced):
                log.info("removed what had been assumed of %d %s", count, "run" if count == 1 else "runs")
        except OSError as error:
            log.warning("what was assumed of runs that have a result cannot be removed: %s", error)
        self._next = time.monotonic() + REMOVAL_PERIOD


class StrayIntake:
    """Takes in results that were not expected, or no longer: once each, in place of what was stored when their runs were given up.

    While the store is down they wait; the broker keeps them too.
    """

    def __init__(self, store: Store, archive: Archive, pipeline: ResultPipeline) -> None:
        self._store = store
        # Nothing is uploaded from here: the worker has done it.
        self._archive = Archive(archive.folder)
        self._pipeline = pipeline
        self._waiting: list[RunResult] = []
        self._failed_at = -RETRY

    def take(self, pool: RunPool) -> None:
        """Takes in what has come since the last call, and what waits."""
        self._waiting += pool.take_strays()
        while self._waiting and time.monotonic() - self._failed_at > RETRY:
            try:
                self._take_in(self._waiting[0], pool)
            except StoreDown as error:
                self._failed_at = time.monotonic()
                log.error("%s", error)
                return
            del self._waiting[0]

    def _take_in(self, result: RunResult, pool: RunPool) -> None:
        if self._store.missing([result.id]):
            saved, folder = save_result(self._archive, result)
            for listener in self._pipeline.listeners:
                listener(RunEnded(result=saved, folder=folder))
            return
        if self._store.is_given_up(result.id):
            self._replace(result)
        pool.confirm(result.id)

    def _replace(self, result: RunResult) -> None:
        before = self._archive.folder_of(result.id, result.journey)
        saved, folder = save_result(self._archive, result)
        if not self._store.replace(saved, folder):
            return
        log.info("the result of run %s of %s came after it had been given up: %s", result.id, result.journey, result.status)
        given_up = self._archive.read(before) if before is not None and before != folder else None
        if given_up is not None:
            self._archive.delete(given_up)
        self._pipeline.take_late(saved, folder)
