"""Slots that have come, from when they are due to the start of their runs, or to why they are not run."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from runner.archive.run_id import run_id
from runner.dispatch.run_pool import RunPool
from runner.errors import ConfigError
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.slots import Due, Entry, SlotLedger
from runner.scheduler.timetable import Timetable
from runner.settings.settings import Settings
from runner.workers.run_state import Slot

NO_WORKER = "no free worker"
"""Why a slot is missed whose journey still waits for other runs to end."""


class RunQueue:
    """The runs that wait for a worker. `pause_reason` says why a journey is paused at a time; it is empty when it is not."""

    def __init__(
        self,
        timetable: Timetable,
        ledger: SlotLedger,
        pipeline: ResultPipeline,
        exporter: Exporter,
        settings: Settings,
        pause_reason: Callable[[str, datetime], str],
    ) -> None:
        self._timetable = timetable
        self._ledger = ledger
        self._pipeline = pipeline
        self._exporter = exporter
        self._settings = settings
        self._pause_reason = pause_reason
        self._waiting: deque[Due] = deque()

    @property
    def waiting(self) -> int:
        """The number of runs that wait."""
        return len(self._waiting)

    def waiting_since(self, now: datetime) -> datetime | None:
        """When the run was due that has waited longest; None when none waits."""
        return min((due.at for due in tuple(self._waiting) if due.at <= now), default=None)

    def has_due(self, now: datetime) -> bool:
        """Whether a run waits that may start now."""
        return any(due.at <= now for due in self._waiting)

    def seconds_until_next(self, now: datetime) -> float | None:
        """Seconds until a slot comes, a run may start, or a run has waited too long; None when nothing is to come."""
        moments = [entry.next_at for entry in self._timetable.entries.values()]
        moments += [due.at if due.at > now else due.at + timedelta(seconds=self._settings.max_delay) for due in self._waiting]
        return min(((moment - now).total_seconds() for moment in moments), default=None)

    def catch_up(self, now: datetime, once: bool) -> None:
        """Handles the slots since the last recorded one: all but the newest are missed, the newest is run if that makes sense.

        Raises StoreDown.
        """
        for entry in self._timetable.entries.values():
            schedule = entry.schedule
            newest = schedule.latest(entry.name, now)
            last = self._ledger.newest(entry)
            if last is not None:
                self._ledger.miss_between(entry, schedule.after(entry.name, last), newest, "down", now)
            # An interval is to be resumed soon; a time of day is kept, or missed.
            wanted = schedule.every is not None or once or (now - newest).total_seconds() <= self._settings.max_delay
            paused = self._pause_reason(entry.name, now)
            if wanted and (last is None or last < newest) and not paused:
                entry.busy = True
                self._waiting.append(Due(entry, newest, now, late=True, counts=last is not None))
            elif last is not None and last < newest:
                # Nothing comes back to it. What could still be run is left out because of the pause.
                why = self._pause_reason(entry.name, newest) or (paused if wanted else "")
                if why:
                    self._ledger.pause(entry, newest, why, now)
                else:
                    self._ledger.miss(entry, newest, "down", now)

    def enqueue_due(self, now: datetime) -> None:
        """Adds a run for each journey whose slot has come, or records why the slot is not run."""
        for entry in self._timetable.entries.values():
            if entry.next_at > now:
                continue
            first = slot = entry.next_at
            while (after := entry.schedule.after(entry.name, slot)) <= now:
                slot = after
            entry.next_at = after
            self._ledger.miss_between(entry, first, slot, "late", now)
            paused = self._pause_reason(entry.name, slot)
            late = (now - slot).total_seconds() > self._settings.max_delay
            if not paused and not late:
                # It would still be run, but now the journey is paused.
                paused = self._pause_reason(entry.name, now)
            self._drop_outdated(entry, now)
            if paused:
                self._ledger.pause(entry, slot, paused, now)
            elif late:
                self._ledger.miss(entry, slot, "late", now)
            elif entry.busy:
                # A run of the journey that has not started does not overlap: it waits for others.
                waits = any(due.entry is entry and due.at <= now for due in self._waiting)
                self._ledger.miss(entry, slot, NO_WORKER if waits else "overlap", now)
            else:
                entry.busy = True
                at = slot + timedelta(seconds=entry.schedule.put_off(entry.name, slot))
                self._waiting.append(Due(entry, slot, at))

    def _drop_outdated(self, entry: Entry, now: datetime) -> None:
        """Drops the waiting run of a slot from before the scheduler's start, as a newer slot has come."""
        for due in [due for due in self._waiting if due.entry is entry and due.late]:
            self._drop(due)
            if due.counts:
                self._ledger.miss_quietly(entry, due.slot, "down", now)

    def start_runs(self, pool: RunPool, now: datetime) -> None:
        """Starts runs in idle workers, the one that is due first first; cancels those that have waited too long."""
        for due in sorted(self._waiting, key=lambda due: due.at):
            waited = (now - due.at).total_seconds()
            if waited > self._settings.max_delay:
                self._drop(due)
                lack = pool.explain_lack(due.entry.plan)
                if lack:
                    self._ledger.miss(due.entry, due.slot, lack, now)
                else:
                    self._cancel(due, waited, len(pool.running), now)
            elif due.at <= now and pool.can_start(due.entry.plan):
                self._start(due, pool, now)

    def _start(self, due: Due, pool: RunPool, now: datetime) -> None:
        identity = run_id()
        if not self._ledger.claim(due.entry, due.slot, identity, now):
            self._drop(due)
            return
        self._waiting.remove(due)
        self._exporter.delay.observe(max((now - due.at).total_seconds(), 0.0))
        try:
            pool.start_run(due.entry.plan, Slot(due.slot, identity, due.at))
        except ConfigError as error:
            # Its folder cannot be created: the disk is full or read-only.
            self._pipeline.finish_without_worker(identity, due.entry.plan, due.slot, due.at, "error", str(error), now)

    def _cancel(self, due: Due, waited: float, running: int, now: datetime) -> None:
        message = (
            f"waited {waited:.0f} s for a free worker, longer than max_delay ({self._settings.max_delay:g} s), while "
            f"{running} {'run was' if running == 1 else 'runs were'} under way; "
            "add workers or machines, or run journeys less often"
        )
        identity = run_id()
        if self._ledger.claim(due.entry, due.slot, identity, now):
            self._pipeline.finish_without_worker(identity, due.entry.plan, due.slot, due.at, "cancelled", message, now)

    def miss_all(self, reason: str, now: datetime) -> None:
        """Drops all waiting runs; their slots are missed."""
        for due in list(self._waiting):
            self._drop(due)
            self._ledger.miss(due.entry, due.slot, reason, now)

    def discard(self, entry: Entry) -> None:
        """Drops the waiting runs of a journey that is no longer on the schedule."""
        self._waiting = deque(due for due in self._waiting if due.entry is not entry)

    def _drop(self, due: Due) -> None:
        self._waiting.remove(due)
        due.entry.busy = False
