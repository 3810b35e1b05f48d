"""Which places are up: a scheduler reports what it knows, and reads what all of them know."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from runner.dispatch.run_pool import RunPool
from runner.scheduler.alerts.evaluator import AlertEvaluator
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.run_queue import RunQueue
from runner.scheduler.timetable import Timetable
from runner.store import Store
from runner.store.scheduling.locations import LocationReport, LocationState
from runner.store.scheduling.schedulers import SILENT

log = logging.getLogger("journey.schedule")


@runtime_checkable
class LocationHealth(Protocol):
    """What carries runs to the workers of one place or several, and hears of them."""

    def report(self, now: datetime) -> Sequence[LocationReport]:
        """What is known about each place that it serves. Called from a thread of its own."""
        ...


class OwnLocation:
    """The place of a scheduler whose workers are its own processes: they are there while it is."""

    def __init__(self, location: str, pool: RunPool, queue: RunQueue) -> None:
        self._location = location
        self._pool = pool
        self._queue = queue

    def report(self, now: datetime) -> Sequence[LocationReport]:
        """Its only place."""
        return (
            LocationReport(
                location=self._location,
                seen_at=now,
                workers=self._pool.count,
                running=len(self._pool.running),
                waiting=self._queue.waiting,
                waiting_since=self._queue.waiting_since(now),
            ),
        )


class LocationMonitor:
    """With each heartbeat, stores what `health` reports, and sets metrics and alerts by what all schedulers have stored.

    Places are watched if journeys name more than one of them, or their workers are elsewhere. A place that this scheduler does not serve
    is known through a database that its scheduler uses too.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        timetable: Timetable,
        exporter: Exporter,
        evaluator: AlertEvaluator,
        health: LocationHealth,
    ) -> None:
        self._store = store
        self._owner = owner
        self._timetable = timetable
        self._exporter = exporter
        self._evaluator = evaluator
        self._health = health
        self._named_at: dict[str, datetime] = {}
        """Since when each place is watched: its scheduler may be about to begin, as this one was."""
        self._shown: set[str] = set()

    def beat(self, now: datetime) -> list[LocationState]:
        """Reports, and judges what others have reported. Raises StoreDown."""
        known = {one.location: one for one in self._health.report(now)}
        named = {place for places in self._timetable.locations.values() for place in places}
        if self._store.shared:
            known |= {place: LocationReport(location=place) for place in named - known.keys()}
        states = self._store.locations.report(self._owner, known.values(), now)
        elsewhere = not isinstance(self._health, OwnLocation)
        watched = {one.location: one for one in states if one.location in named} if len(named) > 1 or elsewhere else {}
        self._named_at = {place: self._named_at.get(place, now) for place in watched}
        judged = {place: one for place, one in watched.items() if one.up or now - self._named_at[place] > SILENT}
        for one in judged.values():
            self._evaluator.evaluate_location(one.location, one.up, one.seen_at, now)
        # Nothing is expected of a place that no scheduler's journeys name any more.
        for place in self._store.alerts.locations_down() - {one.location for one in states}:
            self._evaluator.evaluate_location(place, True, None, now)
        self._show(judged)
        return states

    def _show(self, judged: dict[str, LocationState]) -> None:
        exporter = self._exporter
        for name in self._shown - judged.keys():
            for gauge in (exporter.location_up, exporter.location_queue, exporter.location_wait):
                gauge.remove(name)
        self._shown = set(judged)
        for name, one in judged.items():
            exporter.location_up.labels(name).set(one.up)
            exporter.location_queue.labels(name).set(one.waiting)
            exporter.location_wait.labels(name).set(one.waiting_seconds)

    def stop(self) -> None:
        """Withdraws what this scheduler has reported. Raises StoreDown."""
        self._store.locations.withdraw(self._owner)
