"""The daemon: starts each journey at its slots, keeps what comes of it, and tells of itself.

One loop in one thread waits for workers and for the clock. What can be slow (the database, the gateway, files that change) is
done in threads of their own, which wake the loop through a pipe.
"""

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from runner.archive.archive import Archive, Saved
from runner.archive.run_id import run_id
from runner.browser.chromium import Browser
from runner.errors import ConfigError, DiscoveryError
from runner.events import Listener, Moment, RunEnded
from runner.result import Environment, Failure, RunResult, Status, skipped
from runner.scheduler.alerts.evaluator import Alarm
from runner.scheduler.alerts.outbox import Outbox
from runner.scheduler.loader import LoadedJourneys, LoadRequest, PlannedJourney, load_in_subprocess
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.push_queue import Outcome, PushQueue
from runner.scheduler.store_queue import StoreQueue
from runner.scheduler.watcher import Watch
from runner.settings.settings import Settings
from runner.store import Store, StoreDown
from runner.store.slots import OpenSlot
from runner.workers.pool import Workers
from runner.workers.run_state import Slot

JUMP = 5.0
"""Seconds by which the wall clock may leave the monotonic one before it is taken for set."""
MOST_MISSED = 1000
"""Slots of a longer gap that are written down one by one; all are counted."""
RETRY = 5.0
"""Seconds in which a database that does not work is not asked again."""
log = logging.getLogger("journey.schedule")


class Entry:
    """A journey on the schedule."""

    def __init__(self, planned: PlannedJourney, next_at: datetime) -> None:
        self.planned = planned
        self.next_at = next_at
        self.busy = False
        """Whether a run of it waits or is under way."""

    @property
    def name(self) -> str:
        """The journey's."""
        return self.planned.plan.journey


