"""What happens to the result of each run: metrics and log, object storage, the store, and when it is stored, the gateway and alerts."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from runner.archive.archive import Archive, Saved
from runner.archive.assumed_runs import AssumedRuns
from runner.archive.object_storage import open_storage
from runner.dsl.plan import Plan
from runner.errors import ConfigError
from runner.events import Listener, Moment, RunEnded
from runner.result import Environment, Failure, RunResult, Status, Trigger, skipped
from runner.scheduler.alerts.evaluator import AlertEvaluator
from runner.scheduler.alerts.outbox import Outbox
from runner.scheduler.capacity import NEWEST
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.results.push_queue import Outcome, PushQueue
from runner.scheduler.results.store_queue import StoreQueue
from runner.scheduler.results.upload_queue import UploadQueue
from runner.scheduler.slots import Key
from runner.scheduler.timetable import Timetable
from runner.settings.settings import Settings
from runner.store import Store, StoreDown

CLOSE_TIMEOUT = 10.0
"""Seconds that each of the store, the gateway and the alerts gets at the end to take what still waits for it."""
log = logging.getLogger("journey.schedule")


class ResultPipeline:
    """Takes each result through all its stations; `listeners` are those of all runs, the pipeline's own last."""

    def __init__(
        self,
        timetable: Timetable,
        settings: Settings,
        store: Store,
        archive: Archive,
        exporter: Exporter,
        pause_reason: Callable[[str, datetime], str],
        listeners: Sequence[Listener],
        forgotten: Callable[[str], None],
    ) -> None:
        self._timetable = timetable
        self._forgotten = forgotten
        self._settings = settings
        self._store = store
        self._archive = archive
        self._exporter = exporter
        self._others = tuple(listeners)
        self.listeners: tuple[Listener, ...] = (*listeners, self._receive)
        self.stored: Callable[[str], None] = lambda _: None
        """Gets the id of each run that is stored, in the thread of the queue."""
        self.collected: list[RunResult] | None = None
        """The results, if a list is set for them; a daemon that runs for months must not keep them all."""
        self.durations: dict[Key, list[float]] = {}
        """The seconds of the newest runs of each journey at each place, oldest first."""
        self._news = True
        self._store_queue = StoreQueue(store, self._handle_stored)
        storage = open_storage(settings)
        self._uploads = (
            UploadQueue(
                storage, archive, settings, self._store_queue.put, lambda outcome: exporter.uploads.labels(outcome).inc()
            )
            if storage
            else None
        )
        self._pushes = PushQueue(settings, self._record_push) if settings.pushgateway else None
        self._outbox = Outbox(settings.alert_urls, store)
        self.evaluator = AlertEvaluator(
            settings,
            store,
            self._outbox.targets,
            pause_reason,
            self._outbox.wake,
            lambda journey: timetable.locations.get(journey, ()),
            lambda journey, location, outcome: exporter.confirmations.labels(journey, location, outcome).inc(),
        )

    @property
    def unstored(self) -> int:
        """The number of runs that are not stored yet."""
        return self._store_queue.waiting

    @property
    def shared(self) -> bool:
        """Whether several schedulers may use the store."""
        return self._store.shared

    def take_news(self) -> bool:
        """Whether `durations` may have changed since the last call."""
        news, self._news = self._news, False
        return news

    @property
    def not_uploaded(self) -> int:
        """The number of runs whose files the object storage does not have yet."""
        return self._uploads.waiting if self._uploads else 0

    @property
    def unpushed(self) -> int:
        """The number of journeys whose newest state the gateway does not have."""
        return self._pushes.waiting if self._pushes else 0

    @property
    def store_works(self) -> bool:
        """Whether the store accepts results."""
        return self._store_queue.down_since is None

    def finish_without_worker(
        self,
        run: str,
        plan: Plan,
        slot: datetime | None,
        started_at: datetime,
        status: Status,
        message: str,
        now: datetime,
        trigger: Trigger = "schedule",
        notes: tuple[str, ...] = (),
    ) -> None:
        """Saves the result of a run that no worker can report, and notifies the listeners."""
        result = self._synthetic_result(run, plan, slot, started_at, status, message, now)
        result = replace(result, trigger=trigger, notes=notes)
        folder: Path | None = None
        # What was given up may make room for a result that its worker has uploaded: then nothing of it may be in the storage.
        archive = Archive(self._archive.folder) if result.assumed else self._archive
        try:
            if result.assumed:
                AssumedRuns(archive).add(run)
            folder = archive.save(result, archive.scratch(run))
        except (OSError, ConfigError) as error:
            result = replace(result, notes=(*notes, f"not saved: {error}"))
        for listener in self.listeners:
            listener(RunEnded(result=result, folder=folder))

    def _synthetic_result(
        self, run: str, plan: Plan, slot: datetime | None, started_at: datetime, status: Status, message: str, now: datetime
    ) -> RunResult:
        return RunResult(
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
            last_success_at=self._archive.last_success(plan.journey, plan.location),
            slot_at=slot,
            delay_seconds=max((now - (slot or started_at)).total_seconds(), 0.0),
        )

    def _receive(self, moment: Moment) -> None:
        if not isinstance(moment, RunEnded):
            return
        result = moment.result
        if result.trigger not in {"", "schedule"}:
            self._receive_requested(result, moment.folder)
            return
        key = Key(result.journey, result.location)
        entry = self._timetable.entries.get(key)
        if entry is not None:
            entry.busy = False
        if result.status not in {"cancelled", "skipped"}:
            newest = self.durations.setdefault(key, [])
            newest.append(result.duration_seconds)
            del newest[:-NEWEST]
            self._news = True
        if self.collected is not None:
            self.collected.append(result)
        self._exporter.count_run(result)
        self.store_saved(result, moment.folder)
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
        if entry is None:
            # It left the schedule while this run was under way, which has brought its gauges and series back.
            self.forget(key)

    def _receive_requested(self, result: RunResult, folder: Path | None) -> None:
        """A run that somebody has asked for is stored; metrics, alerts and the schedule are about what the schedule wants."""
        self._exporter.requested.labels(result.trigger, result.status).inc()
        self.store_saved(result, folder)
        log.info(
            "%s %s on demand (%s)",
            result.journey,
            result.status,
            result.trigger,
            extra={"journey": result.journey, "run": result.id, "status": result.status},
        )

    def store_saved(self, result: RunResult, folder: Path | None) -> None:
        """Has a run stored that is saved in a folder, after its files were uploaded, if they are to be."""
        (self._uploads or self._store_queue).put(result, folder)

    def take_late(self, result: RunResult, folder: Path | None) -> None:
        """A result that came when its run had been given up, and was stored in place of that.

        It is counted, sent and judged as any other, and shown if no newer run is. What was assumed stays counted as an error of the
        monitor: a counter cannot go back.
        """
        for listener in self._others:
            listener(RunEnded(result=result, folder=folder))
        newest = False
        if result.trigger not in {"", "schedule"}:
            self._exporter.requested.labels(result.trigger, result.status).inc()
        else:
            newest = self._exporter.count_late(result)
        self._handle_stored(Saved(result, folder or Path()), newest)
        key = Key(result.journey, result.location)
        if newest and key not in self._timetable.entries:
            self.forget(key)

    def _handle_stored(self, saved: Saved, newest: bool = True) -> None:
        """Pushes a run if it is the newest, and evaluates alerts, now that it is stored. Mostly runs in the thread of the queue."""
        self.stored(saved.result.id)
        if saved.result.trigger not in {"", "schedule"}:
            return
        if newest and Key(saved.result.journey, saved.result.location) in self._timetable.entries:
            self._push(saved.result)
        try:
            self.evaluator.evaluate_run(saved)
        except StoreDown as error:
            log.warning("%s", error)

    def _push(self, result: RunResult) -> None:
        if self._pushes is not None and result.status not in {"skipped", "cancelled"}:
            self._pushes.put(result)

    def _record_push(self, key: Key, outcome: Outcome) -> None:
        self._exporter.pushes.labels(outcome).inc()
        gateway = self._settings.pushgateway or ""
        try:
            if outcome == "pushed":
                self._store.push_groups.add(*key, gateway)
            elif outcome == "deleted":
                self._store.push_groups.remove(*key, gateway)
        except StoreDown as error:
            log.warning("%s", error)

    def restore(self) -> None:
        """Exports and pushes the newest saved state of each journey; deletes the groups of journeys that are gone.

        Raises StoreDown.
        """
        if self._pushes is not None:
            for key in map(Key._make, self._store.push_groups.held(self._settings.pushgateway or "")):
                if self._serves(key.location) and key not in self._timetable.entries:
                    self._pushes.delete(key)
        for key in self._timetable.entries:
            newest = self._archive.newest_at(*key, scheduled=True)
            if newest is not None:
                self.evaluator.resume(newest)
                self._exporter.set_newest(newest.result)
                self._push(newest.result)

    def forget(self, key: Key) -> None:
        """Ends the gauges and series of a journey that is no longer on the schedule of a place, and deletes its group from the gateway."""
        self.durations.pop(key, None)
        everywhere = all(one.journey != key.journey for one in self._timetable.entries)
        self._exporter.forget(*key, everywhere)
        if everywhere:
            self._forgotten(key.journey)
        if self._pushes is not None and self._serves(key.location):
            self._pushes.delete(key)

    def _serves(self, location: str) -> bool:
        """Whether the groups of a place are this scheduler's: another one has those of other places."""
        return self._timetable.everywhere or location == self._settings.location

    def alert_files(self, problems: Sequence[str]) -> None:
        """Sends an alert when files of journeys have become broken, or can be used again. Raises StoreDown."""
        self.evaluator.evaluate_files("\n".join(problems))

    def stop(self) -> None:
        """Stores, pushes and sends what waits, in a bounded time, and logs what is left."""
        if self._uploads is not None and (left := self._uploads.stop(CLOSE_TIMEOUT)):
            log.error("%d %s not uploaded; they are uploaded at the next start", left, "run was" if left == 1 else "runs were")
        left = self._store_queue.stop(CLOSE_TIMEOUT)
        if left:
            log.error(
                "%d %s could not be stored; see %s; they are stored at the next start",
                left,
                "run" if left == 1 else "runs",
                self._archive.folder,
            )
        if self._pushes is not None:
            if self._settings.delete_groups:
                for key in self._timetable.entries:
                    self._pushes.delete(key)
            left = self._pushes.stop(CLOSE_TIMEOUT)
            if left:
                log.warning("the newest state of %d %s could not be pushed", left, "journey" if left == 1 else "journeys")
        self.evaluator.confirmations.stop(CLOSE_TIMEOUT)
        self._outbox.stop(CLOSE_TIMEOUT)
