"""One run: its attempts, until one passes or no other follows."""

import time
from datetime import UTC, datetime

from msgspec.structs import replace
from playwright.sync_api import Error as PlaywrightError

from runner.browser.context_options import options
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.errors import BrowserFailed
from runner.execution.attempt import AttemptOutcome, RunContext, run_attempt
from runner.execution.environment import describe_environment
from runner.execution.failure import trim_message
from runner.execution.outcome import Execution
from runner.execution.retry import RetryPolicy
from runner.execution.second_look import describe_second_look, plan_second_look
from runner.execution.sign_in import SignIn, StateUnusable
from runner.execution.warm_browser import WarmBrowser
from runner.page.agent import Mark
from runner.result import Attempt, Failure, skipped, status_of

SHORTEST = 0.1
"""Seconds that an attempt gets, however long signing in took."""


def execute_run(context: RunContext, browser: WarmBrowser, setup: Journey | None = None) -> Execution:
    """Runs a journey until an attempt passes, the retries are used up, or its timeout is over.

    The timeout applies to all attempts together. `setup` is the journey that signs in if the plan asks for a signed-in state.
    Never raises for what the journey, the site or the browser does.
    """
    run, plan = context.run, context.plan
    sign_in = None
    if setup is not None and plan.state_file is not None:
        mark = Mark(journey=setup.name, run=run, location=plan.location)
        sign_in = SignIn(setup, plan, plan.state_file, context.secrets, context.redactor, mark)
    retry = RetryPolicy(plan, sign_in)
    started_at, started = datetime.now(UTC), time.perf_counter()
    outcomes: list[AttemptOutcome] = []
    version = ""
    while True:
        number = len(outcomes) + 1
        room = plan.artifact_limit - sum(one.bytes for outcome in outcomes for one in outcome.artifacts)
        try:
            version = browser.get().version
            outcome = _make_attempt(number, context, browser, sign_in, retry, room)
        except (BrowserFailed, PlaywrightError) as error:
            outcome = _not_started(number, plan, Failure(kind="browser", message=trim_message(str(error))))
        except OSError as error:
            # A folder that is not there, a disk that is full, a certificate that cannot be read.
            message = trim_message(f"this machine could not run the journey: {type(error).__name__}: {error}")
            outcome = _not_started(number, plan, Failure(kind="monitor", message=message))
        repeats = retry.repeats(outcome.attempt.status, outcome.attempt.duration_seconds)
        note = retry.prepare_next(outcome.attempt) if repeats else None
        outcomes.append(replace(outcome, notes=(*outcome.notes, note)) if note else outcome)
        if not repeats:
            break
    duration, ended_at = time.perf_counter() - started, datetime.now(UTC)
    attempts = tuple(outcome.attempt for outcome in outcomes)
    second_look = plan_second_look(plan, attempts, retry.seconds_left - attempts[-1].duration_seconds)
    if second_look is not None:
        outcomes.append(_look_again(second_look, context, browser, sign_in, retry, outcomes[0]))
    return Execution(
        run=run,
        started_at=started_at,
        ended_at=ended_at,
        duration_seconds=round(duration, 6),
        attempts=attempts,
        artifacts=tuple(artifact for outcome in outcomes for artifact in outcome.artifacts),
        notes=tuple(dict.fromkeys(note for outcome in outcomes for note in outcome.notes)),
        environment=describe_environment("chromium", version, plan.base_url),
    )


def _look_again(
    plan: Plan, context: RunContext, browser: WarmBrowser, sign_in: SignIn | None, retry: RetryPolicy, failed: AttemptOutcome
) -> AttemptOutcome:
    """Walks the journey once more for what it records. Nobody hears of its steps, and what goes wrong becomes a note."""
    retry.prepare_next(failed.attempt)
    quiet = replace(context, plan=plan, emit=lambda _: None)
    room = plan.artifact_limit - sum(one.bytes for one in failed.artifacts)
    try:
        outcome = _make_attempt(2, quiet, browser, sign_in, retry, room, only_once=True)
    except (BrowserFailed, PlaywrightError, OSError) as error:
        why = trim_message(f"{type(error).__name__}: {error}")
        return _not_started(2, plan, Failure(kind="monitor", message=why), f"the failure could not be walked once more: {why}")
    return replace(outcome, notes=(*outcome.notes, describe_second_look(plan, outcome.attempt)))


def _make_attempt(
    number: int,
    context: RunContext,
    browser: WarmBrowser,
    sign_in: SignIn | None,
    retry: RetryPolicy,
    room: int,
    only_once: bool = False,
) -> AttemptOutcome:
    """Signs in if the plan asks for it, then calls the journey. Raises BrowserFailed, playwright's Error, OSError."""
    plan, opened, began = context.plan, browser.get(), time.perf_counter()
    if sign_in is not None:
        try:
            failure = sign_in.ensure(opened, options(plan, browser.playwright, opened), retry.seconds_left)
        except StateUnusable as error:
            failure = Failure(kind="monitor", message=trim_message(str(error)))
        if failure is not None:
            return _not_started(number, plan, failure)
        context = replace(context, plan=replace(plan, storage_state=sign_in.file))
    seconds = max(retry.seconds_left - (time.perf_counter() - began), SHORTEST)
    repeats = (lambda *_: False) if only_once else retry.repeats
    return run_attempt(number, context, opened, browser.playwright, seconds, repeats, room)


def _not_started(number: int, plan: Plan, failure: Failure, *notes: str) -> AttemptOutcome:
    attempt = Attempt(
        number=number,
        status=status_of(failure),
        started_at=datetime.now(UTC),
        duration_seconds=0.0,
        steps=skipped(plan.step_names, 0),
        failure=failure,
    )
    return AttemptOutcome(attempt=attempt, notes=notes)
