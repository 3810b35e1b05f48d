"""A pool of workers elsewhere: a scheduler sends runs to the queue of their location, and takes in their results once each."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import msgspec
from msgspec.structs import replace

from runner.archive.archive import Archive
from runner.browser.chromium import Browser
from runner.bundles.publish_bundle import require_storage
from runner.dispatch.broker.application import make_app
from runner.dispatch.broker.receiver import PREFETCHED, Delivery, Receiver
from runner.dispatch.broker.sender import Revoke, SayTaken, Sender, SendRun
from runner.dispatch.bundle_publisher import BundlePublisher
from runner.dispatch.health import SILENT, ListeningClock, WorkerHealth
from runner.dispatch.in_flight import InFlight, SentRun
from runner.dispatch.inbox import Inbox
from runner.dispatch.messages import (
    Begun,
    Ended,
    Expired,
    Happened,
    Heartbeat,
    NotSigned,
    Refused,
    Taken,
    WrongProtocol,
    read_message,
)
from runner.dispatch.orders import OrderWriter
from runner.dispatch.result_notes import find_notes
from runner.dispatch.run_pool import Abandoned
from runner.dispatch.save_result import ResultSaver
from runner.dsl.plan import Plan
from runner.events import Listener, RunEnded, RunStarted
from runner.result import RunResult
from runner.settings.settings import Settings
from runner.store.scheduling.locations import LocationReport
from runner.workers.run_state import Slot

BATCH = 500
"""Messages that are handled at a time, so that slots which come meanwhile are not late."""
LOOK = 1.0
"""Seconds between two looks at which runs are to be given up."""
CLOSE_TIMEOUT = 5.0
"""Seconds in which what waits is sent at the end."""
log = logging.getLogger("journey.dispatch")


class CeleryPool:
    """Sends runs to workers elsewhere; `sender` is the scheduler's name.

    After `open`, `start_run` sends runs, and `poll` handles what comes back: results are saved in the archive, whose listeners hear of them as
    of runs that were made here. Journeys travel in bundles if there is a key for them; else workers read the same folder, `start`.
    Raises ConfigError when the settings name no broker, or no storage for bundles.
    """

    def __init__(self, settings: Settings, sender: str, start: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._bundles: BundlePublisher | None = None
        if settings.bundle_key is not None:
            require_storage(settings)
            self._bundles = BundlePublisher(settings, start)
        self._orders = OrderWriter(settings, sender, lambda: self._bundles.bundle if self._bundles else None)
        self._clock = ListeningClock(clock)
        self.health = WorkerHealth(self._clock)
        self._flying = InFlight(self.health, self._clock)
        self._abandoned: list[Abandoned] = []
        self._strays: list[RunResult] = []
        self._deliveries: dict[str, list[Delivery]] = {}
        self._inbox = Inbox()
        app = make_app(settings)
        self._out = Sender(app, settings, sender)
        self._in = Receiver(app, settings, self._inbox.put, self._inbox.put)
        self._saver: ResultSaver | None = None
        self._listeners: Sequence[Listener] = ()
        self._arrived: list[RunResult] = []
        self._looked_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bundles is not None:
            self._bundles.stop()
        self._out.stop(CLOSE_TIMEOUT)
        self._in.stop(CLOSE_TIMEOUT)
        if self._saver is not None:
            self._saver.stop()

    def open(self, browser: Browser | None, settings: Settings, archive: Archive, listeners: Sequence[Listener]) -> None:  # noqa: ARG002
        """Sets the archive and the listeners for the coming runs, and connects to the broker."""
        # A run's files were uploaded by its worker: this archive keeps only its result, and has nothing to upload.
        self._saver = ResultSaver(Archive(archive.folder))
        self._listeners = listeners
        if self._bundles is not None:
            self._bundles.start()
        self._in.start()
        self._out.start()

    def recycle_after(self, runs: int, memory: int) -> None:
        """Does nothing: workers elsewhere have their own settings."""

    @property
    def running(self) -> InFlight:
        """The runs that were sent and have not come back."""
        return self._flying

    @property
    def count(self) -> int:
        """The runs that all workers which were heard of can make at a time."""
        return sum(one.concurrency for place in self.health.locations for one in self.health.workers(place))

    def report(self, now: datetime) -> Sequence[LocationReport]:
        """What is known about each location that runs are sent to. While the broker is away nothing is heard, and nothing is said."""
        return [] if self._in.down else [self._report(place, now) for place in sorted(self.health.locations)]

    def _report(self, place: str, now: datetime) -> LocationReport:
        silent = self.health.seconds_silent(place)
        here = self._flying.at(place)
        waiting = [one.slot.due for one in here if not one.worker]
        return LocationReport(
            location=place,
            seen_at=None if silent is None else now - timedelta(seconds=silent),
            workers=sum(one.concurrency for one in self.health.workers(place)),
            running=len(here) - len(waiting),
            waiting=len(waiting),
            waiting_since=min(waiting, default=None),
        )

    @property
    def waiting(self) -> int:
        """The number of messages that the broker has not taken yet."""
        return self._out.waiting

    def can_start(self, plan: Plan) -> bool:
        """Whether the location has a worker, and the broker can be reached."""
        self.health.expect(plan.location)
        return not self._out.down and self.health.is_up(plan.location) and (self._bundles is None or self._bundles.fits(plan))

    def explain_lack(self, plan: Plan) -> str:
        """Why a run cannot be begun: no broker, no worker, or no bundle that has it as it is now. Empty when none of these."""
        if self._out.down:
            return "no broker"
        if not self.health.is_up(plan.location):
            return "no worker"
        return "" if self._bundles is None or self._bundles.fits(plan) else "no bundle"

    def start_run(self, plan: Plan, slot: Slot) -> SentRun:
        """Sends a run. Raises ConfigError for a plan with a secret's value in it."""
        content = self._orders.write(plan, slot)
        run = self._flying.add(plan, slot, self._seconds_to_begin(slot))
        self._out.put(SendRun(slot.run, plan.location, content))
        return run

    def adopt(self, plan: Plan, slot: Slot) -> bool:
        """Waits for a run that an earlier scheduler has sent, from now on as for one of its own."""
        # Its worker may not have been heard of yet.
        self._flying.add(plan, slot, max(self._seconds_to_begin(slot), SILENT))
        return True

    def _seconds_to_begin(self, slot: Slot) -> float:
        return slot.due.timestamp() + self._settings.max_delay - time.time()

    def revoke_runs(self, journey: str | None = None, location: str | None = None) -> None:
        """Takes back the runs that have not begun. A worker that has just begun one makes it all the same, and its result counts."""
        runs = {one.slot.run for one in self._flying.not_begun(journey, location)}
        if not runs:
            return
        self._out.drop(runs)
        self._out.put(Revoke(tuple(sorted(runs))))
        for one in self._flying.not_begun(journey, location):
            self._flying.end(one.slot.run)
            message = "the run was taken back before a worker had begun it"
            self._abandoned.append(Abandoned(one.slot.run, one.plan, one.slot, "cancelled", message, one.sent_at))

    def take_abandoned(self) -> Sequence[Abandoned]:
        """The runs that were given up or taken back since the last call."""
        found, self._abandoned = self._abandoned, []
        return found

    def take_strays(self) -> Sequence[RunResult]:
        """The results since the last call that were not expected, or no longer."""
        found, self._strays = self._strays, []
        return found

    def poll(self, timeout: float, also: Sequence[int] = ()) -> list[int]:
        """Waits for messages and handles them; returns the file descriptors in `also` that are ready to be read."""
        ready = self._inbox.wait(timeout, also)
        taken = list(self._inbox.take(BATCH))
        for body, delivery in taken:
            self._handle(body, delivery)
        self._save_arrived()
        # The broker keeps further results back while too many are not stored.
        self._clock.turn(not self._in.down and len(taken) < BATCH and len(self._deliveries) < PREFETCHED)
        self._give_up()
        return ready

    def _give_up(self) -> None:
        """Gives up the runs of which nothing more is expected."""
        if self._clock() - self._looked_at < LOOK:
            return
        self._looked_at = self._clock()
        given_up = self._flying.give_up()
        if given_up:
            self._out.put(Revoke(tuple(one.run for one in given_up)))
        self._abandoned += given_up

    def confirm(self, run: str) -> None:
        """Has the broker forget the messages with the result of a run."""
        for delivery in self._deliveries.pop(run, ()):
            self._in.done(delivery)

    def cancel_runs(self, why: str) -> int:  # noqa: ARG002 (they are not ended)
        """Leaves the runs that have begun to their workers: the next scheduler takes in their results."""
        return len(self._flying)

    # What comes back

    def _handle(self, body: bytes, delivery: Delivery | None) -> None:
        try:
            message = read_message(body, self._settings.bundle_key)
        except WrongProtocol as error:
            self._refuse(
                error.envelope.run, error.envelope.sender, f"{error}: use the same version for schedulers and workers", delivery
            )
            return
        except (NotSigned, msgspec.DecodeError) as error:
            log.error("dropped a message: %s", error)
            self._drop(delivery)
            return
        if isinstance(message, Heartbeat):
            self.health.hear(message)
            for run in self._flying.hear(message):
                self._notify_begun(run)
        elif isinstance(message, Begun):
            begun = self._flying.begin(message)
            if begun is not None:
                self._notify_begun(begun)
        elif isinstance(message, Happened):
            self._pass_on(message)
        elif isinstance(message, Taken):
            self._forget_taken(message.runs)
        elif isinstance(message, Ended) and delivery is not None:
            self._deliveries.setdefault(message.result.id, []).append(delivery)
            self._take_result(message)
        elif isinstance(message, Refused):
            self._refuse(message.run, message.worker, message.message, delivery)
        elif isinstance(message, Expired):
            self._expire(message, delivery)
        else:
            self._drop(delivery)

    def _drop(self, delivery: Delivery | None) -> None:
        if delivery is not None:
            self._in.done(delivery)

    def _notify_begun(self, run: SentRun) -> None:
        if not run.earlier:
            for listener in self._listeners:
                listener(RunStarted(run=run.slot.run, journey=run.plan.journey))

    def _pass_on(self, message: Happened) -> None:
        counts, begun = self._flying.follow(message)
        if begun is not None:
            self._notify_begun(begun)
        if counts:
            for listener in self._listeners:
                listener(message.moment)

    def _forget_taken(self, runs: Sequence[str]) -> None:
        """Another scheduler has taken in the results of runs of this one: nothing is to be done but to expect them no longer."""
        for run in runs:
            sent = self._flying.end(run)
            if sent is not None:
                self._abandoned.append(
                    Abandoned(run, sent.plan, sent.slot, "cancelled", "", sent.sent_at, taken_elsewhere=True)
                )

    def _take_result(self, ended: Ended) -> None:
        sent = self._flying.end(ended.result.id)
        result = replace(
            ended.result, notes=(*ended.result.notes, *find_notes(ended, sent, self.health.seconds_ahead(ended.worker)))
        )
        if sent is None:
            # Delivered twice, or late, or of a run of another scheduler: the store knows.
            self._strays.append(result)
            return
        self._arrived.append(result)

    def _save_arrived(self) -> None:
        """Saves the results that have come, and notifies the listeners and the other schedulers."""
        if not self._arrived:
            return
        if self._saver is None:
            raise RuntimeError("CeleryPool.open was not called")
        arrived, self._arrived = self._arrived, []
        for result, folder in self._saver.save(arrived):
            for listener in self._listeners:
                listener(RunEnded(result=result, folder=folder))
        self._out.put(SayTaken(tuple(one.id for one in arrived)))

    def _refuse(self, run: str, worker: str, message: str, delivery: Delivery | None) -> None:
        sent = self._flying.end(run)
        if sent is not None:
            text = f"the worker {worker} at {sent.plan.location} refused the run: {message}"
            self._abandoned.append(Abandoned(run, sent.plan, sent.slot, "error", text, sent.sent_at))
        self._drop(delivery)

    def _expire(self, message: Expired, delivery: Delivery | None) -> None:
        sent = self._flying.expire(message.run, message.worker)
        if sent is not None:
            within = f"within max_delay ({self._settings.max_delay:g} s)"
            text = f"no worker at {sent.plan.location} was free {within}; add workers there, or run journeys less often"
            self._abandoned.append(Abandoned(message.run, sent.plan, sent.slot, "cancelled", text, sent.sent_at))
        self._drop(delivery)