class Due(Struct, frozen=True):
    """A slot that has come and waits for a worker; `at` is when it may begin."""

    entry: Entry
    slot: datetime
    at: datetime
    late: bool = False
    """Whether the slot was before the scheduler's start; a newer one takes its place."""
    counts: bool = True
    """Whether it is missed when it is not run: not when it was before the journey's very first scheduler."""


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
        listeners: Sequence[Listener] = (),
    ) -> None:
        """Raises ConfigError and DiscoveryError when no journey can be put on the schedule."""
        self._request = request
        self._settings = settings
        self._store = store
        self._archive = archive
        self._exporter = exporter
        self._now = now
        self._listeners = [*listeners, self._heard]
        self._owner = str(uuid4())
        self._waiting: deque[Due] = deque()
        self._entries: dict[str, Entry] = {}
        self._broken: dict[Path, str] = {}
        self._results: list[RunResult] | None = None
        """Of the runs of `once`; a daemon that lives for months must not remember them all."""
        self._stop_by: float | None = None
        self._ticked = time.monotonic()
        self._store_asked = -RETRY
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._store_queue = StoreQueue(store, self._stored)
        self._pushes = PushQueue(settings, self._push_told) if settings.pushgateway else None
        self._watch = Watch(request, settings, store, self._owner, self.wake)
        self._pool: Workers | None = None
        self._outbox = Outbox(settings.alert_urls, store)
        self._alarm = Alarm(settings, store, self._outbox.targets, self._paused, self._outbox.wake)
        self._take_over(load_in_subprocess(request), first=True)

    @property
    def count(self) -> int:
        """How many journeys are on the schedule."""
        return len(self._entries)

    # What others may call, from any thread or signal handler

    def wake(self) -> None:
        """Has the loop look around."""
        try:
            os.write(self._wake_write, b"!")
        except BlockingIOError:
            # The pipe is full: the loop is about to wake anyhow.
            return

    def stop(self, within: float) -> None:
        """Begins no more runs; those under way get so many seconds to end. A second call shortens that."""
        self._stop_by = min(self._stop_by or float("inf"), time.monotonic() + within)
        self.wake()

    def reload(self) -> None:
        """Has the journeys read again."""
        self._watch.reload()

    def healthy(self) -> str:
        """What is wrong with the daemon itself; nothing when it is alive."""
        silent = time.monotonic() - self._ticked
        return f"the loop has not turned for {silent:.0f} s" if silent > 30 else ""

    def ready(self) -> str:
        """What keeps it from doing its work; nothing when it can."""
        if self._pool is None:
            return "the workers are not started yet"
        if self._store_queue.down_since is not None:
            return f"the store does not work; {self._store_queue.waiting} runs wait for it"
        return self.healthy()

    # The loop

    def run(self, pool: Workers, browser: Browser, *, once: bool = False) -> list[RunResult]:
        """Runs until `stop`, or, with `once`, until all that is due now has ended; returns the results of those runs."""
        self._results = [] if once else None
        now = self._now()
        self._store.schedulers.register(self._owner, socket.gethostname(), os.getpid(), self._settings.location, now)
        self._recover()
        pool.open(browser, self._settings, self._archive, self._listeners)
        pool.recycle_after(self._settings.worker_runs, self._settings.worker_memory)
        self._pool = pool
        self._watch.start()
        self._catch_up(now, once)
        wall, steady = now, time.monotonic()
        try:
            while True:
                now, self._ticked = self._now(), time.monotonic()
                self._mind_the_clock(now, (now - wall).total_seconds() - (self._ticked - steady))
                wall, steady = now, self._ticked
                self._take_news()
                if self._stop_by is None and not once:
                    self._take_due(now)
                self._begin(pool, now)
                self._show(pool, now)
                if (once or self._stop_by is not None) and not pool.running and not self._waiting:
                    break
                if self._stop_by is not None and time.monotonic() >= self._stop_by:
                    break
                if pool.poll(self._pause(now), [self._wake_read]):
                    os.read(self._wake_read, 4096)
        finally:
            self._close(pool)
        return self._results or []

    def _close(self, pool: Workers) -> None:
        """Everything to its place, in a bounded time."""
        pool.cancel_runs("the scheduler was stopped while the run was under way")
        self._watch.stop()
        left = self._store_queue.stop(10.0)
        if left:
            log.error(
                "%d runs could not be stored; they are in %s and are stored at the next start", left, self._archive.folder
            )
        if self._pushes is not None:
            if self._settings.delete_groups:
                for name in self._entries:
                    self._pushes.delete(name)
            unpushed = self._pushes.stop(10.0)
            if unpushed:
                log.warning("the newest state of %d journeys could not be pushed", unpushed)
        self._outbox.stop(10.0)
        try:
            self._store.schedulers.unregister(self._owner)
        except StoreDown as error:
            log.warning("%s", error)

    def _pause(self, now: datetime) -> float:
        """Seconds until something is due."""
        moments = [entry.next_at for entry in self._entries.values() if entry.planned.schedule]
        moments += [due.at if due.at > now else due.at + timedelta(seconds=self._settings.max_delay) for due in self._waiting]
        wait = min(((moment - now).total_seconds() for moment in moments), default=5.0)
        if self._stop_by is not None:
            wait = min(wait, self._stop_by - time.monotonic())
        # At least every second, as the wall clock may be set meanwhile.
        return max(min(wait, 1.0), 0.0)

    def _mind_the_clock(self, now: datetime, drift: float) -> None:
        if abs(drift) < JUMP:
            return
        log.warning("the clock was set %s by %.0f s", "forward" if drift > 0 else "back", abs(drift))
        if drift < 0:
            for entry in self._entries.values():
                if entry.planned.schedule:
                    entry.next_at = entry.planned.schedule.after(entry.name, now)

    def _take_due(self, now: datetime) -> None:
        for entry in self._entries.values():
            schedule = entry.planned.schedule
            if schedule is None or entry.next_at > now:
                continue
            slot = entry.next_at
            while (after := schedule.after(entry.name, slot)) <= now:
                self._miss(entry, slot, "late", now)
                slot = after
            entry.next_at = after
            paused = self._paused(entry.name, now)
            self._outdate(entry, now)
            if (now - slot).total_seconds() > self._settings.max_delay:
                self._miss(entry, slot, "late", now)
            elif paused:
                self._note(entry, slot, "paused", paused, now)
            elif entry.busy:
                self._miss(entry, slot, "overlap", now)
            else:
                entry.busy = True
                self._waiting.append(Due(entry, slot, slot + timedelta(seconds=schedule.put_off(entry.name, slot))))

    def _outdate(self, entry: Entry, now: datetime) -> None:
        """Drops the run of a slot from before the scheduler's start that still waits, as a newer slot has come."""
        for due in [one for one in self._waiting if one.entry is entry and one.late]:
            self._drop(due)
            if due.counts:
                self._exporter.missed.labels(entry.name, "down").inc()
                self._note(entry, due.slot, "missed", "down", now)

    def _begin(self, pool: Workers, now: datetime) -> None:
        for due in sorted(self._waiting, key=lambda one: one.at):
            entry = due.entry
            if self._stop_by is not None:
                self._drop(due)
                self._miss(entry, due.slot, "stopped", now)
            elif (waited := (now - due.at).total_seconds()) > self._settings.max_delay:
                self._drop(due)
                self._cancel(due, waited, now)
            elif due.at <= now and pool.idle:
                identity = run_id()
                if not self._claim(due, identity, now):
                    self._drop(due)
                    continue
                self._waiting.remove(due)
                self._exporter.delay.observe(max((now - due.at).total_seconds(), 0.0))
                try:
                    pool.start_run(entry.planned.plan, Slot(due.slot, identity, due.at))
                except ConfigError as error:
                    # No folder for it: the disk is full, or cannot be written.
                    self._make_up(identity, entry.planned, due.slot, due.at, "error", str(error), now)

    def _drop(self, due: Due) -> None:
        self._waiting.remove(due)
        due.entry.busy = False

    def _claim(self, due: Due, run: str, now: datetime) -> bool:
        name, location = due.entry.name, self._settings.location
        if self._store_answers():
            try:
                return self._store.slots.claim(name, location, due.slot, run, self._owner, now)
            except StoreDown as error:
                self._store_failed(error)
        if not self._store.shared:
            # Nobody else has this store: a run that is stored late is better than none.
            return True
        self._exporter.missed.labels(name, "store").inc()
        log.error("%s was not run: without the store, another scheduler may run it too", name, extra={"journey": name})
        return False

    def _store_answers(self) -> bool:
        return time.monotonic() - self._store_asked > RETRY

    def _store_failed(self, error: StoreDown) -> None:
        self._store_asked = time.monotonic()
        log.error("%s", error)

    def _miss(self, entry: Entry, slot: datetime, reason: str, now: datetime) -> None:
        self._exporter.missed.labels(entry.name, reason).inc()
        log.warning("%s missed its slot of %s: %s", entry.name, f"{slot:%H:%M:%S}Z", reason, extra={"journey": entry.name})
        self._note(entry, slot, "missed", reason, now)

    def _note(self, entry: Entry, slot: datetime, state: str, reason: str, now: datetime) -> None:
        if not self._store_answers():
            return
        try:
            self._store.slots.record(entry.name, self._settings.location, slot, state, reason, self._owner, now)
        except StoreDown as error:
            self._store_failed(error)

    def _paused(self, journey: str, now: datetime) -> str:
        """Why a journey is not to be run now; nothing when it is."""
        return self._watch.paused(journey) or next(
            (
                f"{one.reason} until {end:%Y-%m-%d %H:%M}Z"
                for one in self._settings.maintenance
                if (end := one.ends(journey, now))
            ),
            "",
        )

    def _cancel(self, due: Due, waited: float, now: datetime) -> None:
        limit, running = self._settings.max_delay, len(self._pool.running) if self._pool else 0
        message = (
            f"waited {waited:.0f} s for a free worker, longer than max_delay ({limit:g} s), while {running} runs were under way; "
            "add workers or machines, or run journeys less often"
        )
        identity = run_id()
        if self._claim(due, identity, now):
            self._make_up(identity, due.entry.planned, due.slot, due.at, "cancelled", message, now)

    def _make_up(
        self,
        run: str,
        planned: PlannedJourney,
        slot: datetime,
        started_at: datetime,
        status: Status,
        message: str,
        now: datetime,
    ) -> None:
        """Saves and tells the result of a run that no worker can tell of."""
        plan = planned.plan
        result = RunResult(
            id=run,
            journey=plan.journey,
            status=status,
            started_at=started_at,
            ended_at=max(now, started_at),
            duration_seconds=max((now - started_at).total_seconds(), 0.0),
            location=plan.location,
            steps=skipped(plan.step_names, 0),
            failure=Failure(kind="monitor", message=message),
            tags=plan.tags,
            release=plan.release,
            environment=Environment(base_url=plan.base_url),
            last_success_at=self._archive.last_success(plan.journey),
            slot_at=slot,
            delay_seconds=max((now - slot).total_seconds(), 0.0),
        )
        folder: Path | None = None
        try:
            folder = self._archive.save(result, self._archive.scratch(run))
        except (OSError, ConfigError) as error:
            result = replace(result, notes=(f"not saved: {error}",))
        for listener in self._listeners:
            listener(RunEnded(result=result, folder=folder))

    # What comes of a run

    def _heard(self, moment: Moment) -> None:
        if not isinstance(moment, RunEnded):
            return
        result = moment.result
        entry = self._entries.get(result.journey)
        if entry is not None:
            entry.busy = False
        if self._results is not None:
            self._results.append(result)
        self._exporter.ended(result)
        self._store_queue.put(result, moment.folder)
        why = f": {result.failure.message.splitlines()[0]}" if result.failure else ""
        log.log(
            logging.INFO if result.status == "passed" else logging.WARNING,
            "%s %s in %.3f s%s",
            result.journey,
            result.status,
            result.duration_seconds,
            why,
            extra={"journey": result.journey, "run": result.id, "status": result.status},
        )

    def _stored(self, saved: Saved) -> None:
        """In the keeper's thread: the run is safe, so the world may know."""
        result = saved.result
        if self._pushes is not None and result.journey in self._entries and result.status not in {"skipped", "cancelled"}:
            self._pushes.put(result)
        try:
            self._alarm.look(saved)
        except StoreDown as error:
            log.warning("%s", error)

    def _push_told(self, journey: str, outcome: Outcome) -> None:
        self._exporter.pushes.labels(outcome).inc()
        gateway, location = self._settings.pushgateway or "", self._settings.location
        try:
            if outcome == "pushed":
                self._store.push_groups.add(journey, location, gateway)
            elif outcome == "deleted":
                self._store.push_groups.remove(journey, location, gateway)
        except StoreDown as error:
            log.warning("%s", error)

    # Journeys that come and go

    def _take_news(self) -> None:
        planning = self._watch.planning()
        if planning is not None:
            self._take_over(planning, first=False)
        for orphan in self._watch.orphans():
            self._bury(orphan)

    def _take_over(self, planning: LoadedJourneys, first: bool) -> None:
        """Puts what was read on the schedule; of a file that is broken now, what it held before stays."""
        now = self._now()
        planned = {one.plan.journey: one for one in planning.planned if one.schedule}
        if first and (not planned or planning.unknown):
            problems = "\n".join([*planning.unknown, *(one.message for one in planning.problems)])
            raise DiscoveryError(problems or "no journey has a schedule; give one every='5m' or cron='*/5 * * * *'")
        self._tell_problems(planning, first)
        for name, entry in list(self._entries.items()):
            if name not in planned and self._request.start not in self._broken and entry.planned.plan.file not in self._broken:
                del self._entries[name]
                self._exporter.forget(name)
                self._waiting = deque(due for due in self._waiting if due.entry is not entry)
                log.info("%s is no longer on the schedule", name, extra={"journey": name})
                if self._pushes is not None:
                    self._pushes.delete(name)
        for name, one in planned.items():
            known = self._entries.get(name)
            if known is None or one.schedule is None:
                next_at = one.schedule.after(name, now) if one.schedule else now
                self._entries[name] = Entry(one, next_at)
                if not first:
                    log.info("%s is on the schedule", name, extra={"journey": name})
            else:
                if known.planned.schedule != one.schedule:
                    known.next_at = one.schedule.after(name, now)
                known.planned = one

    def _tell_problems(self, planning: LoadedJourneys, first: bool) -> None:
        broken = {one.file: one.message for one in planning.problems}
        for file, message in broken.items():
            if self._broken.get(file) != message:
                log.error("%s%s", message, "" if first else "; what it held before stays on the schedule")
        for file in self._broken.keys() - broken.keys():
            log.info("%s can be used again", file)
        self._broken = broken
        self._exporter.broken_files.set(len(broken))
        try:
            self._alarm.files("\n".join(broken.values()))
        except StoreDown as error:
            self._store_failed(error)

    # Before the first run

    def _recover(self) -> None:
        """Stores what an earlier scheduler has left: runs that it had saved, and the end of those that it was killed in."""
        unknown = self._store.missing(self._archive.ids())
        folders = self._archive.ids()
        for identity in sorted(unknown):
            saved = self._archive.read(folders[identity])
            if saved is not None:
                self._store.add(saved.result, saved.folder)
        if unknown:
            log.info("%d saved runs were stored that the store did not know", len(unknown))
        for orphan in self._store.schedulers.adopt_orphans(self._owner, self._now(), alone=not self._store.shared):
            self._bury(orphan)
        if self._pushes is not None:
            held = self._store.push_groups.journeys(self._settings.location, self._settings.pushgateway or "")
            for name in held:
                if name not in self._entries:
                    self._pushes.delete(name)
        for name in self._entries:
            newest = next(self._archive.runs(name), None)
            if newest is not None and newest.result.location == self._settings.location:
                self._exporter.newest(newest.result)
                if self._pushes is not None and newest.result.status not in {"skipped", "cancelled"}:
                    self._pushes.put(newest.result)

    def _bury(self, orphan: OpenSlot) -> None:
        """Gives the run of a scheduler that was killed its end."""
        saved = next((one for one in [self._archive.folder_of(orphan.run)] if one is not None), None)
        known = self._archive.read(saved) if saved is not None else None
        if known is not None:
            self._store_queue.put(known.result, known.folder)
            return
        entry = self._entries.get(orphan.journey)
        if entry is None:
            self._note_end(orphan)
            return
        message = "the scheduler that had begun the run was killed, or its machine was switched off"
        self._make_up(orphan.run, entry.planned, orphan.slot_at, orphan.claimed_at, "error", message, self._now())

    def _note_end(self, orphan: OpenSlot) -> None:
        log.warning("%s is no longer on the schedule; its run %s was cut off", orphan.journey, orphan.run)
        try:
            self._store.slots.close(orphan.run, "missed", "killed")
        except StoreDown as error:
            self._store_failed(error)

    def _catch_up(self, now: datetime, once: bool) -> None:
        """The slots since the last one that is known: all but the newest are missed, the newest is run if that makes sense."""
        for entry in self._entries.values():
            schedule = entry.planned.schedule
            if schedule is None:
                continue
            newest = schedule.latest(entry.name, now)
            last = self._store.slots.newest(entry.name, self._settings.location)
            gap: deque[datetime] = deque(maxlen=MOST_MISSED)
            count = 0
            slot = schedule.after(entry.name, last) if last else newest
            while slot < newest:
                gap.append(slot)
                count += 1
                slot = schedule.after(entry.name, slot)
            if count:
                self._exporter.missed.labels(entry.name, "down").inc(count)
                log.warning("%s missed %d slots while no scheduler was running", entry.name, count)
                for slot in gap:
                    self._store.slots.record(entry.name, self._settings.location, slot, "missed", "down", self._owner, now)
            # What comes every so often is wanted soon; a time of day is wanted at that time.
            wanted = schedule.every is not None or once or (now - newest).total_seconds() <= self._settings.max_delay
            if wanted and (last is None or last < newest) and not self._paused(entry.name, now):
                entry.busy = True
                self._waiting.append(Due(entry, newest, now, late=True, counts=last is not None))

    def _show(self, pool: Workers, now: datetime) -> None:
        exporter = self._exporter
        exporter.browsers.set(pool.count)
        exporter.running.set(len(pool.running))
        exporter.waiting.set(len(self._waiting))
        exporter.unstored.set(self._store_queue.waiting)
        exporter.unpushed.set(self._pushes.waiting if self._pushes else 0)
        for entry in self._entries.values():
            schedule = entry.planned.schedule
            if schedule is not None:
                exporter.paused.labels(entry.name).set(bool(self._paused(entry.name, now)))
                exporter.next_run.labels(entry.name).set(entry.next_at.timestamp())
                gap = schedule.after(entry.name, entry.next_at) - entry.next_at
                exporter.interval.labels(entry.name).set(gap.total_seconds())
