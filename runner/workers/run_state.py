"""A run in a worker and its progress, from which a result is made if its worker dies."""

import time
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from runner.dsl.plan import Plan
from runner.events import AttemptEnded, AttemptStarted, Moment, StepEnded, StepStarted
from runner.execution.outcome import Execution
from runner.result import Attempt, Environment, Failure, FailureKind, Status, StepResult, Trigger, skipped
from runner.workers.machine_load import LoadMeter

GRACE = 10.0
"""Seconds after a run's timeout in which its worker may still end the journey itself."""
FINISH = 120.0
"""Seconds in which an attempt's artifacts have to be finished, redacted and closed; they do not count as time of the run."""


class Slot(Struct, frozen=True):
    """The slot of a schedule that a run is for, or the request for it, and the id that the run was given when that was claimed."""

    at: datetime | None
    """None for a run that somebody has asked for."""
    run: str
    due: datetime
    """When the run was to begin: `at`, or later where jitter postponed it; when it was asked for."""
    trigger: Trigger = "schedule"

    def delay(self, started_at: datetime) -> float:
        """Seconds from `due` to the start of the run."""
        return max(round((started_at - self.due).total_seconds(), 6), 0.0)


class StartedRun:
    """A run in a worker and its progress."""

    def __init__(self, plan: Plan, folder: Path, run: str, slot: Slot | None = None, beside: int = 0) -> None:
        self.run = run
        self.slot = slot
        self.plan = plan
        self.folder = folder
        self.started_at = datetime.now(UTC)
        self.started = time.monotonic()
        self.meter = LoadMeter.start(self.started, beside)
        self.attempt = AttemptStarted(run=run, journey=plan.journey, number=1)
        self.attempt_at = self.started_at
        self.steps: list[StepResult] = []
        self.running: StepStarted | None = None
        self.kept: Execution | None = None
        """What earlier attempts have shown."""
        self.settled = False
        """Whether they decide the run, and only a second look was under way."""
        self._finishing: float | None = None
        self._finished = 0.0

    @property
    def deadline(self) -> float:
        """When the pool kills its worker, by `time.monotonic()`."""
        allowed = self.plan.timeout + GRACE + self._finished
        return self.started + allowed if self._finishing is None else max(self._finishing + FINISH, self.started + allowed)

    def overdue_failure(self) -> tuple[FailureKind, str]:
        """The kind of failure and the message for a run whose worker was killed at the deadline."""
        if self._finishing is not None:
            return "monitor", f"the artifacts were not finished within {FINISH:g} s, and their worker was ended"
        limit = self.plan.timeout
        return "deadline", f"the run was still going {GRACE:g} s after its timeout of {limit:g} s, and its worker was ended"

    def record_progress(self, moment: Moment) -> None:
        """Records the progress of the run, in case its worker dies."""
        if isinstance(moment, AttemptEnded):
            self._finishing = time.monotonic()
        elif isinstance(moment, AttemptStarted):
            if self._finishing is not None:
                self._finished += time.monotonic() - self._finishing
                self._finishing = None
            self.attempt, self.attempt_at, self.steps = moment, datetime.now(UTC), []
        elif isinstance(moment, StepStarted):
            self.running = moment
        elif isinstance(moment, StepEnded):
            self.running = None
            self.steps.append(moment.step)

    def unfinished_execution(self, status: Status, kind: FailureKind, message: str) -> Execution:
        """What is known about a run that its worker did not finish. A verdict that was settled stays."""
        if self.kept is not None and self.settled:
            note = f"the failure was not walked once more to its end: {message}"
            return replace(self.kept, notes=(*self.kept.notes, note), worker_spent=False)
        duration = round(time.monotonic() - self.started, 6)
        failure = Failure(kind=kind, message=message, step=self.running.name if self.running else None)
        steps = list(self.steps)
        if self.running:
            steps.append(StepResult(name=self.running.name, index=len(steps), status=status, failure=failure))
        names = {step.name for step in steps}
        missed = [name for name in self.plan.step_names if name not in names]
        steps += skipped(missed, len(steps))
        attempt = Attempt(
            number=self.attempt.number,
            status=status,
            started_at=self.attempt_at,
            duration_seconds=duration,
            steps=tuple(steps),
            failure=failure,
        )
        return Execution(
            run=self.run,
            started_at=self.kept.started_at if self.kept else self.started_at,
            ended_at=datetime.now(UTC),
            duration_seconds=duration,
            attempts=(*(self.kept.attempts if self.kept else ()), attempt),
            artifacts=self.kept.artifacts if self.kept else (),
            notes=self.kept.notes if self.kept else (),
            certificates=self.kept.certificates if self.kept else (),
            environment=self.kept.environment if self.kept else Environment(base_url=self.plan.base_url),
        )
