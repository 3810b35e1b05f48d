"""A run in a worker, as far as it has come: what is known of it if its worker cannot say so any more."""

import time
from datetime import UTC, datetime
from pathlib import Path

from runner.messages import Execution
from runner.moments import AttemptStarted, Moment, StepEnded, StepStarted
from runner.plan import Plan
from runner.result import Attempt, Environment, Failure, FailureKind, Status, StepResult

GRACE = 10.0
"""Seconds beyond a run's timeout in which its worker may still end the run itself, artifacts and all."""


class StartedRun:
    """A run in a worker, as far as it has come."""

    def __init__(self, plan: Plan, folder: Path, run: str) -> None:
        self.run = run
        self.plan = plan
        self.folder = folder
        self.started_at = datetime.now(UTC)
        self.started = time.monotonic()
        self.attempt = AttemptStarted(run=run, journey=plan.journey, number=1)
        self.attempt_at = self.started_at
        self.steps: list[StepResult] = []
        self.running: StepStarted | None = None

    @property
    def deadline(self) -> float:
        """When the supervisor ends it, by `time.monotonic()`."""
        return self.started + self.plan.timeout + GRACE

    def note(self, moment: Moment) -> None:
        """Remembers how far the run is, in case its worker cannot say so any more."""
        if isinstance(moment, AttemptStarted):
            self.attempt, self.attempt_at, self.steps = moment, datetime.now(UTC), []
        elif isinstance(moment, StepStarted):
            self.running = moment
        elif isinstance(moment, StepEnded):
            self.running = None
            self.steps.append(moment.step)

    def ended_by_us(self, status: Status, kind: FailureKind, message: str) -> Execution:
        """What is known of a run whose worker has not ended it."""
        duration = round(time.monotonic() - self.started, 6)
        failure = Failure(kind=kind, message=message, step=self.running.name if self.running else None)
        steps = list(self.steps)
        if self.running:
            steps.append(StepResult(name=self.running.name, index=len(steps), status=status, failure=failure))
        names = {step.name for step in steps}
        missed = [name for name in self.plan.step_names if name not in names]
        steps += [StepResult(name=name, index=len(steps) + at, status="skipped") for at, name in enumerate(missed)]
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
            started_at=self.started_at,
            ended_at=datetime.now(UTC),
            duration_seconds=duration,
            attempts=(attempt,),
            environment=Environment(base_url=self.plan.base_url),
        )
