"""The runs that were sent to workers elsewhere and have not come back, and when each is given up.

A run that has not begun is given up when it may not begin any more. A run that has begun is given up when its worker was not heard of for
a while, or is there and no longer has it. Whatever is given up may come back all the same.
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from msgspec import Struct

from runner.dispatch.health import HEARTBEAT, SILENT, WorkerHealth
from runner.dispatch.messages import Begun, Happened, Heartbeat
from runner.dispatch.run_pool import Abandoned
from runner.dsl.plan import Plan
from runner.result import Status
from runner.workers.run_state import Slot

MARGIN = 10.0
"""Seconds beyond the moment by which a run may begin, in which the message that it has begun may still be under way."""
LOST_AFTER = 4 * HEARTBEAT
"""Seconds in which a worker that is there has not named a run before it counts as lost: its result is in the queue by then, if it has one."""


class SentRun(Struct):
    """A run that is elsewhere. Times are seconds by the clock of `InFlight`."""

    plan: Plan
    slot: Slot
    sent_at: datetime
    begin_by: float
    worker: str = ""
    """Which worker has begun it; empty before."""
    seen_at: float = 0.0
    """When a worker last said that it has it."""
    earlier: tuple[str, ...] = ()
    """The workers that had begun it before."""


class InFlight:
    """The runs elsewhere by their ids."""

    def __init__(self, health: WorkerHealth, clock: Callable[[], float] = time.monotonic) -> None:
        self._health = health
        self._clock = clock
        self._runs: dict[str, SentRun] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._runs))

    def add(self, plan: Plan, slot: Slot, begin_within: float) -> SentRun:
        """Adds a run that may begin within so many seconds."""
        run = SentRun(plan, slot, datetime.now(UTC), self._clock() + begin_within)
        self._runs[slot.run] = run
        return run

    def get(self, run: str) -> SentRun | None:
        """A run that is elsewhere; None for one that is not."""
        return self._runs.get(run)

    def begin(self, message: Begun) -> SentRun | None:
        """Notes that a worker has begun a run; returns it if that is news."""
        return self._note(message.run, message.worker)

    def _note(self, run: str, worker: str) -> SentRun | None:
        known = self._runs.get(run)
        if known is None:
            return None
        known.seen_at = self._clock()
        if known.worker == worker:
            return None
        if known.worker:
            known.earlier = (*known.earlier, known.worker)
        known.worker = worker
        return known

    def follow(self, message: Happened) -> tuple[bool, SentRun | None]:
        """Notes that something has happened in a run: whether it counts, and the run if it was not known to have begun there.

        What an earlier worker does, which was only cut off, does not count.
        """
        known = self._runs.get(message.run)
        if known is None or message.worker in known.earlier:
            return False, None
        return True, self._note(message.run, message.worker)

    def hear(self, beat: Heartbeat) -> list[SentRun]:
        """Notes the runs that a worker has; returns those of which it was not known."""
        for run in beat.sending:
            self._expect_result(run)
        # An earlier worker that was only cut off still has a run that another one has begun since: the newest one counts.
        has = [run for run in beat.runs if run not in beat.sending]
        wanted = [run for run in has if (known := self._runs.get(run)) is not None and beat.worker not in known.earlier]
        return [found for run in wanted if (found := self._note(run, beat.worker)) is not None]

    def _expect_result(self, run: str) -> None:
        """A worker has the result, which another one may have made: that it was walked again is not known from this."""
        known = self._runs.get(run)
        if known is not None and known.worker:
            known.seen_at = self._clock()
        elif known is not None:
            known.begin_by = max(known.begin_by, self._clock() + SILENT)

    def end(self, run: str) -> SentRun | None:
        """Removes a run, whose result has come; None when it was not here."""
        return self._runs.pop(run, None)

    def expire(self, run: str, worker: str) -> SentRun | None:
        """Removes a run that came too late to a worker; None when it was not here, or another worker has begun it: this was a second copy."""
        known = self._runs.get(run)
        if known is None or known.worker not in {"", worker}:
            return None
        if known.earlier:
            # A heartbeat has named the run while the worker looked at it.
            known.worker, known.earlier = known.earlier[-1], known.earlier[:-1]
            return None
        return self.end(run)

    def not_begun(self, journey: str | None = None, location: str | None = None) -> list[SentRun]:
        """The runs, of one journey at a location or all, that have not begun as far as is known."""
        waiting = [one for one in self._runs.values() if not one.worker]
        return [one for one in waiting if journey in {None, one.plan.journey} and location in {None, one.plan.location}]

    def at(self, location: str) -> list[SentRun]:
        """The runs at a location. From any thread."""
        return [one for one in list(self._runs.values()) if one.plan.location == location]

    def give_up(self) -> list[Abandoned]:
        """Removes the runs of which nothing more is expected."""
        given = [one for run in self._runs.values() if (one := self._judge(run)) is not None]
        for one in given:
            del self._runs[one.run]
        return given

    def _judge(self, run: SentRun) -> Abandoned | None:
        now = self._clock()
        place = run.plan.location
        if not run.worker:
            if now < run.begin_by + MARGIN:
                return None
            nobody = not self._health.is_up(place)
            what = "there is no worker" if nobody else "no worker was free"
            message = f"the run was sent to {place} and had not begun when it was due: {what}; add workers there, or run journeys less often"
            return self._abandon(run, False, message, nobody)
        silent = now - run.seen_at
        if not self._health.is_alive(run.worker) and silent > SILENT:
            return self._abandon(
                run, True, f"the worker {run.worker} at {place} was not heard of for {silent:.0f} s while the run was under way"
            )
        if silent > LOST_AFTER and self._health.is_alive(run.worker):
            return self._abandon(
                run,
                True,
                f"the worker {run.worker} at {place} no longer has the run, and its result has not come: the broker has lost it",
            )
        return None

    def _abandon(self, run: SentRun, begun: bool, message: str, nobody: bool = False) -> Abandoned:
        status: Status = "error" if begun else "cancelled"
        return Abandoned(run.slot.run, run.plan, run.slot, status, message, run.sent_at, nobody_there=nobody)
