"""The gauges of a scheduler: what runs and waits now, when each journey is due, which are paused."""

import logging
from collections.abc import Callable
from datetime import datetime

from runner.dispatch.run_pool import RunPool
from runner.scheduler.metrics_endpoint import Exporter
from runner.scheduler.results.result_pipeline import ResultPipeline
from runner.scheduler.run_queue import RunQueue
from runner.scheduler.timetable import Timetable

JOURNEYS_EVERY = 1.0
"""Seconds between two updates of the gauges of each journey: of a thousand checks they would take longer than the runs."""
log = logging.getLogger("journey.schedule")


class ScheduleGauges:
    """Sets the gauges, and logs when a pause begins or ends, which it finds as it looks."""

    def __init__(
        self,
        exporter: Exporter,
        timetable: Timetable,
        queue: RunQueue,
        pipeline: ResultPipeline,
        pause_reason: Callable[[str, datetime], str],
    ) -> None:
        self._exporter = exporter
        self._timetable = timetable
        self._queue = queue
        self._pipeline = pipeline
        self._pause_reason = pause_reason
        self._paused: dict[str, str] = {}
        self._journeys_at = -JOURNEYS_EVERY

    def update(self, pool: RunPool, now: datetime, monotonic: float) -> None:
        """Sets all gauges; those of each journey only if it is their time, of which `monotonic` are the seconds."""
        exporter = self._exporter
        exporter.browsers.set(pool.count)
        exporter.running.set(len(pool.running))
        exporter.waiting.set(self._queue.waiting)
        exporter.unstored.set(self._pipeline.unstored)
        exporter.not_uploaded.set(self._pipeline.not_uploaded)
        exporter.unpushed.set(self._pipeline.unpushed)
        if monotonic - self._journeys_at < JOURNEYS_EVERY:
            return
        self._journeys_at = monotonic
        for name, entries in self._timetable.journeys.items():
            exporter.start_counting(name, entries[0].plan.step_names)
            exporter.paused.labels(name).set(self._log_pause(name, now))
            exporter.next_run.labels(name).set(min(entry.next_at for entry in entries).timestamp())
            # Of each place: where places have the slots in turn, the journey runs more often than that.
            gaps = [entry.schedule.after(name, entry.next_at) - entry.next_at for entry in entries]
            exporter.interval.labels(name).set(max(gaps).total_seconds())

    def _log_pause(self, name: str, now: datetime) -> bool:
        """Whether a journey is paused; logs when a pause or a maintenance window begins or ends."""
        reason, before = self._pause_reason(name, now), self._paused.get(name, "")
        if reason and reason != before:
            log.info("%s is paused: %s", name, reason, extra={"journey": name})
        elif before and not reason:
            log.info("%s is no longer paused", name, extra={"journey": name})
        self._paused[name] = reason
        return bool(reason)
