"""One run of a check: its attempts, until one passes or no other follows."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from runner.checks.failures import explain_error
from runner.checks.steps import CallError, CheckOptions, CheckSteps
from runner.checks.time_limit import TimeLimit
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.dsl.protocols.registry import PROTOCOLS
from runner.events import AttemptEnded, AttemptStarted, Moment, StepEnded, StepStarted
from runner.execution.outcome import Execution
from runner.result import Attempt, Certificate, Environment, Failure, status_of
from runner.settings.secrets import Secrets


class CheckRun(Struct, frozen=True, kw_only=True):
    """What all attempts of one run of a check share."""

    run: str
    plan: Plan
    check: Journey
    secrets: Secrets
    environment: Environment = Environment()
    emit: Callable[[Moment], None] = lambda _: None
    """Receives the events of the run as they happen."""
    keep: Callable[[Execution], None] = lambda _: None
    """Receives what the run has shown when it goes on after an attempt."""


def execute_check(run: CheckRun) -> Execution:
    """Runs a check until an attempt passes, the retries are used up, or its timeout, which applies to all of them, is over.

    Raises nothing for what the check or a server does.
    """
    plan = run.plan
    started_at, started = datetime.now(UTC), time.perf_counter()
    attempts: list[Attempt] = []
    met: dict[str, Certificate] = {}
    while True:
        left = plan.timeout - (time.perf_counter() - started)
        attempt, certificates = run_check_attempt(run, len(attempts) + 1, left)
        attempts.append(attempt)
        met |= certificates
        execution = Execution(
            run=run.run,
            started_at=started_at,
            ended_at=datetime.now(UTC),
            duration_seconds=round(time.perf_counter() - started, 6),
            attempts=tuple(attempts),
            environment=replace(run.environment, base_url=plan.base_url),
            certificates=tuple(met[host] for host in sorted(met)),
        )
        if attempt.status == "passed" or len(attempts) > plan.retries or execution.duration_seconds >= plan.timeout:
            return execution
        run.keep(execution)


def run_check_attempt(run: CheckRun, number: int, seconds: float) -> tuple[Attempt, dict[str, Certificate]]:
    """Calls the check once, for at most `seconds`; returns the attempt, and the certificates of the hosts that it has met."""
    plan, name = run.plan, run.plan.journey

    def step_started(title: str, index: int) -> None:
        run.emit(StepStarted(run=run.run, journey=name, attempt=number, name=title, index=index))

    steps = CheckSteps(
        str(plan.file),
        TimeLimit(seconds, plan.timeout),
        check_options(plan),
        step_started,
        lambda step: run.emit(StepEnded(run=run.run, journey=name, attempt=number, step=step)),
    )
    run.emit(AttemptStarted(run=run.run, journey=name, number=number))
    started_at, started = datetime.now(UTC), time.perf_counter()
    failure: Failure | None = None
    try:
        call_check(run.check, plan, run.secrets, steps)
    except BaseException as error:  # noqa: BLE001 (a check may raise anything, SystemExit too; all of it is reported)
        failure = steps.fatal or explain_error(error, str(plan.file), plan.timeout)
    failure = failure or steps.fatal
    duration = time.perf_counter() - started
    run.emit(AttemptEnded(run=run.run, journey=name, number=number))
    attempt = Attempt(
        number=number,
        status=status_of(failure),
        started_at=started_at,
        duration_seconds=round(duration, 6),
        steps=steps.results(plan.step_names),
        failure=failure,
    )
    return attempt, steps.certificates


def check_options(plan: Plan) -> CheckOptions:
    """What the protocols of a check get from its plan."""
    return CheckOptions(base_url=plan.base_url, headers=plan.headers, basic_auth=plan.basic_auth, ca_file=plan.ca_file)


def call_check(check: Journey, plan: Plan, secrets: Secrets, steps: CheckSteps) -> None:
    """Calls the check's function with what its parameters name. Raises whatever it raises; CallError where nothing was asked."""
    offered: dict[str, Any] = {"params": dict(plan.params), "secrets": secrets}
    with ExitStack() as stack:
        for name in check.parameters:
            if name in PROTOCOLS:
                offered[name] = client = PROTOCOLS[name].load()(steps)
                stack.callback(client.close)
        returned = check.function(**{name: offered[name] for name in check.parameters})
    if returned is not None and (hasattr(returned, "__await__") or hasattr(returned, "__next__")):
        raise CallError(f"the check returned a {type(returned).__name__} of which nothing was run; call plain functions")
    steps.check_any_ran()
